#include "learn/train/objective.h"

#include <gmock/gmock.h>

#include "base/test_error.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/optimiser.h"
#include "learn/train/test_recipes.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class EmbedderObjectives : public TinyTrainings {
 protected:
  void SetUp() override {
    TinyTrainings::SetUp();
    source_.files = {file("pairs.jsonl")};
    source_.negatives_each = 2;
    examples_ = read_examples(source_);
  }

  TextModel model() const {
    TextModelOptions options;
    options.architecture = architecture();
    return TextModel(options, 3);
  }

  TextBatch batch(const TextModel& model, const LossOptions& loss, std::uint32_t first = 0,
                  std::uint32_t count = 12) const {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < count; ++i) rows.push_back(first + i);
    return make_batch(model, examples_, rows, source_, loss, {}, {});
  }

  static void forget_gradients(const TextModel& model) {
    for (const Parameter& each : model.trained()) {
      at::Tensor value = each.value;
      value.mutable_grad() = at::Tensor();
    }
  }

  // All gradients one behind the other.
  static at::Tensor gradients(const TextModel& model) {
    std::vector<at::Tensor> all;
    for (const Parameter& each : model.trained()) {
      const at::Tensor own = each.value.grad();
      all.push_back((own.defined() ? own : torch::zeros_like(each.value)).flatten());
    }
    return torch::cat(all);
  }

  // Of one step on a model of its own.
  at::Tensor gradients_of(const StepOptions& step, const LossOptions& loss = {},
                          const ElasticOptions& elastic = {}) const {
    const TextModel trained = model();
    Objective(trained, loss, elastic).step(batch(trained, loss), step);
    return gradients(trained);
  }

  static double difference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).norm() / b.norm()).item<double>();
  }

  SourceOptions source_;
  std::vector<Example> examples_;
};

constexpr ForwardOptions kDropout{.training = true, .dropout = 0.1, .attention_dropout = 0.1};

ElasticOptions elastic_of(const std::string& kind) {
  ElasticOptions elastic;
  elastic.kind = kind;
  elastic.ese.compressed = 6;
  if (kind == "starbucks") elastic.sizes = {{1, 8}, {2, 16}};
  return elastic;
}

TEST_F(EmbedderObjectives, ChunksGiveTheGradientsOfTheWholeBatch) {
  const at::Tensor whole = gradients_of({});
  for (const std::int64_t chunk : {1, 5, 12, 100}) {
    EXPECT_LT(difference(gradients_of({.chunk = chunk}), whole), 1e-5) << chunk;
  }
}

TEST_F(EmbedderObjectives, ChunksOfElasticLossesGiveTheGradientsOfTheWholeBatch) {
  for (const char* kind : kElasticKinds) {
    const at::Tensor whole = gradients_of({.seed = 4}, {}, elastic_of(kind));
    const at::Tensor chunked = gradients_of({.seed = 4, .chunk = 5}, {}, elastic_of(kind));
    EXPECT_LT(difference(chunked, whole), 1e-4) << kind;
  }
}

TEST_F(EmbedderObjectives, ChunksComputedAgainDropWhatTheyDroppedAtFirst) {
  // On one thread a column is one chunk, on three it is three of 4 texts (8 of negatives).
  set_threads(1);
  const StepOptions kept{.forward = kDropout, .seed = 9};
  StepOptions forgotten = kept;
  forgotten.chunk = 24;
  EXPECT_TRUE(torch::equal(gradients_of(forgotten), gradients_of(kept)));
  source_.negatives_each = 1;
  set_threads(3);
  forgotten.chunk = 4;
  EXPECT_TRUE(torch::equal(gradients_of(forgotten), gradients_of(kept)));
  forgotten.seed = 10;
  EXPECT_GT(difference(gradients_of(forgotten), gradients_of(kept)), 0.01);
}

TEST_F(EmbedderObjectives, ThreadsChangeGradientsByRoundingOnly) {
  set_threads(1);
  const at::Tensor one = gradients_of({});
  for (const std::size_t threads : {2, 3}) {
    set_threads(threads);
    EXPECT_LT(difference(gradients_of({}), one), 1e-5) << threads;
    EXPECT_TRUE(torch::equal(gradients_of({}), gradients_of({}))) << threads;
  }
}

TEST_F(EmbedderObjectives, AccumulatedBatchesGiveTheMeanOfTheirGradients) {
  const TextModel trained = model();
  const Objective objective(trained, {}, {});
  at::Tensor mean = torch::zeros_like(gradients(trained));
  for (const std::uint32_t first : {0, 12, 24}) {
    objective.step(batch(trained, {}, first), {});
    mean += gradients(trained) / 3;
    forget_gradients(trained);
  }
  for (const std::uint32_t first : {0, 12, 24}) {
    objective.step(batch(trained, {}, first), {.scale = 1.0 / 3});
  }
  EXPECT_LT(difference(gradients(trained), mean), 1e-5);
}

TEST_F(EmbedderObjectives, OfEveryLossAndElasticKindAreLoweredByTheirSteps) {
  std::vector<std::string> elastics = {""};
  elastics.insert(elastics.end(), std::begin(kElasticKinds), std::end(kElasticKinds));
  for (const char* kind : kLossKinds) {
    for (const std::string& elastic : elastics) {
      LossOptions loss;
      loss.kind = kind;
      const TextModel trained = model();
      const Objective objective(trained, loss, elastic_of(elastic));
      const TextBatch some = batch(trained, loss);
      Optimiser optimiser({.learning_rate = 3e-3}, trained.trained());
      const double before = objective.evaluate(some, 1);
      for (int step = 0; step < 10; ++step) {
        optimiser.zero_gradients();
        objective.step(some, {.seed = 1});
        optimiser.step(1);
      }
      EXPECT_LT(objective.evaluate(some, 1), before) << kind << " " << elastic;
    }
  }
}

TEST_F(EmbedderObjectives, StepsReturnTheLossThatEvaluationGives) {
  const TextModel trained = model();
  const Objective objective(trained, {}, {});
  const TextBatch some = batch(trained, {});
  EXPECT_NEAR(objective.step(some, {.chunk = 5}), objective.evaluate(some, 0), 1e-5);
}

TEST_F(EmbedderObjectives, ThatDontFitTheModelOrTheExamplesAreRefused) {
  const TextModel trained = model();
  const auto refused = [&](const LossOptions& loss, const ElasticOptions& elastic) {
    return error_of([&] { Objective(trained, loss, elastic); });
  };
  EXPECT_THAT(refused({.kind = "infonce"}, {}), HasSubstr("loss 'infonce', expected one of info_"));
  EXPECT_THAT(refused({}, {.kind = "3d"}), HasSubstr("elastic '3d', expected one of 1d, 2d"));
  EXPECT_THAT(refused({}, {.kind = "1d", .dims = {8, 32}}),
              HasSubstr("elastic dimension 32, expected 1 to 16"));
  EXPECT_THAT(refused({}, {.kind = "starbucks", .sizes = {{1, 8}}}),
              HasSubstr("last size 1:8, expected the full one, 2:16"));
  ElasticOptions wide = elastic_of("ese");
  wide.ese.compressed = 128;
  EXPECT_THAT(refused({}, wide), HasSubstr("ese: width 128, expected 1 to 16"));
  source_.negatives_each = 0;
  for (const auto& [kind, said] :
       {std::pair{"triplet", "triplet: examples without negatives"},
        std::pair{"margin_mse", "margin_mse: examples without a teacher's scores"},
        std::pair{"distillation", "distillation: examples without a teacher's scores"}}) {
    const LossOptions loss{.kind = kind};
    EXPECT_THAT(error_of([&] { Objective(trained, loss, {}).evaluate(batch(trained, loss), 0); }),
                HasSubstr(said));
  }
}

}  // namespace
}  // namespace kith::learn
