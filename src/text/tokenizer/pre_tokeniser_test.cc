#include "text/tokenizer/pre_tokeniser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "text/tokenizer/gpt2_words.h"
#include "text/tokenizer/pattern.h"

namespace kith::tokenizer {
namespace {

using nlohmann::json;
using testing::ElementsAre;

std::vector<std::string> cut(const json& document, std::string_view text, bool first = true) {
  Pieces pieces;
  read_pre_tokeniser(Json(document, "pre_tokenizer"))->cut(text, first, pieces);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < pieces.size(); ++i) found.emplace_back(pieces[i]);
  return found;
}

TEST(PreTokeniser, BertCutsAtSpacesAndAroundPunctuation) {
  EXPECT_THAT(cut({{"type", "BertPreTokenizer"}}, " don't\u3000go\u3002 $5"),
              ElementsAre("don", "'", "t", "go", "\u3002", "$", "5"));
}

TEST(PreTokeniser, ByteLevelWritesBytesAsLetters) {
  EXPECT_THAT(cut({{"type", "ByteLevel"}, {"add_prefix_space", true}}, "it's\u00e9 2"),
              ElementsAre("\u0120it", "'s", "\u00c3\u00a9", "\u01202"));
  EXPECT_THAT(cut({{"type", "ByteLevel"}, {"use_regex", false}}, "a b"), ElementsAre("a\u0120b"));
}

TEST(PreTokeniser, Gpt2WordsAreThoseOfItsRegularExpression) {
  const json expression = {
      {"Regex", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"}};
  const Pattern pattern(Json(expression, "pattern"));
  const bool held = rc::check("", [&] {
    std::string text;
    for (const auto& part :
         *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
             " ", " ", "'", "s", "re", "l", "\u00e9", "5", "\u0663", "!", "\n", "\t", "\u3000",
             "\u4e2d", "\u0301", "\U0001F600"))) {
      text += part;
    }
    std::vector<std::string> expected, found;
    for (const Span& span : pattern.spans(text)) {
      expected.push_back(text.substr(span.begin, span.end - span.begin));
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = gpt2_word_end(text, at);
      found.push_back(text.substr(at, end - at));
      at = end;
    }
    RC_ASSERT(found == expected);
  });
  EXPECT_TRUE(held);
}

TEST(PreTokeniser, WhitespaceKeepsWordsAndOtherRunsApart) {
  EXPECT_THAT(cut({{"type", "Whitespace"}}, "h\u00e9_1 <<ok>> "),
              ElementsAre("h\u00e9_1", "<<", "ok", ">>"));
  EXPECT_THAT(cut({{"type", "WhitespaceSplit"}}, " a,b  c\n"), ElementsAre("a,b", "c"));
}

TEST(PreTokeniser, DigitsAreRunsOrSingle) {
  EXPECT_THAT(cut({{"type", "Digits"}}, "a12b\u0663"), ElementsAre("a", "12", "b", "\u0663"));
  EXPECT_THAT(cut({{"type", "Digits"}, {"individual_digits", true}}, "a12b"),
              ElementsAre("a", "1", "2", "b"));
}

TEST(PreTokeniser, EveryBehaviourPutsMatchesInItsPlace) {
  const auto with = [](const char* behaviour) {
    return cut({{"type", "Punctuation"}, {"behavior", behaviour}}, "the--end!ok");
  };
  EXPECT_THAT(with("Removed"), ElementsAre("the", "end", "ok"));
  EXPECT_THAT(with("Isolated"), ElementsAre("the", "-", "-", "end", "!", "ok"));
  EXPECT_THAT(with("MergedWithPrevious"), ElementsAre("the-", "-", "end!", "ok"));
  EXPECT_THAT(with("MergedWithNext"), ElementsAre("the", "-", "-end", "!ok"));
  EXPECT_THAT(with("Contiguous"), ElementsAre("the", "--", "end", "!", "ok"));
}

TEST(PreTokeniser, SplitTakesStringsAndExpressions) {
  EXPECT_THAT(
      cut({{"type", "Split"}, {"pattern", {{"String", "."}}}, {"behavior", "Removed"}}, "a.b"),
      ElementsAre("a", "b"));
  const json digits = {{"Regex", "\\d{1,2}"}};
  EXPECT_THAT(cut({{"type", "Split"}, {"pattern", digits}, {"behavior", "Isolated"}},
                  "\u00e9"
                  "123z"),
              ElementsAre("\u00e9", "12", "3", "z"));
  EXPECT_THAT(
      cut({{"type", "Split"}, {"pattern", digits}, {"behavior", "Removed"}, {"invert", true}},
          "a123z"),
      ElementsAre("12", "3"));
}

TEST(PreTokeniser, MetaspaceReadsOldAndNewFields) {
  EXPECT_THAT(cut({{"type", "Metaspace"}}, "a b"), ElementsAre("\u2581"
                                                               "a",
                                                               "\u2581"
                                                               "b"));
  EXPECT_THAT(
      cut({{"type", "Metaspace"}, {"add_prefix_space", false}, {"str_rep", "\u2581"}}, "a b"),
      ElementsAre("a",
                  "\u2581"
                  "b"));
  const json first = {{"type", "Metaspace"}, {"prepend_scheme", "first"}, {"split", false}};
  EXPECT_THAT(cut(first, "a b"), ElementsAre("\u2581"
                                             "a\u2581"
                                             "b"));
  EXPECT_THAT(cut(first, "a b", false), ElementsAre("a\u2581"
                                                    "b"));
}

TEST(PreTokeniser, ScriptsAreKeptApart) {
  EXPECT_THAT(cut({{"type", "UnicodeScripts"}}, "\u3069\u3053\u4e2d Yes"),
              ElementsAre("\u3069\u3053\u4e2d ", "Yes"));
}

TEST(PreTokeniser, SequencesCutPiecesAgain) {
  const json both = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "WhitespaceSplit"}}, {{"type", "Digits"}}, {{"type", "Punctuation"}}}}};
  EXPECT_THAT(cut(both, "a1! b2"), ElementsAre("a", "1", "!", "b", "2"));
}

TEST(PreTokeniser, ErrorsNameWhatIsWrong) {
  const auto error_of = [](const json& document) {
    try {
      read_pre_tokeniser(Json(document, "pre_tokenizer"));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_of({{"type", "Magic"}}), testing::HasSubstr("'Magic'"));
  EXPECT_THAT(error_of({{"type", "Punctuation"}, {"behavior", "Odd"}}),
              testing::HasSubstr("behavior: 'Odd', expected one of Removed"));
  EXPECT_THAT(error_of({{"type", "Split"}, {"pattern", {{"Regex", "(("}}}}),
              testing::HasSubstr("'(('"));
}

}  // namespace
}  // namespace kith::tokenizer
