// kith train.
#include <gmock/gmock.h>

#include "cli/test_tool.h"
#include "kith/tokenizer.h"

namespace kith::cli {
namespace {

class TrainTool : public ToolTest {
 protected:
  nlohmann::json train(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"train", "tokenizer"});
    arguments.insert(arguments.end(), {"-o", "tokenizer.json", "--json"});
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome.objects().at(0);
  }
};

TEST_F(TrainTool, EveryFormOfTextsGivesTheSameTokenizer) {
  write_file(path("a.txt"), "the cat sat\non the mat\n");
  write_file(path("a.jsonl"), "{\"text\": \"the cat sat\"}\n{\"text\": \"on the mat\"}\n");
  write_file(path("a.csv"), "n,body\n1,the cat sat\n2,on the mat\n");
  write_file(path("one.txt"), "the cat sat\n");
  write_file(path("two.txt"), "on the mat\n");
  const std::vector<std::vector<std::string>> inputs = {
      {"a.txt"}, {"a.jsonl"}, {"a.csv", "--field", "body"}, {"one.txt", "two.txt"}};
  std::string first;
  for (const auto& input : inputs) {
    const auto record = train(input);
    EXPECT_EQ(record["texts"], 2);
    EXPECT_EQ(record["words"], 6);
    EXPECT_EQ(record["distinct_words"], 5);
    EXPECT_EQ(record["unknown_rate"], 0);
    if (first.empty()) first = read_file(path("tokenizer.json"));
    EXPECT_EQ(read_file(path("tokenizer.json")), first);
  }
  const Tokenizer tokenizer = Tokenizer::open(path("tokenizer.json"));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("The cat sat").ids), "the cat sat");
}

TEST_F(TrainTool, SizesAndTypesAreThoseAskedFor) {
  write_file(path("a.txt"), "low low low lower lowest\nnewer wider wider\n");
  const auto bytes = train({"a.txt", "--type", "bpe", "--vocab", "262", "--special", "<a>,<b>"});
  EXPECT_EQ(bytes["vocabulary"], 262);
  EXPECT_EQ(bytes["letters"], 256);
  EXPECT_EQ(Tokenizer::open(path("tokenizer.json")).id("<b>"), 2u);
  const auto pieces = train({"a.txt", "--min-frequency", "100"});
  EXPECT_EQ(pieces["vocabulary"].get<int>(), pieces["letters"].get<int>() + 5);
}

TEST_F(TrainTool, ErrorsSayWhatWasExpected) {
  write_file(path("a.txt"), "some words\n");
  write_file(path("bad.txt"), "fine\nbad \xff\n");
  write_file(path("empty.txt"), "\n\n");
  const auto fails = [&](std::vector<std::string> arguments, int exit,
                         const std::vector<std::string>& said) {
    arguments.insert(arguments.begin(), {"train", "tokenizer", "-o", "t.json"});
    expect_error(arguments, exit, said);
  };
  fails({"a.txt", "--vocab", "9"}, 2, {"a vocabulary of 9 tokens, expected at least"});
  fails({"a.txt", "--type", "magic"}, 2, {"--type", "'magic'", "wordpiece, bpe or unigram"});
  fails({"empty.txt"}, 2, {"2 texts without a word"});
  fails({"none.txt"}, 1, {"none.txt: cannot be read"});
  fails({"bad.txt", "--strict"}, 1, {"bad.txt: line 2: byte 4"});
  expect_error({"train", "tokenizer", "a.txt", "-o", "a.txt"}, 2, {"a.txt"});
}

}  // namespace
}  // namespace kith::cli
