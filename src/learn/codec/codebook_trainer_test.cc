#include "learn/codec/codebook_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string_view>
#include <vector>

#include "base/test_error.h"
#include "base/test_rows.h"
#include "codec/codebooks.h"
#include "codec/stage.h"
#include "formats/test_files.h"
#include "kith/trained_codebooks.h"
#include "kith/vectors.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 16, kRows = 1500;

Matrix<float> drawn(std::size_t count, std::uint64_t seed) {
  Matrix<float> rows = normal_rows(count, kDim, seed);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) {
      rows(i, j) = 5 + rows(i, j) * 3 / (1 + static_cast<float>(j % 8));
    }
  }
  return rows;
}

class TrainingOfCodebooks : public testing::Test {
 protected:
  void SetUp() override {
    write("base.npy", drawn(kRows, 1));
    write("held.npy", drawn(200, 2));
  }
  void write(const std::string& name, const Matrix<float>& rows) const {
    write_vectors(file(name), rows.view(), Labels());
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

  CodebookRecipe recipe(const std::string& output, const Overrides& more = {}) const {
    Overrides settings = {"output=" + file(output),
                          "data.vectors=" + file("base.npy"),
                          "codec.kind=vq",
                          "codec.parts=2",
                          "codec.bits=5",
                          "codec.hidden=32",
                          "validation.vectors=" + file("held.npy"),
                          "train.steps=300",
                          "train.batch=128",
                          "train.learning_rate=0.005"};
    settings.insert(settings.end(), more.begin(), more.end());
    return read_codebook_recipe("", settings);
  }
  static TrainSummary train(const CodebookRecipe& recipe) {
    return train_codebooks(recipe, false, {.threads = 2, .cancel = nullptr, .progress = {}});
  }
  static double last(const TrainSummary& summary, const std::string& metric) {
    double score = -1;
    for (const ValidationLine& line : summary.validations) {
      if (line.metric == metric) score = line.score;
    }
    return score;
  }
  std::string made(const std::string& output) const { return file(output) + "/" + kCodebooksFile; }

  formats::TemporaryFolder folder_;
};

// The error that the training reports, found by the engine from the file.
TEST_F(TrainingOfCodebooks, ReportsTheErrorOfWhatTheFileHolds) {
  for (const char* const kind : kQuantisers) {
    const TrainSummary summary =
        train(recipe(kind, {"codec.quantiser=" + std::string(kind), "validation.keep_best=false"}));
    EXPECT_EQ(summary.metric, "error");
    const TrainedCodebooks trained = TrainedCodebooks::open(made(kind));
    EXPECT_EQ(trained.codec(), "vq2x5");
    const Matrix<float> base = drawn(kRows, 1), held = drawn(200, 2);
    std::vector<double> mean(kDim);
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kDim; ++j) mean[j] += base(i, j) / kRows;
    }
    double error = 0, variance = 0;
    std::vector<std::uint32_t> code(2);
    for (std::size_t i = 0; i < held.rows(); ++i) {
      error += trained.codebooks()->encode(held.row(i), code.data());
      for (std::size_t j = 0; j < kDim; ++j) variance += std::pow(held(i, j) - mean[j], 2);
    }
    EXPECT_NEAR(error / variance, last(summary, "error"), 1e-3) << kind;
    // A vector's nearest codeword is at least as near as what an encoder chose.
    EXPECT_LE(last(summary, "error"), last(summary, "network_error") + 1e-6) << kind;
    EXPECT_LT(last(summary, "error"), 0.6) << kind;
    EXPECT_GT(last(summary, "utilisation"), 0) << kind;
    EXPECT_GE(last(summary, "perplexity"), 1) << kind;
  }
}

TEST_F(TrainingOfCodebooks, KeepsMoreCodewordsInUseByOneLinearLayer) {
  const auto used = [&](const std::string& kind) {
    const TrainSummary summary =
        train(recipe("use-" + kind, {"codec.quantiser=" + kind, "codec.bits=8", "train.steps=200",
                                     "validation.keep_best=false", "validation.baseline=false"}));
    EXPECT_EQ(last(summary, "kmeans_error"), -1);
    return last(summary, "network_utilisation");
  };
  EXPECT_GT(used("simvq"), used("vq") + 0.1);
}

TEST_F(TrainingOfCodebooks, HoldsBackAShareWithoutAFileOfItsOwn) {
  CodebookRecipe own = recipe("share", {"train.steps=5", "data.metric=cosine"});
  own.held_out.clear();
  EXPECT_EQ(train(own).metric, "error");
  EXPECT_EQ(TrainedCodebooks::open(made("share")).metric(), Metric::cosine);
}

TEST_F(TrainingOfCodebooks, IsTheSameForTheSameSeed) {
  for (const std::string kind : {"ema", "simvq"}) {
    const auto bytes = [&](const std::string& output, const std::string& seed) {
      train(recipe(output + kind,
                   {"train.steps=6", "train.seed=" + seed, "codec.quantiser=" + kind}));
      return formats::file_bytes(made(output + kind));
    };
    const std::string one = bytes("one", "1");
    EXPECT_EQ(one, bytes("same", "1"));
    EXPECT_NE(one, bytes("other", "2"));
  }
}

TEST_F(TrainingOfCodebooks, GoesOnAsIfNothingHadHappened) {
  for (const std::string kind : {"ema", "simvq-trained"}) {
    const Overrides quick = {"train.steps=600", "train.checkpoint_seconds=0",
                             "codec.quantiser=" + kind};
    const TrainSummary whole = train(recipe("whole-" + kind, quick));
    std::atomic<bool> stop = false;
    Control control{.threads = 2, .cancel = &stop, .progress = {}};
    control.progress = [&](std::string_view stage, std::size_t done, std::size_t) {
      if (stage == "train" && done > 0) stop = true;
    };
    const CodebookRecipe same = recipe("parts-" + kind, quick);
    EXPECT_NE(error_of([&] { train_codebooks(same, false, control); }), "");
    const TrainSummary rest = train(same);
    EXPECT_GT(rest.first_step, 0);
    EXPECT_EQ(formats::file_bytes(made("whole-" + kind)),
              formats::file_bytes(made("parts-" + kind)));
    EXPECT_EQ(rest.last_loss, whole.last_loss);
  }
}

TEST_F(TrainingOfCodebooks, SaysWhatDoesNotFit) {
  const auto failure = [&](const Overrides& settings) {
    return error_of([&] { train(recipe("wrong", settings)); });
  };
  EXPECT_THAT(failure({"codec.bits=17"}), HasSubstr("bits"));
  EXPECT_THAT(failure({"codec.quantiser=none"}), HasSubstr("simvq"));
  EXPECT_THAT(failure({"codec.parts=17"}), HasSubstr("17 parts"));
  EXPECT_THAT(failure({"codec.bits=11"}), HasSubstr("1500 vectors to train on, expected at least "
                                                    "2048"));
  EXPECT_THAT(failure({"data.vectors=" + file("none.npy")}), HasSubstr("none.npy"));
  EXPECT_THAT(failure({"train.device=cuda"}), HasSubstr("cpu"));
  write("wide.npy", normal_rows(40, kDim + 2, 1));
  EXPECT_THAT(failure({"validation.vectors=" + file("wide.npy")}), HasSubstr("18 dimensions"));
  write("equal.npy", Matrix<float>(50, kDim));
  EXPECT_THAT(failure({"data.vectors=" + file("equal.npy")}), HasSubstr("all vectors are equal"));
  Matrix<float> bad = drawn(kRows, 1);
  bad(7, 3) = std::numeric_limits<float>::quiet_NaN();
  write("bad.npy", bad);
  EXPECT_THAT(failure({"data.vectors=" + file("bad.npy")}), HasSubstr("7"));
  EXPECT_FALSE(std::filesystem::exists(file("wrong")));
}

}  // namespace
}  // namespace kith::learn
