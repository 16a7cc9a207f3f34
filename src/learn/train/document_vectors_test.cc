// Query encoders for documents that models made which aren't trained.
#include "learn/train/document_vectors.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "base/test_error.h"
#include "codec/codebooks.h"
#include "kith/error.h"
#include "learn/test_processes.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/test_recipes.h"
#include "learn/train/trainer.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class QueryEncoders : public TinyTrainings {
 protected:
  void SetUp() override {
    TinyTrainings::SetUp();
    train(recipe("first", {"codes.parts=4", "codes.bits=4", "train.steps=40"}), false,
          two_threads());
    train(recipe("second", {"train.steps=40", "train.seed=2"}), false, two_threads());
  }

  Recipe unified(const std::string& output, Overrides more = {}) const {
    more.push_back("documents.models=['" + file("first") + "', '" + file("second") + "']");
    Recipe made = recipe(output, more);
    made.model = {};
    made.model.base = file("second");
    return made;
  }
};

TEST_F(QueryEncoders, LearnToFindTheDocumentsOfEveryModel) {
  const TrainSummary summary =
      train(unified("out", {"train.steps=60", "validation.files=" + file("pairs.jsonl"),
                            "validation.every=1", "validation.keep_best=false"}),
            false, two_threads());
  EXPECT_LT(summary.last_loss, 0.8 * summary.first_loss);
  EXPECT_EQ(summary.metric, "mrr_at_10");
  EXPECT_EQ(summary.candidates, 16);
  std::map<std::string, std::vector<double>> scores;
  for (const ValidationLine& line : summary.validations) scores[line.metric].push_back(line.score);
  ASSERT_EQ(scores.size(), 3u);
  // The query encoder begins as the second model, which finds its own documents.
  EXPECT_GT(scores["mrr_at_10_of_model_1"].back(), 2 * scores["mrr_at_10_of_model_1"].front());
  EXPECT_NEAR(scores["mrr_at_10"].back(),
              (scores["mrr_at_10_of_model_1"].back() + scores["mrr_at_10_of_model_2"].back()) / 2,
              1e-9);
  EXPECT_FALSE(std::filesystem::exists(file("out/codebooks.kith")));
}

TEST_F(QueryEncoders, LossIsTheSumOverModelsAndTeachesQueriesAlone) {
  const TextModel model({.base = file("second")}, 1);
  SourceOptions source;
  source.files = {file("pairs.jsonl")};
  source.negatives_each = 2;
  const std::vector<Example> examples = read_examples(source);
  const std::vector<std::uint32_t> rows = {0, 1, 2, 3, 4, 5};
  std::vector<std::string_view> texts;
  for (const Example& each : examples) {
    texts.emplace_back(each.positive);
    texts.insert(texts.end(), each.negatives.begin(), each.negatives.end());
  }
  std::vector<DocumentModel> models;
  for (const char* name : {"first", "second"}) models.emplace_back(file(name));
  const DocumentVectors documents(models, texts, model.dim(), Processes(), {});
  LossOptions loss;
  loss.distillation_weight = 0;  // the examples have a teacher's scores
  const TextBatch batch =
      make_batch(model, examples, rows, source, loss, {}, {}, {}, {.documents = &documents});
  ASSERT_EQ(batch.fixed.size(), 2u);
  EXPECT_TRUE(batch.fixed[0].coded);
  EXPECT_FALSE(batch.fixed[1].coded);

  // Of 4 parts of 4 bits there are at most 16 distinct values of each.
  const at::Tensor part = documents.tables()[0].narrow(1, 0, 4);
  EXPECT_LE(std::get<0>(at::unique_dim(part, 0)).size(0), 16);

  const at::Tensor q = embed_queries(
      model,
      std::vector<std::string_view>({examples[0].query, examples[1].query, examples[2].query,
                                     examples[3].query, examples[4].query, examples[5].query}),
      source, {}, {});
  double wanted = 0;
  for (const FixedDocuments& each : batch.fixed) {
    const auto scaled = [&](const at::Tensor& x) { return each.coded ? x : unit(x); };
    const at::Tensor scores =
        unit(q).mm(torch::cat({scaled(each.positives), scaled(each.negatives)}).t());
    wanted += info_nce_of_scores(scores, loss.info_nce, {.masked = batch.masked}).item<double>();
  }
  const Objective objective(model, loss, {});
  EXPECT_NEAR(objective.evaluate(batch, 1), wanted, 1e-4 * wanted);
  const auto gradients = [&](std::int64_t chunk) {
    std::vector<at::Tensor> all;
    for (const Parameter& each : model.trained()) {
      at::Tensor value = each.value;
      value.mutable_grad() = at::Tensor();
    }
    EXPECT_NEAR(objective.step(batch, {.chunk = chunk}), wanted, 1e-4 * wanted);
    for (const Parameter& each : model.trained()) {
      if (each.value.grad().defined()) all.push_back(each.value.grad().flatten());
    }
    return torch::cat(all);
  };
  const at::Tensor whole = gradients(0), chunked = gradients(4);
  EXPECT_GT(whole.norm().item<double>(), 0);
  EXPECT_LT(((whole - chunked).norm() / whole.norm()).item<double>(), 1e-4);
  EXPECT_THAT(error_of([&] { documents.of(std::vector<std::string_view>{"else"}, {}, at::kCPU); }),
              HasSubstr("document 'else' has no vector"));
}

TEST_F(QueryEncoders, InterruptedEndInTheSameBytes) {
  const Overrides mined = {"data.0.mine.by=['codes:" + file("first") + "']", "data.0.mine.first=1",
                           "data.0.batches=walk", "train.checkpoint_seconds=0"};
  train(unified("whole", mined), false, two_threads());
  std::atomic<bool> cancel{false}, stopped{false};
  const std::string checkpoint = file("again") + ".checkpoint";
  std::thread watch([&] {
    while (!std::filesystem::exists(checkpoint) && !stopped) std::this_thread::yield();
    cancel = true;
  });
  EXPECT_THAT(error_of([&] { train(unified("again", mined), false, two_threads(&cancel)); }),
              HasSubstr("steps are kept"));
  stopped = true;
  watch.join();
  EXPECT_GT(train(unified("again", mined), false, two_threads()).first_step, 0);
  EXPECT_EQ(bytes_of("again"), bytes_of("whole"));
}

TEST_F(QueryEncoders, BySeveralProcessesTakeTheStepsOfOne) {
  const Control control{.threads = 1, .cancel = nullptr, .progress = {}};
  const Overrides exact = {"train.dropout=0", "train.attention_dropout=0"};
  const TrainSummary alone = train(unified("alone", exact), false, control);
  run_together(2, [&, own = unified("two", exact)](const auto& processes) {
    const TrainSummary together = train(own, false, control, processes);
    ASSERT_EQ(together.lines.size(), alone.lines.size());
    for (std::size_t i = 0; i < alone.lines.size(); ++i) {
      EXPECT_NEAR(together.lines[i].loss, alone.lines[i].loss, 1e-4 * alone.lines[i].loss) << i;
    }
  });
}

TEST_F(QueryEncoders, ForModelsThatDoNotFitAreRefused) {
  Recipe narrow = unified("refused");
  narrow.model.dim = 8;
  EXPECT_THAT(error_of([&] { train(narrow, false, two_threads()); }),
              HasSubstr("first: vectors of 16 dimensions, but the model that is trained has 8"));
  EXPECT_THAT(
      error_of([&] { train(unified("refused", {"loss.kind=triplet"}), false, two_threads()); }),
      HasSubstr("documents: loss 'triplet', expected info_nce"));
  Recipe none = unified("refused");
  none.documents = {file("none")};
  EXPECT_THAT(error_of([&] { train(none, false, two_threads()); }), HasSubstr("none"));
}

}  // namespace
}  // namespace kith::learn
