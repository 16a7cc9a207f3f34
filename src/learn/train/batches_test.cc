#include "learn/train/batches.h"

#include <gmock/gmock.h>

#include "learn/torch.h"
#include "learn/train/test_recipes.h"

namespace kith::learn {
namespace {

class Batches : public TinyTrainings {
 protected:
  TextModel model(std::map<std::string, std::string> prompts = {}) const {
    TextModelOptions options;
    options.architecture = architecture();
    options.prompts = std::move(prompts);
    return TextModel(options, 3);
  }

  // The queries "mail 0", "mail 1" ... with positives "chess 0" ... and two negatives.
  static std::vector<Example> examples(std::size_t count) {
    std::vector<Example> all;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = " number" + std::to_string(i);
      all.push_back({.query = "mail" + number,
                     .positive = "chess" + number,
                     .negatives = {"sound" + number, "tool" + number},
                     .scores = {1, 0.5, 0.25}});
    }
    return all;
  }

  static TextBatch batch_of(const TextModel& model, const std::vector<Example>& examples,
                            const SourceOptions& source, const LossOptions& loss = {},
                            const TextLimits& limits = {}, const SourceTexts& texts = {}) {
    std::vector<std::uint32_t> rows(examples.size());
    for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
    return make_batch(model, examples, rows, source, loss, limits, {}, {}, texts);
  }

  static std::string text(const TextModel& model, const Tokens& tokens, std::int64_t sequence) {
    std::vector<std::uint32_t> ids;
    for (std::int64_t i = tokens.begin[sequence]; i < tokens.begin[sequence + 1]; ++i) {
      ids.push_back(static_cast<std::uint32_t>(tokens.ids[i].item<std::int64_t>()));
    }
    return model.tokenizer().decode(ids);
  }
};

TEST_F(Batches, HoldAsManyNegativesAsTheExampleWithTheFewest) {
  const TextModel trained = model();
  std::vector<Example> some = examples(4);
  EXPECT_FALSE(batch_of(trained, some, {}).has_negatives);
  EXPECT_EQ(batch_of(trained, some, {.negatives_each = 5}).negatives.sequences(), 8);
  some[2].negatives.pop_back();
  const TextBatch batch = batch_of(trained, some, {.negatives_each = 5});
  EXPECT_EQ(batch.negatives.sequences(), 4);
  EXPECT_EQ(text(trained, batch.negatives, 2), "sound number2");
  some[1].negatives.clear();
  EXPECT_FALSE(batch_of(trained, some, {.negatives_each = 5}).has_negatives);
}

TEST_F(Batches, HaveATeacherWhereEveryExampleHas) {
  const TextModel trained = model();
  std::vector<Example> some = examples(3);
  const TextBatch batch = batch_of(trained, some, {.negatives_each = 1});
  EXPECT_TRUE(
      torch::equal(batch.teacher, torch::tensor({{1.0f, 0.5f}, {1.0f, 0.5f}, {1.0f, 0.5f}})));
  EXPECT_FALSE(batch_of(trained, some, {}).teacher.defined());
  some[1].scores.clear();
  EXPECT_FALSE(batch_of(trained, some, {.negatives_each = 1}).teacher.defined());
}

TEST_F(Batches, PutPromptsBeforeTexts) {
  const TextModel trained = model({{"query", "text: "}, {"passage", "tool: "}, {"other", "game "}});
  const auto texts = [&](const SourceOptions& source) {
    const TextBatch batch = batch_of(trained, examples(2), source);
    return text(trained, batch.queries, 1) + " / " + text(trained, batch.positives, 1);
  };
  const std::string usual = texts({});
  EXPECT_THAT(usual, testing::StartsWith("text"));
  EXPECT_THAT(usual, testing::HasSubstr("/ tool"));
  EXPECT_EQ(texts({.query_prompt = "other", .document_prompt = "sound "}),
            "game mail number1 / sound chess number1");
}

TEST_F(Batches, CutTextsToTheirLimits) {
  const TextModel trained = model();
  const TextBatch batch =
      batch_of(trained, examples(2), {.negatives_each = 1}, {}, {.query = 3, .document = 4});
  EXPECT_EQ(batch.queries.longest, 3);
  EXPECT_EQ(batch.positives.longest, 4);
  EXPECT_EQ(batch.negatives.longest, 4);
}

TEST_F(Batches, MaskCandidatesWithTheTextOfTheQueryOrItsPositive) {
  const TextModel trained = model();
  std::vector<Example> some = examples(3);
  some[1].positive = some[0].positive;
  some[2].negatives[0] = some[1].query;
  LossOptions loss;
  const TextBatch batch = batch_of(trained, some, {.negatives_each = 1}, loss);
  const at::Tensor wanted =
      torch::tensor({{0, 1, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0}});
  EXPECT_TRUE(torch::equal(batch.masked, wanted.to(torch::kBool)));
  loss.info_nce.others_negatives = false;
  EXPECT_EQ(batch_of(trained, some, {.negatives_each = 1}, loss).masked.size(1), 4);
  loss.mask_equal = false;
  EXPECT_FALSE(batch_of(trained, some, {}, loss).masked.defined());
}

TEST_F(Batches, MaskOtherPositivesOfTheSameQuery) {
  const TextModel trained = model();
  std::vector<Example> all = examples(4);
  all[1].query = all[0].query;
  all[3].query = all[0].query;  // not of the batch
  std::vector<Example> some(all.begin(), all.begin() + 3);
  some[2].negatives[0] = all[3].positive;
  const Answers answers(all);
  const SourceTexts texts{.answers = &answers};
  LossOptions loss;
  loss.mask_equal = false;
  const TextBatch batch = batch_of(trained, some, {.negatives_each = 1}, loss, {}, texts);
  const at::Tensor wanted =
      torch::tensor({{0, 1, 0, 0, 0, 1}, {1, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0}});
  EXPECT_TRUE(torch::equal(batch.masked, wanted.to(torch::kBool)));
  loss.mask_answers = false;
  EXPECT_FALSE(batch_of(trained, some, {}, loss, {}, texts).masked.defined());
  EXPECT_FALSE(batch_of(trained, some, {}, {.mask_equal = false}, {}).masked.defined());
}

TEST_F(Batches, CountWhatAQueryIsToldApartFrom) {
  const TextModel trained = model();
  LossOptions loss;
  const auto count = [&](std::int64_t negatives) {
    return candidates_of(batch_of(trained, examples(4), {.negatives_each = negatives}, loss), loss);
  };
  EXPECT_EQ(count(0), 4);
  EXPECT_EQ(count(2), 12);
  loss.info_nce.others_negatives = false;
  EXPECT_EQ(count(2), 6);
  loss.info_nce.in_batch = false;
  EXPECT_EQ(count(2), 3);
  EXPECT_EQ(count(0), 1);
}

TEST_F(Batches, RanksOfEqualTextsAreTheFirst) {
  std::vector<Example> some = examples(8);
  for (Example& each : some) each.query = each.positive;
  some.push_back(some.front());
  EXPECT_EQ(mean_reciprocal_rank(model(), some, {}, {}, {}), 1);
}

TEST_F(Batches, VectorsThatAreAllTheSameRankNothingFirst) {
  const TextModel trained = model();
  for (const Parameter& each : trained.trained()) {
    const torch::NoGradGuard constant;
    at::Tensor(each.value).zero_();
  }
  EXPECT_EQ(mean_reciprocal_rank(trained, examples(20), {}, {}, {}), 0);
  EXPECT_NEAR(mean_reciprocal_rank(trained, examples(4), {}, {}, {}), 0.25, 1e-9);
}

TEST_F(Batches, VectorsThatAreNoNumbersRankNothingFirst) {
  const TextModel trained = model();
  for (const Parameter& each : trained.trained()) {
    const torch::NoGradGuard constant;
    at::Tensor(each.value).fill_(std::nan(""));
  }
  EXPECT_EQ(mean_reciprocal_rank(trained, examples(20), {}, {}, {}), 0);
}

}  // namespace
}  // namespace kith::learn
