#include "text/tokenizer/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>

namespace kith::tokenizer {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<Model> model_of(const json& document) {
  return read_model(Json(document, "model"));
}

std::vector<TokenId> encode(const Model& model, std::string_view piece) {
  std::vector<TokenId> ids;
  model.encode(piece, ids);
  return ids;
}

std::string error_of(const json& document) {
  try {
    model_of(document);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

json word_piece() {
  return {{"type", "WordPiece"},
          {"unk_token", "[UNK]"},
          {"max_input_chars_per_word", 8},
          {"vocab",
           {{"[UNK]", 0}, {"un", 1}, {"##aff", 2}, {"##able", 3}, {"una", 4}, {"##\u00e9", 5}}}};
}

TEST(WordPieceModel, TakesTheLongestPieceFirst) {
  const auto model = model_of(word_piece());
  EXPECT_THAT(encode(*model, "unaffable"), ElementsAre(0));  // nine letters
  EXPECT_THAT(encode(*model, "unable"), ElementsAre(0));     // "una", then nothing fits "ble"
  EXPECT_THAT(encode(*model, "ununable"), ElementsAre(0));
  EXPECT_THAT(encode(*model, "unaff"), ElementsAre(0));
  EXPECT_THAT(encode(*model, "un\u00e9able"), ElementsAre(1, 5, 3));
}

TEST(WordPieceModel, CountsLettersRatherThanBytes) {
  const auto model = model_of(word_piece());
  EXPECT_THAT(encode(*model, "un\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"),
              ElementsAre(1, 5, 5, 5, 5, 5, 5));
  EXPECT_THAT(encode(*model, "un\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"), ElementsAre(0));
}

// Byte-pair encoding by its definition: merge the leftmost pair of the lowest rank, over and over.
std::vector<std::string> merged_slowly(
    std::vector<std::string> word, const std::vector<std::pair<std::string, std::string>>& merges) {
  for (;;) {
    std::size_t best = merges.size(), where = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      const auto found = std::find(merges.begin(), merges.end(), std::pair(word[i], word[i + 1]));
      const auto rank = static_cast<std::size_t>(found - merges.begin());
      if (rank < best) best = rank, where = i;
    }
    if (best == merges.size()) return word;
    word[where] += word[where + 1];
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(where) + 1);
  }
}

TEST(BpeModel, MergesAsTheDefinitionDoes) {
  const bool held = rc::check("", [] {
    std::vector<std::string> tokens = {"a", "b", "c"};
    std::vector<std::pair<std::string, std::string>> merges;
    const auto count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i) {
      const auto left = *rc::gen::elementOf(tokens), right = *rc::gen::elementOf(tokens);
      if (std::find(merges.begin(), merges.end(), std::pair(left, right)) != merges.end()) continue;
      merges.emplace_back(left, right);
      if (std::find(tokens.begin(), tokens.end(), left + right) == tokens.end()) {
        tokens.push_back(left + right);
      }
    }
    json vocab, list = json::array();
    for (std::size_t i = 0; i < tokens.size(); ++i) vocab[tokens[i]] = i;
    for (const auto& [left, right] : merges) list.push_back({left, right});
    const auto model = model_of({{"type", "BPE"}, {"vocab", vocab}, {"merges", list}});
    const auto text =
        *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c')));
    std::vector<std::string> letters;
    for (const char c : text) letters.emplace_back(1, c);
    std::vector<std::string> found;
    for (const TokenId id : encode(*model, text)) found.push_back(tokens[id]);
    RC_ASSERT(found == merged_slowly(letters, merges));
  });
  EXPECT_TRUE(held);
}

json small_bpe() {
  json vocab = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}, {"abab", 4}};
  return {{"type", "BPE"}, {"unk_token", "<unk>"}, {"vocab", vocab}, {"merges", {"a b"}}};
}

TEST(BpeModel, UnknownCharactersAreOneTokenOrBytes) {
  json document = small_bpe();
  EXPECT_THAT(encode(*model_of(document), "ab\u00e9\u00e9"), ElementsAre(3, 0, 0));
  document["fuse_unk"] = true;
  EXPECT_THAT(encode(*model_of(document), "ab\u00e9\u00e9a\u00e9"), ElementsAre(3, 0, 1, 0));
  document["byte_fallback"] = true;
  for (unsigned byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    document["vocab"][name] = 100 + byte;
  }
  EXPECT_THAT(encode(*model_of(document),
                     "\u00e9"
                     "ab"),
              ElementsAre(100 + 0xc3, 100 + 0xa9, 3));
  document["unk_token"] = nullptr;
  document["byte_fallback"] = false;
  EXPECT_THAT(encode(*model_of(document),
                     "a\u00e9"
                     "b"),
              ElementsAre(1, 2));
}

TEST(BpeModel, WholeWordsMayPassBeforeMerges) {
  json document = small_bpe();
  EXPECT_THAT(encode(*model_of(document), "abab"), ElementsAre(3, 3));
  document["ignore_merges"] = true;
  EXPECT_THAT(encode(*model_of(document), "abab"), ElementsAre(4));
}

TEST(BpeModel, PrefixesAndSuffixesMarkPartsOfWords) {
  const auto suffixed = model_of({{"type", "BPE"},
                                  {"end_of_word_suffix", "</w>"},
                                  {"vocab", {{"a", 0}, {"b</w>", 1}, {"ab</w>", 2}, {"a</w>", 3}}},
                                  {"merges", {"a b</w>"}}});
  EXPECT_THAT(encode(*suffixed, "ab"), ElementsAre(2));
  EXPECT_THAT(encode(*suffixed, "a"), ElementsAre(3));
  const auto prefixed = model_of({{"type", "BPE"},
                                  {"continuing_subword_prefix", "##"},
                                  {"vocab", {{"a", 0}, {"##b", 1}, {"ab", 2}}},
                                  {"merges", {"a ##b"}}});
  EXPECT_THAT(encode(*prefixed, "abb"), ElementsAre(2, 1));
}

using Scored = std::vector<std::pair<std::string, double>>;

// The best sum of scores over all ways to cut the text.
double best_sum(std::string_view text, const std::vector<std::pair<std::string, double>>& pieces) {
  if (text.empty()) return 0;
  double best = -std::numeric_limits<double>::infinity();
  for (const auto& [piece, score] : pieces) {
    if (text.starts_with(piece)) {
      best = std::max(best, score + best_sum(text.substr(piece.size()), pieces));
    }
  }
  return best;
}

TEST(UnigramModel, FindsTheBestOfAllCuts) {
  const bool held = rc::check("", [] {
    Scored pieces = {{"<unk>", 0}};
    for (const char* piece : {"a", "b", "ab", "ba", "aab", "bb", "abba"}) {
      pieces.emplace_back(piece, -*rc::gen::inRange(1, 1000) / 64.0);  // sums are exact
    }
    const auto model = model_of({{"type", "Unigram"}, {"unk_id", 0}, {"vocab", pieces}});
    auto text = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b')));
    text.resize(std::min<std::size_t>(text.size(), 12));
    std::string cut;
    double sum = 0;
    for (const TokenId id : encode(*model, text)) {
      cut += pieces[id].first;
      sum += pieces[id].second;
    }
    RC_ASSERT(cut == text);
    RC_ASSERT(sum == best_sum(text, {pieces.begin() + 1, pieces.end()}));
  });
  EXPECT_TRUE(held);
}

TEST(UnigramModel, UnknownCharactersInARowAreOneToken) {
  json document = {{"type", "Unigram"},
                   {"unk_id", 0},
                   {"vocab", Scored{{"<unk>", 0.0}, {"a", -1.0}, {"b", -2.0}}}};
  EXPECT_THAT(encode(*model_of(document),
                     "a\u00e9\u00e8"
                     "b\u00e9"),
              ElementsAre(1, 0, 2, 0));
  document["unk_id"] = nullptr;
  EXPECT_THROW(encode(*model_of(document), "\u00e9"), Error);
  EXPECT_THAT(encode(*model_of(document), "ab"), ElementsAre(1, 2));
}

TEST(WordLevelModel, KnowsWholeWordsOnly) {
  const auto model =
      model_of({{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"?", 7}, {"word", 3}}}});
  EXPECT_THAT(encode(*model, "word"), ElementsAre(3));
  EXPECT_THAT(encode(*model, "words"), ElementsAre(7));
}

TEST(TokenizerModel, ErrorsNameWhatIsWrong) {
  EXPECT_THAT(error_of({{"type", "Magic"}}), HasSubstr("model 'Magic'"));
  json document = small_bpe();
  document["dropout"] = 0.1;
  EXPECT_THAT(error_of(document), HasSubstr("model: dropout"));
  document = small_bpe();
  document["merges"] = {"a c"};
  EXPECT_THAT(error_of(document), HasSubstr("model: merges[0]: 'ac' is not in the vocabulary"));
  document["merges"] = {"abc"};
  EXPECT_THAT(error_of(document), HasSubstr("two tokens with a space between"));
  document = small_bpe();
  document["vocab"]["x"] = -1;
  EXPECT_THAT(error_of(document), HasSubstr("whole number"));
  document = word_piece();
  document["unk_token"] = "[NONE]";
  EXPECT_THAT(error_of(document), HasSubstr("'[NONE]' is not in the vocabulary"));
  EXPECT_THAT(error_of({{"type", "Unigram"}, {"unk_id", 5}, {"vocab", Scored{{"a", 0.0}}}}),
              HasSubstr("unk_id: 5, but there are 1 pieces"));
  EXPECT_THAT(error_of({{"type", "Unigram"}, {"vocab", json::array({json::array({"a"})})}}),
              HasSubstr("vocab[0]"));
}

}  // namespace
}  // namespace kith::tokenizer
