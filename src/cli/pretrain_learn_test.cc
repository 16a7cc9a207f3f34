// kith pretrain.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/test_tool.h"
#include "encode/model_folder.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class PretrainTool : public ToolTest {
 protected:
  void SetUp() override {
    std::string texts;
    for (int i = 0; i < 200; ++i) {
      texts += "reader " + std::to_string(i % 7) + " of mails and pictures " +
               std::to_string(i % 5) + "\n";
    }
    encode::write_text(path("texts.txt"), texts);
    const Outcome outcome =
        kith({"train", "tokenizer", "texts.txt", "--vocab", "60", "-o", "tokenizer.json"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
  }

  // A small model from options alone.
  Outcome pretrain(const std::string& output, const std::vector<std::string>& more,
                   const std::string& texts = "texts.txt") const {
    std::vector<std::string> arguments = {"pretrain",       "--texts", texts,  "--tokenizer",
                                          "tokenizer.json", "-o",      output, "--json"};
    for (const char* setting :
         {"model.architecture.layers=1", "model.architecture.width=16",
          "model.architecture.heads=2", "train.steps=6", "train.batch=8", "train.tokens=32"}) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return kith(arguments);
  }
};

TEST_F(PretrainTool, WritesAModelThatEmbedAndTrainTakeAtOnce) {
  const Outcome outcome = pretrain("base", {"--objective", "mlm"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json.at("steps"), 6);
  EXPECT_GT(json.at("first_loss"), 0);
  EXPECT_EQ(kith({"embed", "texts.txt", "--model", "base", "-o", "x.npy"}).exit, 0);
  encode::write_text(path("pairs.jsonl"),
                     "{\"query\": \"reader 1\", \"positive\": \"mails\"}\n"
                     "{\"query\": \"reader 2\", \"positive\": \"pictures\"}\n");
  encode::write_text(path("recipe.toml"),
                     "output = \"trained\"\n[model]\nbase = \"base\"\n[[data]]\n"
                     "files = [\"pairs.jsonl\"]\n[train]\nsteps = 2\nbatch = 2\n");
  const Outcome trained = kith({"train", "recipe.toml"});
  EXPECT_EQ(trained.exit, 0) << trained.err;
}

TEST_F(PretrainTool, SeedsDecideAndOptionsOverruleTheRecipe) {
  const auto loss = [&](const std::string& output, const std::vector<std::string>& more) {
    const Outcome outcome = pretrain(output, more);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome.exit == 0 ? nlohmann::json::parse(outcome.out).at("last_loss").get<double>() : 0;
  };
  encode::write_text(path("recipe.toml"), "[train]\nseed = 3\nsteps = 100000\n");
  const double of_recipe = loss("a", {"recipe.toml"});
  EXPECT_EQ(loss("b", {"--seed", "3"}), of_recipe);
  EXPECT_NE(loss("c", {"--seed", "4"}), of_recipe);
}

TEST_F(PretrainTool, SeveralProcessesLearnTheSame) {
  const auto loss = [&](const std::string& output, const std::string& processes) {
    const Outcome outcome = pretrain(output, {"--processes", processes, "--set", "train.dropout=0",
                                              "--set", "train.attention_dropout=0"});
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome.exit == 0 ? nlohmann::json::parse(outcome.out).at("last_loss").get<double>() : 0;
  };
  const double alone = loss("alone", "1");
  EXPECT_NEAR(loss("together", "2"), alone, 1e-4 * alone);
  EXPECT_EQ(kith({"embed", "texts.txt", "--model", "together", "-o", "x.npy"}).exit, 0);
}

TEST_F(PretrainTool, SaysWhatIsMissing) {
  const Outcome nothing = kith({"pretrain"});
  EXPECT_EQ(nothing.exit, 2);
  EXPECT_THAT(nothing.err, HasSubstr("no recipe"));
  const Outcome wrong = pretrain("wrong", {"--objective", "words"});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_THAT(wrong.err, HasSubstr("mlm"));
  EXPECT_FALSE(std::filesystem::exists(path("wrong")));
  const Outcome absent = pretrain("absent", {}, "none.txt");
  EXPECT_EQ(absent.exit, 1);
  EXPECT_THAT(absent.err, HasSubstr("none.txt"));
}

}  // namespace
}  // namespace kith::cli
