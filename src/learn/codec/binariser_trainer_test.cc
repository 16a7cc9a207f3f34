#include "learn/codec/binariser_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "base/test_rows.h"
#include "codec/stage.h"
#include "formats/test_files.h"
#include "kith/trained_binariser.h"
#include "kith/vectors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 16, kRows = 1500;

// Vectors that spread over a few directions much more than over the others.
Matrix<float> drawn(std::size_t count, std::size_t dim, std::uint64_t seed) {
  Matrix<float> rows = normal_rows(count, dim, seed);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      rows(i, j) *= 3 / (1 + static_cast<float>(j));
    }
    rows(i, 0) += 2;  // and off the middle
    normalise(rows.row(i), dim);
  }
  return rows;
}

BinariserNetwork network_of(int bits, bool skip) {
  BinariserShape shape;
  shape.dim = kDim;
  shape.dims = 24;
  shape.bits = bits;
  shape.hidden = 20;
  shape.skip = skip;
  BinariserNetwork network(shape, 3);
  const torch::NoGradGuard constant;
  torch::manual_seed(5);
  for (const Parameter& each : network.parameters()) {
    at::Tensor value = each.value;
    value.add_(0.1 * torch::randn_like(value));  // so that every part counts
  }
  return network;
}

TEST(BinariserNetworks, MakeTheCodesThatTheEngineMakes) {
  for (const bool skip : {true, false}) {
    for (const int bits : {1, 2, 3, 4}) {
      const BinariserNetwork network = network_of(bits, skip);
      const Matrix<float> rows = drawn(400, kDim, 1);
      const at::Tensor batch = tensor_of(rows.view());
      const Binariser folded = network.folded(batch);
      const torch::NoGradGuard constant;
      const at::Tensor codes = network.codes(batch);
      std::vector<std::uint8_t> own(folded.dims);
      double differ = 0;
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        folded.encode(rows.row(i), own.data());
        for (std::size_t j = 0; j < own.size(); ++j) {
          const double value = (2 * own[j] - (1 << bits) + 1) / std::pow(2, bits - 1);
          differ +=
              std::abs(
                  codes[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<double>() -
                  value) > 1e-6;
        }
      }
      // Where a sum is 0 but for rounding, a sign is either; what follows from it differs, too.
      EXPECT_LT(differ / static_cast<double>(rows.rows() * own.size()), 1e-3)
          << bits << " bits, skip " << skip;
    }
  }
}

TEST(BinariserNetworks, StartAsRandomSigns) {
  BinariserShape shape;
  shape.dim = kDim;
  shape.dims = 40;
  shape.bits = 1;
  const BinariserNetwork network(shape, 9);
  const Matrix<float> rows = drawn(100, kDim, 1);
  const Binariser folded = network.folded(tensor_of(rows.view())),
                  signs = random_signs(kDim, 40, 9);
  std::vector<std::uint8_t> a(40), b(40);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    folded.encode(rows.row(i), a.data());
    signs.encode(rows.row(i), b.data());
    EXPECT_EQ(a, b) << i;
  }
}

TEST(StraightSigns, LetGradientsThroughNearZeroAlone) {
  const at::Tensor x = torch::tensor({-1.5, -0.5, -0.0, 0.0, 0.5, 1.5}).set_requires_grad(true);
  const at::Tensor signs = straight_sign(x);
  EXPECT_TRUE(signs.detach().equal(torch::tensor({-1., -1., 1., 1., 1., 1.})));
  (signs * torch::arange(1, 7)).sum().backward();
  EXPECT_TRUE(x.grad().equal(torch::tensor({0., 2., 3., 4., 5., 0.})));
}

class TrainingOfBinarisers : public testing::Test {
 protected:
  void SetUp() override {
    write("base.npy", drawn(kRows, kDim, 1));
    write("held.npy", drawn(100, kDim, 2));
  }
  void write(const std::string& name, const Matrix<float>& rows) const {
    write_vectors(file(name), rows.view(), Labels());
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

  BinariserRecipe recipe(const std::string& output, const Overrides& more = {}) const {
    Overrides settings = {"output=" + file(output),
                          "data.vectors=" + file("base.npy"),
                          "codec.kind=bebr",
                          "codec.dims=32",
                          "codec.bits=2",
                          "loss.queue=512",
                          "validation.queries=" + file("held.npy"),
                          "train.steps=150",
                          "train.batch=64",
                          "train.learning_rate=0.003"};
    settings.insert(settings.end(), more.begin(), more.end());
    return read_binariser_recipe("", settings);
  }
  static TrainSummary train(const BinariserRecipe& recipe) {
    return train_binariser(recipe, false, {.threads = 2, .cancel = nullptr, .progress = {}});
  }
  std::string made(const std::string& output) const { return file(output) + "/" + kBinariserFile; }

  formats::TemporaryFolder folder_;
};

TEST_F(TrainingOfBinarisers, FindsMoreThanTheRandomNetworkItStartsFrom) {
  for (const std::string seed : {"1", "2"}) {
    const auto score = [&](const std::string& rate) {
      const TrainSummary summary =
          train(recipe(rate + "-" + seed,
                       {"train.learning_rate=" + rate, "train.seed=" + seed, "codec.skip=false"}));
      EXPECT_EQ(summary.metric, "recall_10");
      return summary.best_score;
    };
    EXPECT_GT(score("0.003"), score("0") + 0.03) << seed;
  }
}

TEST_F(TrainingOfBinarisers, LearnsFromQueriesAndPairsToo) {
  write("queries.npy", drawn(kRows, kDim, 3));
  const std::string queries = "data.queries=" + file("queries.npy");
  for (const std::string paired : {"false", "true"}) {
    const TrainSummary summary =
        train(recipe("pairs-" + paired, {queries, "data.paired=" + paired, "train.steps=20"}));
    EXPECT_EQ(summary.steps, 20);
    EXPECT_EQ(TrainedBinariser::open(made("pairs-" + paired)).codec(), "bits32x2");
  }
}

TEST_F(TrainingOfBinarisers, IsTheSameForTheSameSeed) {
  const auto bytes = [&](const std::string& output, const std::string& seed) {
    train(recipe(output, {"train.steps=6", "train.seed=" + seed}));
    return formats::file_bytes(made(output));
  };
  const std::string one = bytes("one", "1");
  EXPECT_EQ(one, bytes("same", "1"));
  EXPECT_NE(one, bytes("other", "2"));
}

TEST_F(TrainingOfBinarisers, GoesOnAsIfNothingHadHappened) {
  const Overrides quick = {"train.steps=300", "train.checkpoint_seconds=0"};
  const TrainSummary whole = train(recipe("whole", quick));
  std::atomic<bool> stop = false;
  Control control{.threads = 2, .cancel = &stop, .progress = {}};
  control.progress = [&](std::string_view stage, std::size_t done, std::size_t) {
    if (stage == "train" && done > 0) stop = true;
  };
  const BinariserRecipe same = recipe("parts", quick);
  EXPECT_NE(error_of([&] { train_binariser(same, false, control); }), "");
  const TrainSummary rest = train(same);
  EXPECT_GT(rest.first_step, 0);
  EXPECT_EQ(formats::file_bytes(made("whole")), formats::file_bytes(made("parts")));
  EXPECT_EQ(rest.last_loss, whole.last_loss);
}

TEST_F(TrainingOfBinarisers, LearnsToSearchOldCodesAndLeavesThemAsTheyAre) {
  write("old.npy", drawn(kRows, 12, 1));
  const std::string old = "data.old_vectors=" + file("old.npy"),
                    with = "data.compatible_with=" + file("first");
  train(recipe("first", {"data.vectors=" + file("old.npy"), "train.steps=30",
                         "validation.queries=" + file("old.npy")}));
  const std::string before = formats::file_bytes(made("first"));
  // Another model: the same items, turned and with four more dimensions.
  const Matrix<float> items = drawn(kRows, 12, 1), turn = random_directions(kDim, kDim, 4);
  Matrix<float> fresh(kRows, kDim);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) {
      for (std::size_t d = 0; d < 12; ++d) fresh(i, j) += items(i, d) * turn(j, d);
    }
  }
  write("base.npy", fresh);
  write("held.npy", fresh);
  const auto of_old = [&](const std::string& output, const std::string& weight) {
    const TrainSummary summary = train(
        recipe(output, {old, with, "loss.compatibility=" + weight, "validation.keep_best=false"}));
    double last = 0;
    for (const ValidationLine& line : summary.validations) {
      if (line.metric == "recall_10_of_old_codes") last = line.score;
    }
    return last;
  };
  EXPECT_GT(of_old("together", "1"), of_old("apart", "0") + 0.1);
  EXPECT_EQ(formats::file_bytes(made("first")), before);
  EXPECT_EQ(TrainedBinariser::open(made("together")).compatible(),
            TrainedBinariser::open(made("first")).version());
}

TEST_F(TrainingOfBinarisers, SaysWhatDoesNotFit) {
  const auto failure = [&](const Overrides& settings) {
    return error_of([&] { train(recipe("wrong", settings)); });
  };
  EXPECT_THAT(failure({"codec.bits=5"}), HasSubstr("bits"));
  EXPECT_THAT(failure({"data.metric=ip"}), HasSubstr("cosine"));
  EXPECT_THAT(failure({"data.vectors=" + file("none.npy")}), HasSubstr("none.npy"));
  EXPECT_THAT(failure({"loss.neighbours=2000"}), HasSubstr("1500 vectors, expected at least 2001"));
  EXPECT_THAT(failure({"data.old_vectors=" + file("base.npy")}),
              HasSubstr("the old binariser's folder"));
  EXPECT_THAT(failure({"data.paired=true"}), HasSubstr("queries"));
  write("wide.npy", drawn(40, kDim + 2, 1));
  EXPECT_THAT(failure({"data.queries=" + file("wide.npy")}), HasSubstr("18 dimensions"));
  EXPECT_THAT(failure({"data.queries=" + file("held.npy"), "data.paired=true"}),
              HasSubstr("expected pairs"));
  write("zero.npy", Matrix<float>(50, kDim));
  EXPECT_THAT(failure({"data.vectors=" + file("zero.npy")}), HasSubstr("row 0 is 0"));
  train(recipe("small", {"codec.dims=8", "train.steps=1"}));
  EXPECT_THAT(
      failure({"data.compatible_with=" + file("small"), "data.old_vectors=" + file("base.npy")}),
      HasSubstr("bits8x2"));
  EXPECT_FALSE(std::filesystem::exists(file("wrong")));
}

}  // namespace
}  // namespace kith::learn
