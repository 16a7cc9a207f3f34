// Codes that are learned with a model: what is trained, written, mined by and indexed.
#include "learn/train/document_codes.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/test_error.h"
#include "codec/codebooks.h"
#include "kith/error.h"
#include "kith/index.h"
#include "kith/text_encoder.h"
#include "learn/loss/test_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/test_processes.h"
#include "learn/torch.h"
#include "learn/train/test_recipes.h"
#include "learn/train/trainer.h"
#include "mine/coded_vectors.h"

namespace kith::learn {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

class LearnedCodes : public TinyTrainings {
 protected:
  Recipe coded(const std::string& output, Overrides more = {}) const {
    more.insert(more.begin(), {"codes.parts=5", "codes.bits=3"});
    return recipe(output, more);
  }
  std::string refused(const Overrides& settings) const {
    return error_of([&] { train(coded("refused", settings), false, two_threads()); });
  }
  TrainedCodebooks codebooks(const std::string& output) const {
    return TrainedCodebooks::open(file(output) + "/" + kCodebooksFile);
  }
  std::vector<std::string> all_bytes_of(const std::string& output) const {
    std::vector<std::string> bytes = bytes_of(output);
    bytes.push_back(formats::file_bytes(file(output) + "/" + kCodebooksFile));
    EXPECT_NE(bytes.back(), "");
    return bytes;
  }
};

TEST_F(LearnedCodes, AreTrainedWithTheModelAndIndexItsDocuments) {
  const std::string held = "validation.files=" + file("pairs.jsonl");
  const Recipe recipe = coded("out", {"train.steps=60", "data.0.mine.by=['bm25', 'codes']",
                                      "data.0.mine.first=1", "data.0.mine.every=20", held});
  const TrainSummary summary = train(recipe, false, two_threads());
  EXPECT_LT(summary.last_loss, 0.8 * summary.first_loss);
  EXPECT_EQ(summary.metric, "mrr_at_10_by_codes");
  EXPECT_THAT(summary.validations, Contains(Field(&ValidationLine::metric, "mrr_at_10")));
  EXPECT_EQ(summary.candidates, 16);

  const auto codes = std::make_shared<const TrainedCodebooks>(codebooks("out"));
  EXPECT_EQ(codes->metric(), Metric::cosine);
  EXPECT_EQ(codes->codec(), "vq5x3");
  const TextEncoder encoder = TextEncoder::open(file("out"));
  const std::vector<std::string_view> texts = {"mail reader", "chess game", "sound library"};
  BuildOptions build;
  build.metric = Metric::cosine;
  build.index = "flat";
  build.codebooks = codes;
  const Matrix<float> rows = std::move(encoder.encode(texts, {}).vectors);
  EXPECT_EQ(Index::build(rows.view(), {}, build).size(), 3u);
  EXPECT_FALSE(std::filesystem::exists(file("out.whole")));
}

TEST_F(LearnedCodes, MoveAwayFromWhereTheyBegan) {
  train(coded("still", {"train.learning_rate=0"}), false, two_threads());
  train(coded("moved"), false, two_threads());
  EXPECT_NE(formats::file_bytes(file("still/codebooks.kith")),
            formats::file_bytes(file("moved/codebooks.kith")));
}

TEST_F(LearnedCodes, InterruptedEndInTheSameBytes) {
  const Overrides rich = {"train.average=0.9",          "train.accumulation=2",
                          "data.0.mine.by=['codes']",   "data.0.mine.first=1",
                          "data.0.mine.every=4",        "train.chunk=3",
                          "train.checkpoint_seconds=0", "validation.files=" + file("pairs.jsonl"),
                          "codes.reconstruction=0.1"};
  train(coded("whole", rich), false, two_threads());
  std::atomic<bool> cancel{false}, stopped{false};
  const std::string checkpoint = file("again") + ".checkpoint";
  std::thread watch([&] {
    while (!std::filesystem::exists(checkpoint) && !stopped) std::this_thread::yield();
    cancel = true;
  });
  EXPECT_THAT(error_of([&] { train(coded("again", rich), false, two_threads(&cancel)); }),
              HasSubstr("steps are kept"));
  stopped = true;
  watch.join();
  EXPECT_GT(train(coded("again", rich), false, two_threads()).first_step, 0);
  EXPECT_EQ(all_bytes_of("again"), all_bytes_of("whole"));
}

TEST_F(LearnedCodes, AloneLeaveTheModelAsItIs) {
  train(recipe("base"), false, two_threads());
  Recipe alone = coded("alone", {"codes.alone=true", "train.steps=30"});
  alone.model = {};
  alone.model.base = file("base");
  const TrainSummary summary = train(alone, false, two_threads());
  EXPECT_EQ(summary.trained, 5 * 8 * 4);  // parts of 3 and 4 dimensions, filled up
  EXPECT_LT(summary.last_loss, summary.first_loss);
  EXPECT_EQ(bytes_of("alone")[0], bytes_of("base")[0]);
}

TEST_F(LearnedCodes, BySeveralProcessesTakeTheStepsOfOne) {
  const Control control{.threads = 1, .cancel = nullptr, .progress = {}};
  const Overrides exact = {"train.dropout=0",          "train.attention_dropout=0",
                           "train.optimiser=sgd",      "train.learning_rate=0.1",
                           "data.0.mine.by=['codes']", "data.0.mine.first=1"};
  const TrainSummary alone = train(coded("alone", exact), false, control);
  run_together(2, [&, own = coded("two", exact)](const auto& processes) {
    const TrainSummary together = train(own, false, control, processes);
    ASSERT_EQ(together.lines.size(), alone.lines.size());
    for (std::size_t i = 0; i < alone.lines.size(); ++i) {
      EXPECT_NEAR(together.lines[i].loss, alone.lines[i].loss, 1e-4 * alone.lines[i].loss) << i;
      EXPECT_NEAR(together.lines[i].gradient_norm, alone.lines[i].gradient_norm,
                  1e-3 * alone.lines[i].gradient_norm)
          << i;
    }
  });
}

TEST_F(LearnedCodes, OfAFolderMineForAnotherModel) {
  train(coded("stage1", {"train.steps=30"}), false, two_threads());
  const Recipe second = recipe("stage2", {"data.0.mine.by=['codes:" + file("stage1") + "']",
                                          "data.0.mine.first=1", "data.0.batches=snowball"});
  EXPECT_EQ(train(second, false, two_threads()).candidates, 16);
  EXPECT_FALSE(std::filesystem::exists(file("stage2/codebooks.kith")));
  const Recipe without = recipe("no", {"data.0.mine.by=['codes:" + file("stage2") + "']"});
  EXPECT_THAT(error_of([&] { train(without, false, two_threads()); }),
              HasSubstr("stage2/codebooks.kith"));
}

TEST_F(LearnedCodes, BesideWhatHasNoWholeVectorsAreRefused) {
  EXPECT_THAT(refused({"loss.kind=cosent"}), HasSubstr("codes: loss 'cosent', expected info_nce"));
  EXPECT_THAT(refused({"elastic.kind=1d"}), HasSubstr("codes: elastic '1d', expected none"));
  EXPECT_THAT(refused({"model.late_interaction.query_tokens=8"}), HasSubstr("late interaction"));
  EXPECT_THAT(refused({"codes.parts=17"}), HasSubstr("17 parts of 3 bits"));
}

// The loss as it is defined, from plain rows.
double plain_loss(const Rows& queries, const Rows& documents, double temperature) {
  double sum = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    Row scores;
    for (const Row& each : documents) scores.push_back(plain_dot(queries[i], each) / temperature);
    sum -= std::log(plain_softmax(scores, i));
  }
  return sum / static_cast<double>(queries.size());
}

TEST_F(LearnedCodes, AddTheirLossToThatOfWholeVectors) {
  const std::int64_t dim = 8;
  const at::Tensor vectors = random_tensor({60, dim}, 1).to(torch::kFloat32);
  const Embedded whole{.queries = random_tensor({4, dim}, 2).to(torch::kFloat32),
                       .positives = random_tensor({4, dim}, 3).to(torch::kFloat32),
                       .negatives = random_tensor({4, 2, dim}, 4).to(torch::kFloat32)};
  for (const Similarity similarity : {Similarity::cosine, Similarity::dot}) {
    const DocumentCodes codes({.parts = 4, .bits = 3}, similarity, vectors, 5, {});
    const Embedded coded = codes.coded(whole, 0.05, true);
    const bool cosine = similarity == Similarity::cosine;
    const auto scaled = [&](const at::Tensor& x) { return cosine ? unit(x) : x; };
    EXPECT_TRUE(torch::equal(coded.queries, scaled(whole.queries)));
    // What an index by these codewords compares.
    const TrainedCodebooks trained = codes.codebooks(cosine ? Metric::cosine : Metric::ip);
    const auto decoded = [&](const at::Tensor& x) {
      return tensor_of(mine::quantised(trained, matrix_of(x), "x", {}).view());
    };
    EXPECT_TRUE(torch::allclose(coded.positives, decoded(whole.positives), 0, 1e-6));
    const at::Tensor negatives = coded.negatives.flatten(0, 1);
    EXPECT_TRUE(torch::allclose(negatives, decoded(whole.negatives.flatten(0, 1)), 0, 1e-6));
    const double wanted =
        plain_loss(rows_of(coded.queries), rows_of(torch::cat({coded.positives, negatives})), 0.05);
    EXPECT_NEAR(value(info_nce(coded, {.similarity = Similarity::dot})), wanted, 1e-4 * wanted);
    EXPECT_NEAR(value(codes.error(whole, coded)),
                value((scaled(whole.positives) - coded.positives).square().sum(1).mean()) +
                    value((scaled(whole.negatives) - coded.negatives).square().sum(2).mean()),
                1e-5);
  }
  EXPECT_THAT(error_of([&] { DocumentCodes({.weight = 0}, Similarity::dot, vectors, 1, {}); }),
              HasSubstr("weight 0 and reconstruction 0"));
}

}  // namespace
}  // namespace kith::learn
