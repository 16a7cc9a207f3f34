#include "kith/passages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "kith/error.h"
#include "kith/tokenizer.h"
#include "text/tokenizer/unicode.h"

namespace kith {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(std::string_view text, const std::vector<TextRange>& ranges) {
  std::vector<std::string> found;
  for (const TextRange range : ranges) found.emplace_back(range.of(text));
  return found;
}

TEST(Passages, ParagraphsAreBetweenBlankLines) {
  const std::string_view text = "\n one\ntwo \n \t\r\nthree\n\n\n";
  EXPECT_THAT(texts(text, paragraphs(text)), ElementsAre("one\ntwo", "three"));
  EXPECT_TRUE(paragraphs(" \n\n").empty());
}

TEST(Passages, SentencesRunOverLineEndsAndAbbreviations) {
  const std::string_view text = "It was Mr. Smith. He left at\n5.30 p.m. sharp!\n\nA title\n\nEnd";
  EXPECT_THAT(texts(text, sentences(text)),
              ElementsAre("It was Mr. Smith.", "He left at\n5.30 p.m. sharp!", "A title", "End"));
  const std::string_view chinese = "\u4f60\u597d\u3002\u518d\u89c1\u3002";
  EXPECT_THAT(texts(chinese, sentences(chinese)),
              ElementsAre("\u4f60\u597d\u3002", "\u518d\u89c1\u3002"));
}

TEST(Passages, EndWithSentencesAndRepeatWholeOnes) {
  const std::string_view text = "One two three. Four five. Six seven. Eight nine ten.";
  EXPECT_THAT(texts(text, passages(text, {.length = 6, .overlap = 3})),
              ElementsAre("One two three. Four five.", "Four five. Six seven.",
                          "Six seven. Eight nine ten."));
}

TEST(Passages, PreferTheEndsOfParagraphs) {
  const std::string_view text = "One two.\n\nThree four. Five six seven.";
  EXPECT_THAT(texts(text, passages(text, {.length = 4, .overlap = 0})),
              ElementsAre("One two.", "Three four.", "Five six seven."));
}

TEST(Passages, RefuseAnOverlapThatLeavesNothingNew) {
  EXPECT_THROW(passages("a", {.length = 4, .overlap = 4}), Error);
  EXPECT_TRUE(passages("", {}).empty());
  EXPECT_TRUE(passages(" \n ", {}).empty());
}

std::string random_text() {
  std::string text;
  for (const auto& part :
       *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
           "word", "a", " ", " ", ". ", "\n", "\n\n", "e\u0301\u0302", "\u4e2d\u6587", "!",
           "\U0001F468\u200D\U0001F469", "unaffablenesses", "\xff", "\u0e20\u0e32\u0e29\u0e32"))) {
    text += part;
  }
  return text;
}

// Every byte but white space lies in a passage, passages go on, and no cut is within a grapheme.
void check_cover(const std::string& text, const std::vector<TextRange>& found) {
  const auto ends = tokenizer::grapheme_ends(text);
  std::set<std::size_t> allowed(ends.begin(), ends.end());
  allowed.insert(0);
  std::size_t covered = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    RC_ASSERT(found[i].begin < found[i].end);
    RC_ASSERT(allowed.contains(found[i].begin));
    RC_ASSERT(allowed.contains(found[i].end));
    RC_ASSERT(found[i].end > covered);
    for (; covered < found[i].begin; ++covered) {
      RC_ASSERT(std::isspace(static_cast<unsigned char>(text[covered])));
    }
    covered = found[i].end;
  }
  for (; covered < text.size(); ++covered) {
    RC_ASSERT(std::isspace(static_cast<unsigned char>(text[covered])));
  }
}

TEST(Passages, CoverTheTextByWordsWithoutCuttingGraphemes) {
  const bool held = rc::check("", [] {
    const std::string text = random_text();
    const auto length = *rc::gen::inRange<std::size_t>(1, 12);
    const auto overlap = *rc::gen::inRange<std::size_t>(0, length);
    check_cover(text, passages(text, {.length = length, .overlap = overlap}));
  });
  EXPECT_TRUE(held);
}

TEST(Passages, HoldNoMoreTokensThanAskedFor) {
  for (const char* name : {"bert", "gpt2-6k", "use"}) {
    const Tokenizer tokenizer =
        Tokenizer::open(std::string(KITH_TEST_FILES "tokens/") + name + ".json");
    const bool held = rc::check(name, [&] {
      const std::string text = random_text();
      const auto length = *rc::gen::inRange<std::size_t>(1, 24);
      const auto overlap = *rc::gen::inRange<std::size_t>(0, length);
      const auto found =
          passages(text, {.length = length, .overlap = overlap, .tokenizer = &tokenizer});
      check_cover(text, found);
      for (const TextRange range : found) {
        const auto tokens = tokenizer.encode(range.of(text), {.special_tokens = false}).ids.size();
        RC_ASSERT(tokens <= length || tokenizer::grapheme_ends(range.of(text)).size() == 1);
      }
    });
    EXPECT_TRUE(held);
  }
}

}  // namespace
}  // namespace kith
