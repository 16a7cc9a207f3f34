#include "learn/relevance/relevance_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "base/test_rows.h"
#include "encode/model_folder.h"
#include "formats/test_files.h"
#include "kith/relevance_metrics.h"
#include "kith/suite.h"
#include "kith/vectors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 6, kDocuments = 400, kQueries = 300, kHits = 60;

// What is relevant to a query lies within a cosine that its first component decides.
class RelevanceTraining : public testing::Test {
 protected:
  void SetUp() override {
    Random random(2);
    documents_ = directions(kDocuments, kDim, random);
    queries_ = directions(kQueries, kDim, random);
    RetrievalTask task;
    task.corpus.name = "corpus";
    task.queries.name = "queries";
    for (std::size_t i = 0; i < kDocuments; ++i) {
      task.corpus.ids.push_back("d" + std::to_string(i));
      task.corpus.texts.push_back("document " + std::to_string(i));
    }
    for (std::size_t q = 0; q < kQueries; ++q) {
      task.queries.ids.push_back("q" + std::to_string(q));
      task.queries.texts.push_back("query " + std::to_string(q));
      auto& judged = task.judgements.emplace_back();
      for (std::uint32_t i = 0; i < kDocuments; ++i) {
        if (relevant(q, i)) judged.push_back({i, 1});
      }
      if (judged.empty()) judged.push_back({static_cast<std::uint32_t>(q), 1});
    }
    Task whole;
    whole.name = "made-up";
    whole.content = std::move(task);
    write_task(whole, file("task"));
    std::filesystem::create_directories(file("vectors"));
    write_vectors(file("vectors/corpus.npy"), documents_.view(), Labels());
    write_vectors(file("vectors/queries.npy"), queries_.view(), Labels());
  }

  std::string file(const std::string& name) const { return folder_.file(name); }

  double cosine(std::size_t q, std::size_t i) const {
    double sum = 0;
    for (std::size_t j = 0; j < kDim; ++j) sum += double{queries_(q, j)} * documents_(i, j);
    return sum;
  }
  bool relevant(std::size_t q, std::size_t i) const {
    return cosine(q, i) > (queries_(q, 0) > 0 ? 0.3 : 0.8);
  }

  RelevanceRecipe recipe(const std::string& output, const Overrides& more = {}) const {
    Overrides settings = {"output=" + file(output),
                          "data.task=" + file("task"),
                          "data.vectors=" + file("vectors"),
                          "data.depth=" + std::to_string(kHits),
                          "adapter.hidden=32",
                          "train.epochs=60",
                          "train.batch=32",
                          "train.dropout=0.0",
                          "train.learning_rate=0.005",
                          "validation.share=0.3"};
    settings.insert(settings.end(), more.begin(), more.end());
    return read_relevance_recipe("", settings);
  }
  TrainSummary train(const RelevanceRecipe& recipe) const {
    return train_relevance(recipe, false, {.threads = 2, .cancel = nullptr, .progress = {}});
  }
  RelevanceAdapter adapter(const std::string& output) const {
    return RelevanceAdapter::open(file(output) + "/" + kRelevanceFile);
  }

  Matrix<float> documents_, queries_;
  formats::TemporaryFolder folder_;
};

TEST_F(RelevanceTraining, LearnsWhereEachQuerysRelevantHitsEnd) {
  const TrainSummary summary = train(recipe("adapter"));
  EXPECT_EQ(summary.metric, "pr_auc");
  EXPECT_GT(summary.best_score, 0.9);
  const RelevanceAdapter made = adapter("adapter");
  EXPECT_EQ(made.dim(), kDim);
  EXPECT_EQ(made.content().recall, 0.95);
  std::vector<double> cosines, relevances;
  std::vector<std::uint8_t> labels;
  for (std::size_t q = 0; q < kQueries; ++q) {
    const RelevanceCurve curve = made.curve(queries_.row(q));
    std::vector<std::size_t> nearest(kDocuments);
    std::iota(nearest.begin(), nearest.end(), std::size_t{0});
    std::ranges::sort(nearest, std::greater(), [&](std::size_t i) { return cosine(q, i); });
    nearest.resize(kHits);
    for (const std::size_t i : nearest) {
      cosines.push_back(cosine(q, i));
      relevances.push_back(curve.relevance(cosine(q, i)));
      labels.push_back(relevant(q, i) ? 1 : 0);
    }
  }
  const std::size_t begin[] = {0, labels.size()};
  const RelevanceScores raw = score_relevance({cosines, labels, begin}, 0.95),
                        adapted = score_relevance({relevances, labels, begin}, 0.95);
  EXPECT_GT(adapted.pr_auc, raw.pr_auc + 0.05);
  EXPECT_GT(adapted.precision, raw.precision + 0.1);
  EXPECT_LT(adapted.calibration_error, 0.1);
}

TEST_F(RelevanceTraining, WritesWhatTheNetworkComputes) {
  for (const char* mapping : {"offset", "linear", "sqrt", "quadratic", "power"}) {
    RelevanceNetworkOptions options;
    options.mapping = relevance_mapping(mapping);
    options.hidden = 16;
    const RelevanceNetwork network(kDim, options, 7);
    RelevanceAdapter::Content content;
    content.mapping = options.mapping;
    content.layers = network.layers();
    const RelevanceAdapter engine(std::move(content));
    const at::Tensor cosines = torch::tensor({-0.5F, 0.0F, 0.25F, 0.9F}).unsqueeze(0);
    Dropout off;
    for (std::size_t q = 0; q < 10; ++q) {
      const at::Tensor query = tensor_of(queries_.view().slice(q, 1));
      const at::Tensor logits = network.logits(query, cosines, off, 0);
      const RelevanceCurve curve = engine.curve(queries_.row(q));
      for (std::int64_t i = 0; i < cosines.size(1); ++i) {
        EXPECT_NEAR(logits[0][i].item<double>(), curve.logit(cosines[0][i].item<double>()), 1e-4)
            << mapping;
      }
    }
  }
}

TEST_F(RelevanceTraining, IsTheSameForTheSameSeed) {
  train(recipe("one", {"train.epochs=3"}));
  train(recipe("same", {"train.epochs=3"}));
  train(recipe("other", {"train.epochs=3", "train.seed=2"}));
  const auto bytes = [&](const std::string& output) {
    return formats::file_bytes(file(output) + "/" + kRelevanceFile);
  };
  EXPECT_EQ(bytes("one"), bytes("same"));
  EXPECT_NE(bytes("one"), bytes("other"));
}

TEST_F(RelevanceTraining, RefusesWhatItCannotLearnFrom) {
  const auto failure = [&](const Overrides& settings) {
    return error_of([&] { train(recipe("wrong", settings)); });
  };
  EXPECT_THAT(failure({"data.model=static"}), HasSubstr("either this"));
  EXPECT_THAT(failure({"data.task=" + file("nothing")}), HasSubstr("nothing"));
  EXPECT_THAT(failure({"adapter.mapping=cubic"}), HasSubstr("quadratic"));
  Random random(3);
  write_vectors(file("vectors/queries.npy"), Matrix<float>(kQueries, kDim + 1).view(), Labels());
  EXPECT_THAT(failure({}), HasSubstr("7"));
  EXPECT_FALSE(std::filesystem::exists(file("wrong")));
}

}  // namespace
}  // namespace kith::learn
