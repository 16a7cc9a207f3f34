#include "learn/train/hard_negatives.h"

#include <gmock/gmock.h>

#include "base/test_error.h"
#include "learn/torch.h"
#include "learn/train/test_recipes.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class MinedNegatives : public TinyTrainings {
 protected:
  void SetUp() override {
    TinyTrainings::SetUp();
    source_.files = {file("pairs.jsonl")};
    examples_ = read_examples(source_);
  }

  TextModel model(std::uint64_t seed = 3) const {
    TextModelOptions options;
    options.architecture = architecture();
    return TextModel(options, seed);
  }
  // The examples' negatives after a mining at step 0.
  std::vector<std::vector<std::string>> mined(const MineOptions& options, const TextModel& model) {
    std::vector<Example> examples = examples_;
    HardNegatives negatives(options, 1, examples);
    negatives.mine(0, model, source_, {}, examples, {});
    std::vector<std::vector<std::string>> all;
    for (const Example& each : examples) all.push_back(each.negatives);
    return all;
  }

  static MineOptions options_by(std::vector<std::string> by) {
    MineOptions options{.by = std::move(by)};
    options.negatives = {.first = 1, .last = 20, .count = 4, .max_ratio = 0.99, .fill = true};
    return options;
  }

  SourceOptions source_;
  std::vector<Example> examples_;
};

TEST_F(MinedNegatives, TakeThePlaceOfThoseOfTheFile) {
  for (const std::vector<std::string>& by :
       {std::vector<std::string>{"bm25"}, {"model"}, {"bm25", "model"}}) {
    const auto negatives = mined(options_by(by), model());
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      EXPECT_EQ(negatives[i].size(), 4u);
      for (const std::string& each : negatives[i]) {
        EXPECT_NE(each, examples_[i].positive);
        EXPECT_TRUE(std::ranges::any_of(examples_, [&](const Example& other) {
          return other.positive == each;
        })) << each;
      }
    }
  }
}

TEST_F(MinedNegatives, OfTheTrainedModelAreThoseOfItsFolder) {
  const TextModel trained = model();
  trained.save(file("trained"));
  EXPECT_EQ(mined(options_by({"model"}), trained), mined(options_by({file("trained")}), model(8)));
  EXPECT_NE(mined(options_by({"model"}), trained), mined(options_by({"model"}), model(8)));
}

TEST_F(MinedNegatives, ComeFromTheCorpusTooAndWithScoresWhereAskedFor) {
  formats::write_bytes(file("corpus.jsonl"), "{\"text\": \"" + examples_[0].query + " again\"}\n");
  MineOptions options = options_by({"bm25"});
  options.corpus = {file("corpus.jsonl")};
  options.teacher = "model";
  options.scores = true;
  options.negatives.max_ratio = 100;
  std::vector<Example> examples = examples_;
  HardNegatives negatives(options, 1, examples);
  negatives.mine(0, model(), source_, {}, examples, {});
  EXPECT_THAT(examples[0].negatives, testing::Contains(examples_[0].query + " again"));
  for (const Example& each : examples) {
    EXPECT_EQ(each.scores.size(), 1 + each.negatives.size());
  }
}

TEST_F(MinedNegatives, AreMinedAgainAfterSoManySteps) {
  MineOptions options = options_by({"model"});
  const HardNegatives fresh(options, 1, examples_);
  EXPECT_TRUE(fresh.is_due(0));
  options.every = 5;
  HardNegatives negatives(options, 1, examples_);
  negatives.mine(10, model(), source_, {}, examples_, {});
  EXPECT_FALSE(negatives.is_due(10));
  EXPECT_FALSE(negatives.is_due(14));
  EXPECT_TRUE(negatives.is_due(15));
}

TEST_F(MinedNegatives, ComeBackFromTheirState) {
  std::vector<Example> before = examples_, after = examples_;
  HardNegatives first(options_by({"model"}), 1, before), second(options_by({"model"}), 1, after);
  first.mine(7, model(), source_, {}, before, {});
  second.restore(first.state(), after);
  EXPECT_FALSE(second.is_due(7));
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].negatives, before[i].negatives);
  }
  std::vector<Example> fewer(examples_.begin(), examples_.begin() + 5);
  HardNegatives other(options_by({"model"}), 1, fewer);
  EXPECT_THAT(error_of([&] { other.restore(first.state(), fewer); }),
              HasSubstr("mined among other texts"));
}

}  // namespace
}  // namespace kith::learn
