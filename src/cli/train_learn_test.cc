// kith train RECIPE.toml.
#include <gmock/gmock.h>

#include "cli/test_tool.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class TrainRecipe : public ToolTest {
 protected:
  void SetUp() override {
    std::string lines, texts;
    for (int i = 0; i < 30; ++i) {
      const std::string number = std::to_string(i);
      lines += nlohmann::json({{"query", "reads mail " + number},
                               {"positive", number + " is a program for letters"}})
                   .dump() +
               "\n";
      texts += "reads mail " + number + " is a program for letters\n";
    }
    write_file(path("pairs.jsonl"), lines);
    write_file(path("texts.txt"), texts);
    write_file(path("recipe.toml"), R"(output = "trained"
[model.architecture]
layers = 1
width = 16
heads = 2
max_tokens = 16
tokenizer = "tokenizer.json"
[[data]]
files = ["pairs.jsonl"]
[train]
steps = 20
batch = 10
learning_rate = 3e-3
[validation]
files = ["pairs.jsonl"]
)");
    const Outcome outcome =
        kith({"train", "tokenizer", "texts.txt", "--vocab", "100", "-o", "tokenizer.json"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
  }

  nlohmann::json train(std::vector<std::string> settings) const {
    std::vector<std::string> arguments = {"train", "recipe.toml", "--json"};
    for (std::string& setting : settings) arguments.push_back(std::move(setting));
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome.objects().at(0);
  }
  std::string weights(const std::string& folder) const {
    return read_file(path(folder + "/model.safetensors"));
  }
};

TEST_F(TrainRecipe, WritesAFolderThatEmbedRuns) {
  const auto said = train({});
  EXPECT_EQ(said["output"], "trained");
  EXPECT_EQ(said["steps"], 20);
  EXPECT_EQ(said["trained"], said["parameters"]);
  EXPECT_EQ(said["candidates"], 10);
  EXPECT_LT(said["last_loss"].get<double>(), said["first_loss"].get<double>());
  EXPECT_GT(said["mrr_at_10"].get<double>(), 0);
  EXPECT_GT(said["tokens_per_second"].get<double>(), 0);
  const Outcome outcome = kith({"embed", "texts.txt", "--model", "trained", "-o", "v.npy"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(read_vectors(path("v.npy")).rows.dim(), 16u);
  const std::string log = read_file(path("trained/training/log.jsonl"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 20 + 10);
  EXPECT_THAT(read_file(path("trained/training/curves.svg")), HasSubstr("</svg>"));
}

TEST_F(TrainRecipe, PrintsWhatItDidForPeople) {
  const Outcome outcome = kith({"train", "recipe.toml"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("loss at last"));
  EXPECT_THAT(outcome.out, HasSubstr("best MRR@10 of held-out data"));
}

TEST_F(TrainRecipe, SettingsOverruleTheRecipe) {
  const auto said = train({"--set", "train.steps=3", "--set", "output=other"});
  EXPECT_EQ(said["steps"], 3);
  EXPECT_EQ(said["output"], "other");
  EXPECT_THAT(read_file(path("other/training/recipe.toml")), HasSubstr("steps = 3"));
}

TEST_F(TrainRecipe, TheSeedDecidesTheWeights) {
  train({"--set", "output=a", "--seed", "7"});
  train({"--set", "output=b", "--seed", "7"});
  train({"--set", "output=c", "--seed", "8"});
  EXPECT_EQ(weights("a"), weights("b"));
  EXPECT_NE(weights("a"), weights("c"));
}

TEST_F(TrainRecipe, InterruptedGoesOnWithTheSameCommand) {
  train({"--set", "train.steps=400"});
  const std::vector<std::string> arguments = {"train",       "recipe.toml", "--set",
                                              "output=late", "--set",       "train.steps=400"};
  const pid_t child = start(arguments);
  ASSERT_TRUE(catches_interrupts(child));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ::kill(child, SIGINT);
  const Outcome interrupted = finish(child);
  // A fast machine may have ended by now.
  if (interrupted.exit != 0) {
    EXPECT_EQ(interrupted.exit, 130) << interrupted.err;
    EXPECT_THAT(interrupted.err, HasSubstr("steps are kept in late.checkpoint"));
    EXPECT_FALSE(std::filesystem::exists(path("late")));
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
  }
  EXPECT_EQ(weights("late"), weights("trained"));
  EXPECT_FALSE(std::filesystem::exists(path("late.checkpoint")));
}

TEST_F(TrainRecipe, SeveralProcessesLearnTheSame) {
  const auto without_dropout = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--set", "train.dropout=0", "--set", "train.attention_dropout=0"});
    return train(more);
  };
  const auto alone = without_dropout({});
  const auto together = without_dropout({"--processes", "2", "--set", "output=together"});
  EXPECT_EQ(together["steps"], 20);
  EXPECT_NEAR(together["last_loss"].get<double>(), alone["last_loss"].get<double>(), 1e-3);
  EXPECT_EQ(kith({"embed", "texts.txt", "--model", "together", "-o", "v.npy"}).exit, 0);
}

TEST_F(TrainRecipe, LateInteractionGoesFromTextsToSearch) {
  const std::vector<std::string> late = {"--set", "model.late_interaction.query_tokens=16", "--set",
                                         "model.dim=8"};
  const auto without_dropout = [&](std::vector<std::string> more) {
    more.insert(more.end(), late.begin(), late.end());
    more.insert(more.end(), {"--set", "train.dropout=0", "--set", "train.attention_dropout=0"});
    return train(more);
  };
  const auto alone = without_dropout({});
  const auto together = without_dropout({"--processes", "2", "--set", "output=together"});
  EXPECT_NEAR(together["last_loss"].get<double>(), alone["last_loss"].get<double>(), 1e-3);
  for (const auto& [more, output] : {std::pair<std::vector<std::string>, const char*>{{}, "d.npz"},
                                     {{"--queries"}, "q.jsonl"}}) {
    std::vector<std::string> embed = {"embed",   "pairs.jsonl", "--field", "positive", "--model",
                                      "trained", "-o",          output,    "--tokens"};
    embed.insert(embed.end(), more.begin(), more.end());
    const Outcome outcome = kith(embed);
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
  }
  ASSERT_EQ(kith({"build", "d.npz", "--multi", "--fde", "4,2,0", "-o", "d.kith"}).exit, 0);
  const Outcome found = kith({"search", "d.kith", "q.jsonl", "-k", "1", "--json"});
  ASSERT_EQ(found.exit, 0) << found.err;
  EXPECT_EQ(found.objects().size(), 30u);
  expect_error({"embed", "texts.txt", "--model", "trained", "-o", "v.npy"}, 1,
               {"a vector for each token", "--tokens"});
}

TEST_F(TrainRecipe, ProcessesMeetByTheEnvironmentOfTorch) {
  const std::vector<std::string> arguments = {"train", "recipe.toml", "--json"};
  const auto place = [](const char* rank) {
    ::setenv("WORLD_SIZE", "2", 1);
    ::setenv("RANK", rank, 1);
    ::setenv("MASTER_ADDR", "127.0.0.1", 1);
    ::setenv("MASTER_PORT", "29713", 1);
  };
  place("1");
  const pid_t second = start(arguments);
  place("0");
  const pid_t first = start(arguments);
  ::unsetenv("WORLD_SIZE");
  const Outcome other = finish(second), outcome = finish(first);
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(other.exit, 0) << other.err;
  EXPECT_EQ(weights("trained").empty(), false);
}

TEST_F(TrainRecipe, AKilledProcessEndsTheOthersWithItsFate) {
  const pid_t child =
      start({"train", "recipe.toml", "--processes", "3", "--set", "train.steps=1000000"});
  ASSERT_TRUE(catches_interrupts(child));
  std::vector<pid_t> others;
  while (others.size() < 3) {
    others.clear();
    std::ifstream children("/proc/" + std::to_string(child) + "/task/" + std::to_string(child) +
                           "/children");
    for (pid_t each = 0; children >> each;) others.push_back(each);
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));
  ::kill(others[2], SIGKILL);
  const Outcome outcome = finish(child);
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.err, "kith: process 2: ended by signal 9\n");
  for (const pid_t each : others) EXPECT_NE(::kill(each, 0), 0) << "one is still there";
}

TEST_F(TrainRecipe, ErrorsSayWhatWasExpected) {
  write_file(path("broken.jsonl"), "{\"query\": \"q\", \"positive\": \"p\"}\n{broken\n");
  std::filesystem::create_directory(path("full"));
  write_file(path("full/file"), "");
  const auto fails = [&](std::vector<std::string> arguments, int exit,
                         const std::vector<std::string>& said) {
    arguments.insert(arguments.begin(), "train");
    expect_error(arguments, exit, said);
  };
  const auto fails_with = [&](const std::string& setting, int exit,
                              const std::vector<std::string>& said) {
    fails({"recipe.toml", "--set", setting}, exit, said);
  };
  fails({}, 2, {"no recipe, expected a TOML file"});
  fails({"none.toml"}, 1, {"none.toml"});
  fails_with("train.speed=3", 2, {"train.speed: 3", "there are", "steps"});
  fails_with("train.steps=many", 2, {"train.steps: 'many'", "whole number"});
  fails_with("train", 2, {"'train'", "KEY=VALUE"});
  fails_with("output=full", 2, {"full: exists already", "new folder"});
  fails_with("data.0.files=none.jsonl", 1, {"none.jsonl: cannot be read"});
  fails_with("data.0.files=broken.jsonl", 1, {"broken.jsonl: line 2"});
  fails_with("model.architecture.tokenizer=none.json", 1, {"none.json"});
  fails({"recipe.toml", "--processes", "0"}, 2, {"--processes"});
  fails({"recipe.toml", "--processes", "2", "--set", "train.speed=3"}, 2, {"train.speed: 3"});
  ::setenv("WORLD_SIZE", "2", 1);
  ::setenv("RANK", "2", 1);
  fails({"recipe.toml"}, 2, {"RANK: '2'", "up to 1"});
  ::unsetenv("WORLD_SIZE");
  ::unsetenv("RANK");
  fails_with("train.device=abacus", 2, {"device 'abacus'", "cpu, cuda or cuda:N"});
}

}  // namespace
}  // namespace kith::cli
