#include "kith/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "kith/error.h"
#include "text/tokenizer/test_json.h"

namespace kith::tokenizer {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

json words() {
  json document = word_level({"a", "b", "c", "d"});  // 1 to 4
  document["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  return document;
}

json with_specials() {
  json document = words();
  document["post_processor"] = {
      {"type", "BertProcessing"}, {"cls", {"[CLS]", 8}}, {"sep", {"[SEP]", 9}}};
  return document;
}

TEST(Tokenizer, PutsSpecialTokensAroundTextsAndPairs) {
  const Tokenizer tokenizer = tokenizer_of(with_specials());
  const Encoding single = tokenizer.encode("a b");
  EXPECT_THAT(single.ids, ElementsAre(8, 1, 2, 9));
  EXPECT_THAT(single.special, ElementsAre(1, 0, 0, 1));
  const Encoding pair = tokenizer.encode("a", "b c");
  EXPECT_THAT(pair.ids, ElementsAre(8, 1, 9, 2, 3, 9));
  EXPECT_THAT(pair.types, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(tokenizer.encode("a b", {.special_tokens = false}).ids, ElementsAre(1, 2));
}

TEST(Tokenizer, EveryPostProcessorHasItsForm) {
  json document = words();
  document["post_processor"] = {
      {"type", "RobertaProcessing"}, {"cls", {"<s>", 8}}, {"sep", {"</s>", 9}}};
  EXPECT_THAT(tokenizer_of(document).encode("a", "b").ids, ElementsAre(8, 1, 9, 9, 2, 9));
  const auto text = [](const char* id, int type) {
    return json{{"Sequence", {{"id", id}, {"type_id", type}}}};
  };
  const json special = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  json form = {{"type", "TemplateProcessing"},
               {"single", {special, text("A", 0)}},
               {"pair", {special, text("B", 0), text("A", 5)}},
               {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {8, 9}}}}}}};
  document["post_processor"] = {{"type", "Sequence"},
                                {"processors", {{{"type", "ByteLevel"}}, form}}};
  const Tokenizer tokenizer = tokenizer_of(document);
  EXPECT_THAT(tokenizer.encode("a").ids, ElementsAre(8, 9, 1));
  EXPECT_THAT(tokenizer.encode("a", "b").ids, ElementsAre(8, 9, 2, 1));
  EXPECT_THAT(tokenizer.encode("a", "b").types, ElementsAre(0, 0, 0, 5));
}

TEST(Tokenizer, TruncatesWithWindowsThatShareAStride) {
  const Tokenizer tokenizer = tokenizer_of(with_specials());
  const Truncation four{.max_length = 4, .stride = 1};
  const Encoding cut = tokenizer.encode("a b c d", {.truncation = four});
  EXPECT_THAT(cut.ids, ElementsAre(8, 1, 2, 9));
  ASSERT_EQ(cut.overflow.size(), 2u);
  EXPECT_THAT(cut.overflow[0].ids, ElementsAre(8, 2, 3, 9));
  EXPECT_THAT(cut.overflow[1].ids, ElementsAre(8, 3, 4, 9));
  Truncation left = four;
  left.side = Side::left;
  EXPECT_THAT(tokenizer.encode("a b c d", {.truncation = left}).ids, ElementsAre(8, 3, 4, 9));
}

TEST(Tokenizer, TruncatesPairsByStrategy) {
  const Tokenizer tokenizer = tokenizer_of(words());
  const auto cut = [&](std::string_view a, std::string_view b, std::size_t most,
                       Truncation::Strategy strategy) {
    return tokenizer
        .encode(a, b, {.truncation = Truncation{.max_length = most, .strategy = strategy}})
        .ids;
  };
  using enum Truncation::Strategy;
  EXPECT_THAT(cut("a a a a", "b b", 4, longest_first), ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(cut("a", "b b b b", 3, longest_first), ElementsAre(1, 2, 2));
  EXPECT_THAT(cut("a a a", "b b b", 3, longest_first), ElementsAre(1, 2, 2));
  EXPECT_THAT(cut("a a a", "b b", 3, only_first), ElementsAre(1, 2, 2));
  EXPECT_THAT(cut("a a a", "b b", 4, only_second), ElementsAre(1, 1, 1, 2));
  EXPECT_THROW(cut("a", "b b b", 3, only_first), Error);
}

TEST(Tokenizer, ImpossibleTruncationsAreRefused) {
  const Tokenizer tokenizer = tokenizer_of(with_specials());
  EXPECT_THROW(tokenizer.encode("a", {.truncation = Truncation{.max_length = 1}}), Error);
  EXPECT_THROW(tokenizer.encode("a b c", {.truncation = Truncation{.max_length = 4, .stride = 2}}),
               Error);
}

TEST(Tokenizer, PadsBatchesToOneLength) {
  json document = with_specials();
  document["padding"] = {
      {"strategy", "BatchLongest"}, {"direction", "Right"}, {"pad_id", 7},
      {"pad_type_id", 0},           {"pad_token", "[PAD]"}, {"pad_to_multiple_of", nullptr}};
  const Tokenizer tokenizer = tokenizer_of(document);
  const std::vector<std::string_view> texts = {"a", "a b c", ""};
  const auto padded = tokenizer.encode(texts);
  EXPECT_THAT(padded[0].ids, ElementsAre(8, 1, 9, 7, 7));
  EXPECT_THAT(padded[0].attention, ElementsAre(1, 1, 1, 0, 0));
  EXPECT_THAT(padded[2].ids, ElementsAre(8, 9, 7, 7, 7));
  const Padding left{.length = 3, .multiple_of = 4, .side = Side::left, .id = 6};
  EXPECT_THAT(tokenizer.encode("a", {.padding = left}).ids, ElementsAre(6, 8, 1, 9));
  EXPECT_THAT(tokenizer.encode("a", {.use_file = false}).ids, ElementsAre(8, 1, 9));
}

json added(const char* content, int id, const json& options = {}) {
  json token = {{"content", content}, {"id", id}, {"special", true}, {"normalized", false}};
  if (!options.is_null()) token.update(options);
  return token;
}

TEST(Tokenizer, FindsAddedTokensBeforeAnythingElse) {
  json document = words();
  document["normalizer"] = {{"type", "Lowercase"}};
  document["added_tokens"] = {added("<X>", 20), added("<X>Y", 21),
                              added("Z", 22, {{"normalized", true}})};
  const Tokenizer tokenizer = tokenizer_of(document);
  EXPECT_THAT(tokenizer.encode("A<X>b <X>Y").ids, ElementsAre(1, 20, 2, 21));
  EXPECT_THAT(tokenizer.encode("az A<x>").ids, ElementsAre(1, 22, 0));  // "<x>" isn't "<X>"
}

TEST(Tokenizer, AddedTokensMayStandAloneAndTakeSpaces) {
  json document = word_level({"a", " a", "a "});
  document["added_tokens"] = {added("W", 20, {{"single_word", true}}),
                              added("L", 21, {{"lstrip", true}}),
                              added("R", 22, {{"rstrip", true}})};
  const Tokenizer tokenizer = tokenizer_of(document);
  EXPECT_THAT(tokenizer.encode("aWa").ids, ElementsAre(0));
  EXPECT_THAT(tokenizer.encode("W").ids, ElementsAre(20));
  EXPECT_THAT(tokenizer.encode("a L a").ids, ElementsAre(1, 21, 2));
  EXPECT_THAT(tokenizer.encode("a R a").ids, ElementsAre(3, 22, 1));
}

TEST(Tokenizer, MendsAndCountsBytesThatAreNoUtf8) {
  json document = word_level({"a\ufffd"});
  const Encoding encoding = tokenizer_of(document).encode("a\xff");
  EXPECT_THAT(encoding.ids, ElementsAre(1));
  EXPECT_EQ(encoding.invalid_bytes, 1u);
}

std::string decoded(const json& decoder, const std::vector<std::string>& tokens) {
  json document = word_level(tokens);
  document["decoder"] = decoder;
  const Tokenizer tokenizer = tokenizer_of(document);
  Ids ids;
  for (const std::string& token : tokens) ids.push_back(*tokenizer.id(token));
  return tokenizer.decode(ids);
}

TEST(Tokenizer, EveryDecoderWritesText) {
  EXPECT_EQ(decoded(nullptr, {"a", "b"}), "a b");
  EXPECT_EQ(decoded({{"type", "WordPiece"}}, {"un", "##able", ",", "he", "##'s"}), "unable, he's");
  EXPECT_EQ(decoded({{"type", "ByteLevel"}}, {"a\u0120", "\u00c3", "\u00a9", "\u4e2d"}),
            "a \u00e9\u4e2d");
  EXPECT_EQ(decoded({{"type", "Metaspace"}}, {"\u2581"
                                              "a",
                                              "b",
                                              "\u2581"
                                              "c"}),
            "ab c");
  EXPECT_EQ(decoded({{"type", "BPEDecoder"}}, {"a", "b</w>", "c</w>"}), "ab c");
  EXPECT_EQ(decoded({{"type", "ByteFallback"}}, {"a", "<0xC3>", "<0xA9>", "b", "<0xFF>"}),
            "a\u00e9"
            "b\ufffd");
  EXPECT_EQ(decoded({{"type", "Strip"}, {"content", "_"}, {"start", 1}, {"stop", 2}}, {"__a___"}),
            "_a_");
  const json llama = {
      {"type", "Sequence"},
      {"decoders",
       {{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
        {{"type", "ByteFallback"}},
        {{"type", "Fuse"}},
        {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  EXPECT_EQ(decoded(llama, {"\u2581"
                            "a",
                            "\u2581"
                            "b",
                            "<0x21>"}),
            "a b!");
}

TEST(Tokenizer, DecodingLeavesOutSpecialTokensOnRequest) {
  json document = words();
  document["added_tokens"] = {added("<X>", 20)};
  const Tokenizer tokenizer = tokenizer_of(document);
  EXPECT_EQ(tokenizer.decode(Ids{1, 20}), "a");
  EXPECT_EQ(tokenizer.decode(Ids{1, 20}, false), "a <X>");
  EXPECT_THROW(tokenizer.decode(Ids{99}), Error);
  EXPECT_EQ(tokenizer.vocabulary_size(), 6u);
  EXPECT_EQ(tokenizer.token(20), "<X>");
}

TEST(Tokenizer, ConcurrentEncodingsAreThoseOfOneThread) {
  const Tokenizer tokenizer = Tokenizer::open(KITH_TEST_FILES "tokens/bert.json");
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i)
    texts.push_back("text number " + std::to_string(i * 7919) + " unaffable");
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  TokenizeOptions one, four;
  one.control.threads = 1;
  four.control.threads = 4;
  const auto expected = tokenizer.encode(views, one);
  const auto found = tokenizer.encode(views, four);
  for (std::size_t i = 0; i < views.size(); ++i) EXPECT_EQ(found[i].ids, expected[i].ids);
}

std::string error_of(const std::string& text) {
  try {
    Tokenizer::parse(text, "x.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Tokenizer, ErrorsNameFileAndPart) {
  EXPECT_THAT(error_of("{"), HasSubstr("x.json: "));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("x.json: model: missing"));
  json document = words();
  document["decoder"] = {{"type", "CTC"}};
  EXPECT_THAT(error_of(document.dump()), HasSubstr("x.json: decoder: decoder 'CTC' is not known"));
  document = words();
  document["truncation"] = {{"max_length", 5}, {"strategy", "Odd"}};
  EXPECT_THAT(error_of(document.dump()), HasSubstr("x.json: truncation.strategy: 'Odd'"));
  document = with_specials();
  document["post_processor"]["cls"] = 5;
  EXPECT_THAT(error_of(document.dump()), HasSubstr("post_processor.cls: expected an array"));
  EXPECT_THROW(Tokenizer::open("/nonexistent/tokenizer.json"), Error);
}

// FNV-1a of the ids' bytes, as tests/tokenizers/reference.mjs writes it.
std::string checksum(const Ids& ids) {
  std::uint32_t sum = 0x811c9dc5;
  for (const std::uint32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8) sum = (sum ^ (id >> shift & 255)) * 0x01000193;
  }
  char text[9];
  std::snprintf(text, sizeof text, "%08x", sum);
  return text;
}

std::vector<std::string> columns(const std::string& line) {
  std::vector<std::string> found;
  std::istringstream in(line);
  for (std::string column; std::getline(in, column, '\t');) found.push_back(column);
  return found;
}

TEST(Tokenizer, IdsAreThoseOfTheReferenceInEveryLanguage) {
  std::ifstream in(KITH_TEST_FILES "tokens/texts.tsv");
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  const auto header = columns(line);
  std::vector<Tokenizer> tokenizers;
  for (std::size_t i = 1; i + 1 < header.size(); ++i) {
    tokenizers.push_back(Tokenizer::open(KITH_TEST_FILES "tokens/" + header[i] + ".json"));
  }
  ASSERT_EQ(tokenizers.size(), 3u);
  std::size_t texts = 0;
  for (; std::getline(in, line); ++texts) {
    const auto row = columns(line);
    ASSERT_EQ(row.size(), header.size());
    for (std::size_t i = 0; i < tokenizers.size(); ++i) {
      EXPECT_EQ(checksum(tokenizers[i].encode(row.back()).ids), row[i + 1])
          << header[i + 1] << ", " << row[0] << ": " << row.back();
    }
  }
  EXPECT_GT(texts, 3000u);
}

}  // namespace
}  // namespace kith::tokenizer
