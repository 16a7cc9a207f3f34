// kith data vote.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/test_tool.h"
#include "formats/test_files.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class DataVote : public ToolTest {};

TEST_F(DataVote, WritesTheThoughtThatBm25FindsNearest) {
  formats::write_bytes(path("in.jsonl"),
                       "{\"query\": \"q\", \"positive\": \"a dog is an animal\", \"kept\": 1, "
                       "\"thoughts\": [\"a tree\", \"an animal\"]}\n"
                       "{\"query\": \"r\", \"positive\": \"x\", \"thoughts\": [\"y\"]}\n");
  const Outcome outcome = kith({"data", "vote", "in.jsonl", "-o", "out.jsonl", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out).at("chosen_2"), 1);
  std::istringstream lines(formats::file_bytes(path("out.jsonl")));
  std::string line;
  std::getline(lines, line);
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first.at("thought"), "an animal");
  EXPECT_EQ(first.at("kept"), 1);
}

TEST_F(DataVote, NamesTheLineThatIsWrong) {
  formats::write_bytes(path("in.jsonl"), "{\"positive\": \"a\", \"thoughts\": []}\n");
  const Outcome outcome = kith({"data", "vote", "in.jsonl", "-o", "out.jsonl"});
  EXPECT_NE(outcome.exit, 0);
  EXPECT_THAT(outcome.err, HasSubstr("line 1"));
  EXPECT_THAT(outcome.err, HasSubstr("thoughts"));
  EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
}

}  // namespace
}  // namespace kith::cli
