#include "papers/common/trained_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/read_file.h"
#include "base/test_path.h"
#include "kith/error.h"

namespace kith::papers {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

int trainings = 0;

// Stands for libkith-learn: the "model" is the recipe.
learn::TrainSummary copy_recipe(const learn::TrainRequest& request) {
  ++trainings;
  const std::string recipe = read_file(request.recipe);
  learn::TrainSummary summary;
  summary.cpu_seconds = 1.5;
  summary.output = recipe.substr(recipe.find('"') + 1);
  summary.output.resize(summary.output.find('"'));
  std::filesystem::create_directories(summary.output + "/training");
  std::ofstream(summary.output + "/config.json") << recipe;
  return summary;
}

const learn::Registry& stand_in() {
  static const learn::Registry registry = [] {
    learn::Registry filled;
    filled.train = copy_recipe;
    return filled;
  }();
  return registry;
}

class TrainedModels : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(cache_);
    write("pairs.jsonl", "one");
    trainings = 0;
  }
  void TearDown() override { std::filesystem::remove_all(cache_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(cache_ + "/" + name) << text;
  }
  std::string recipe() const { return "[[data]]\nfiles = [\"" + cache_ + "/pairs.jsonl\"]\n"; }

  const std::string cache_ = test_path("cache");
  const Trial trial_{1, false, cache_, {}, [](std::size_t, std::size_t) {}, stand_in};
};

TEST_F(TrainedModels, AreTrainedOnce) {
  const std::string folder = trained(trial_, "small", recipe());
  EXPECT_THAT(folder, StartsWith(cache_ + "/models/small-"));
  EXPECT_THAT(read_file(folder + "/config.json"),
              HasSubstr("output = \"" + folder + "\"\n[[data]]"));
  EXPECT_EQ(training_seconds(folder), 1.5);
  EXPECT_EQ(trained(trial_, "small", recipe()), folder);
  EXPECT_EQ(trainings, 1);
}

TEST_F(TrainedModels, AreOthersWhenRecipeOrDataDiffer) {
  const std::string first = trained(trial_, "small", recipe());
  EXPECT_NE(trained(trial_, "small", recipe() + "limit = 3\n"), first);
  write("pairs.jsonl", "two");
  EXPECT_NE(trained(trial_, "small", recipe()), first);
  EXPECT_EQ(trainings, 3);
}

TEST_F(TrainedModels, AreKnownByTheirBasesContentNotItsPlaceOrLog) {
  const auto with_base = [&](const std::string& base) {
    return "[model]\nbase = \"" + cache_ + "/" + base + "\"\n";
  };
  const auto mined_by = [&](const std::string& base) {
    return "[data.mine]\nby = [\"codes:" + cache_ + "/" + base + "\"]\n";
  };
  for (const char* base : {"one", "two"}) {
    std::filesystem::create_directories(cache_ + "/" + base + "/training");
    write(base + std::string("/config.json"), "same");
    write(base + std::string("/training/log.jsonl"), base);
  }
  const std::string one = model_folder(trial_, "m", with_base("one"));
  const std::string by_one = model_folder(trial_, "m", mined_by("one"));
  EXPECT_EQ(model_folder(trial_, "m", with_base("two")), one);
  EXPECT_EQ(model_folder(trial_, "m", mined_by("two")), by_one);
  write("two/config.json", "another");
  EXPECT_NE(model_folder(trial_, "m", with_base("two")), one);
  EXPECT_NE(model_folder(trial_, "m", mined_by("two")), by_one);
}

TEST_F(TrainedModels, NeedSomethingThatTrains) {
  EXPECT_THROW(pretrained(trial_, "small", recipe()), Error);
  const Trial alone(1, false, cache_, {}, [](std::size_t, std::size_t) {});
  EXPECT_THROW(trained(alone, "small", recipe()), Error);
}

TEST(TomlList, QuotesTextsAlone) {
  EXPECT_EQ(toml_list(std::vector<std::string>{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(toml_list(std::vector<std::size_t>{1, 23}), "[1, 23]");
}

}  // namespace
}  // namespace kith::papers
