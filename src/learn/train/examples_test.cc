#include "learn/train/examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "formats/test_files.h"
#include "kith/error.h"

namespace kith::learn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Examples : public testing::Test {
 protected:
  SourceOptions source(const std::string& lines, const std::string& name = "pairs.jsonl") const {
    formats::write_bytes(folder_.file(name), lines);
    SourceOptions options;
    options.files = {folder_.file(name)};
    return options;
  }
  std::string refused(const std::string& lines) const {
    return error_of([&] { read_examples(source(lines)); });
  }

  formats::TemporaryFolder folder_;
};

TEST_F(Examples, AreReadWithAllTheirMembers) {
  const auto read = read_examples(source(
      R"({"query": "q", "positive": "p", "negatives": ["m", "n"], "score": 0.5, "scores": [3, 2, 1]})"
      "\n\n"
      R"({"query": "r", "positive": "s", "negatives": "t"})"));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].query, "q");
  EXPECT_EQ(read[0].positive, "p");
  EXPECT_THAT(read[0].negatives, ElementsAre("m", "n"));
  EXPECT_EQ(read[0].score, 0.5);
  EXPECT_THAT(read[0].scores, ElementsAre(3, 2, 1));
  EXPECT_THAT(read[1].negatives, ElementsAre("t"));
  EXPECT_EQ(read[1].score, 1);
  EXPECT_TRUE(read[1].scores.empty());
}

TEST_F(Examples, AreReadByOtherNamesToo) {
  SourceOptions options = source(R"({"anchor": "q", "text": "p", "hard": "n"})");
  options.query = "anchor";
  options.positive = "text";
  options.negatives = "hard";
  const auto read = read_examples(options);
  EXPECT_EQ(read[0].query + read[0].positive + read[0].negatives[0], "qpn");
}

TEST_F(Examples, OfAllFilesEndAtTheLimit) {
  const std::string line = "{\"query\": \"q\", \"positive\": \"p\"}\n";
  SourceOptions options = source(line + line, "a.jsonl");
  options.files.push_back(source(line + line, "b.jsonl").files[0]);
  EXPECT_EQ(read_examples(options).size(), 4u);
  options.limit = 3;
  EXPECT_EQ(read_examples(options).size(), 3u);
}

TEST_F(Examples, ThatCantBeAreRefusedWithFileLineAndValue) {
  const std::string good = "{\"query\": \"q\", \"positive\": \"p\"}\n";
  EXPECT_THAT(refused(good + "{\"query\": \"q\", \"posi\n"), HasSubstr("pairs.jsonl: line 2"));
  EXPECT_THAT(refused(good + "[1]\n"), HasSubstr("pairs.jsonl: line 2"));
  EXPECT_THAT(refused("{\"positive\": \"p\"}"), HasSubstr("pairs.jsonl: line 1: no \"query\""));
  EXPECT_THAT(refused("{\"query\": \"q\"}"), HasSubstr("pairs.jsonl: line 1: positive: missing"));
  EXPECT_THAT(refused(R"({"query": "q", "positive": ""})"),
              HasSubstr("line 1: positive: \"\", expected a text that isn't empty"));
  EXPECT_THAT(refused(R"({"query": "q", "positive": "p", "negatives": [1]})"),
              HasSubstr("line 1: negatives"));
  EXPECT_THAT(refused(R"({"query": "q", "positive": "p", "score": NaN})"), HasSubstr("line 1"));
  EXPECT_THAT(refused(R"({"query": "q", "positive": "p", "score": "much"})"),
              HasSubstr("line 1: score: \"much\""));
  EXPECT_THAT(refused(R"({"query": "q", "positive": "p", "scores": [NaN]})"), HasSubstr("line 1"));
  EXPECT_THAT(refused(R"({"query": "q", "positive": "p", "scores": [1, 2]})"),
              HasSubstr("line 1: scores: [1,2], expected 1 numbers"));
  EXPECT_THAT(refused(R"({"query": "q", "positive": "p", "scores": [1e999]})"),
              HasSubstr("line 1"));
  EXPECT_THAT(refused("\n"), HasSubstr("pairs.jsonl: no example"));
  SourceOptions none;
  none.files = {folder_.file("none.jsonl")};
  EXPECT_THAT(error_of([&] { read_examples(none); }), HasSubstr("none.jsonl: cannot be read"));
}

}  // namespace
}  // namespace kith::learn
