// kith data mine.
#include <gmock/gmock.h>

#include "cli/test_tool.h"

namespace kith::cli {
namespace {

class MineTool : public ToolTest {
 protected:
  void SetUp() override {
    std::string lines;
    for (int i = 0; i < 12; ++i) {
      const std::string number = std::string("w").append(std::to_string(i));
      const std::string next = std::string("w").append(std::to_string(i + 1));
      lines += nlohmann::json({{"query", std::string(number).append(" ").append(next)},
                               {"positive", std::string("is ").append(number).append(" mail")},
                               {"source", "s"},
                               {"scores", {1}}})
                   .dump() +
               "\n";
    }
    write_file(path("pairs.jsonl"), lines);
    make_words("words.txt", 20, 8, 1);
    ASSERT_EQ(kith({"model", "import", "words.txt", "-o", "words"}).exit, 0);
  }

  std::vector<nlohmann::json> lines(const std::string& name) const {
    return Outcome{.exit = 0, .out = read_file(path(name)), .err = {}}.objects();
  }
};

TEST_F(MineTool, AddsTextsThatBm25FindsAndThatDontAnswer) {
  const Outcome outcome = kith({"data", "mine", "pairs.jsonl", "--first", "1", "--last", "5", "-o",
                                "mined.jsonl", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto said = outcome.objects().at(0);
  EXPECT_EQ(said["pairs"], 12);
  EXPECT_EQ(said["queries"], 12);
  EXPECT_EQ(said["documents"], 12);
  EXPECT_EQ(said["negatives"], 11);
  EXPECT_EQ(said["none"], 1);
  EXPECT_EQ(said["fewer"], 12);
  const auto mined = lines("mined.jsonl");
  EXPECT_EQ(mined.at(3)["negatives"], nlohmann::json({"is w4 mail"}));
  EXPECT_EQ(mined.at(3)["positive"], "is w3 mail");
  EXPECT_EQ(mined.at(3)["source"], "s");
  EXPECT_FALSE(mined.at(3).contains("scores"));
  EXPECT_EQ(mined.at(11)["negatives"], nlohmann::json::array());
}

TEST_F(MineTool, AsksModelsAndWritesTheirScores) {
  write_file(path("corpus.txt"), "w1 w2 w3\nw4 w5 w6\n");
  const Outcome outcome =
      kith({"data",     "mine",     "pairs.jsonl", "--by",        "bm25", "--by",
            "words",    "--corpus", "corpus.txt",  "--first",     "1",    "--last",
            "9",        "--count",  "3",           "--max-ratio", "0.9",  "--random",
            "--scores", "-o",       "mined.jsonl", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().at(0)["documents"], 14);
  for (const auto& line : lines("mined.jsonl")) {
    ASSERT_EQ(line["scores"].size(), 1 + line["negatives"].size());
    for (std::size_t n = 1; n < line["scores"].size(); ++n) {
      EXPECT_LE(line["scores"][n].get<double>(), 0.9 * line["scores"][0].get<double>() + 1e-6);
    }
  }
}

TEST_F(MineTool, ErrorsSayWhatWasExpected) {
  write_file(path("bad.jsonl"), "{\"query\": \"q\", \"positive\": \"p\"}\n{\"query\": \"q\"}\n");
  write_file(path("empty.jsonl"), "\n");
  const auto fails = [&](std::vector<std::string> arguments, int exit,
                         const std::vector<std::string>& said) {
    arguments.insert(arguments.begin(), {"data", "mine", "-o", "out.jsonl"});
    expect_error(arguments, exit, said);
  };
  fails({"bad.jsonl"}, 1, {"bad.jsonl: line 2: positive"});
  fails({"empty.jsonl"}, 2, {"empty.jsonl: no pair"});
  fails({"none.jsonl"}, 1, {"none.jsonl: cannot be read"});
  fails({"pairs.jsonl", "--by", "none"}, 1, {"none"});
  fails({"pairs.jsonl", "--first", "9", "--last", "8"}, 2, {"ranks 9 to 8"});
  fails({"pairs.jsonl", "--scores"}, 2, {"--scores", "--teacher FOLDER"});
  fails({"pairs.jsonl", "--max-ratio", "0"}, 2, {"--max-ratio"});
  fails({"pairs.jsonl", "--query", "text"}, 1, {"pairs.jsonl: line 1"});
  expect_error({"data", "mine", "pairs.jsonl", "-o", "pairs.jsonl"}, 2, {"pairs.jsonl"});
}

}  // namespace
}  // namespace kith::cli
