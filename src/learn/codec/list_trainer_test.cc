#include "learn/codec/list_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "formats/test_files.h"
#include "index/lists_content.h"
#include "kith/trained_lists.h"
#include "kith/vectors.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 12, kRows = 2000;

// Queries lie along a few directions that the vectors hardly spread over.
class TrainingOfLists : public testing::Test {
 protected:
  void SetUp() override {
    rows_ = drawn(kRows, 1, false);
    write("base.npy", rows_);
    write("queries.npy", drawn(600, 2, true));
    write("held.npy", drawn(100, 3, true));
  }
  static Matrix<float> drawn(std::size_t count, std::uint64_t seed, bool queries) {
    Random random(seed);
    Matrix<float> rows(count, kDim);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < kDim; ++j) {
        const bool wide = j < kDim / 2;
        const double spread = queries ? (wide ? 0.2 : 2) : (wide ? 2 : 0.6);
        rows(i, j) = static_cast<float>(spread * random.normal());
      }
    }
    return rows;
  }
  void write(const std::string& name, const Matrix<float>& rows) const {
    write_vectors(file(name), rows.view(), Labels());
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

  ListRecipe recipe(const std::string& output, const Overrides& more = {}) const {
    Overrides settings = {"output=" + file(output),
                          "data.vectors=" + file("base.npy"),
                          "data.queries=" + file("queries.npy"),
                          "data.metric=ip",
                          "codec.lists=16",
                          "codec.parts=3",
                          "validation.queries=" + file("held.npy"),
                          "train.epochs=30",
                          "loss.temperature=4",
                          "train.learning_rate=0.01"};
    settings.insert(settings.end(), more.begin(), more.end());
    return read_list_recipe("", settings);
  }
  static TrainSummary train(const ListRecipe& recipe) {
    return train_lists(recipe, false, {.threads = 2, .cancel = nullptr, .progress = {}});
  }
  TrainedLists made(const std::string& output) const {
    return TrainedLists::open(file(output) + "/" + kListsFile);
  }

  Matrix<float> rows_;
  formats::TemporaryFolder folder_;
};

TEST_F(TrainingOfLists, MakesCodesRankAsTheVectorsDo) {
  for (const std::string seed : {"1", "2", "3"}) {
    const auto score = [&](const std::string& rate) {
      const TrainSummary summary =
          train(recipe(rate + "-" + seed, {"train.learning_rate=" + rate, "train.seed=" + seed}));
      EXPECT_EQ(summary.metric, "recall_10_at_50");
      return summary.best_score;
    };
    EXPECT_GT(score("0.01"), score("0") + 0.03) << seed;
  }
}

TEST_F(TrainingOfLists, StartsFromWhatABuildLearns) {
  for (const bool rotate : {false, true}) {
    const std::string name = rotate ? "turned" : "plain";
    train(recipe(name, {"train.learning_rate=0", "train.steps=1",
                        std::string("codec.rotate=") + (rotate ? "true" : "false")}));
    ListTraining training;
    training.metric = Metric::ip;
    training.lists = 16;
    training.parts = 3;
    training.turn = rotate ? ProductQuantiser::Turn::learned : ProductQuantiser::Turn::none;
    const ListsContent own = learn_lists(rows_.view(), training);
    const TrainedLists lists = made(name);
    EXPECT_EQ(lists.codec(), rotate ? "opq3" : "pq3");
    const ListsContent& read = lists.content();
    for (std::size_t l = 0; l < own.centres.rows(); ++l) {
      for (std::size_t j = 0; j < kDim; ++j) {
        EXPECT_NEAR(read.centres(l, j), own.centres(l, j), 1e-5);
      }
    }
    for (std::size_t i = 0; i < own.quantiser.words().size(); ++i) {
      EXPECT_EQ(read.quantiser.words()[i], own.quantiser.words()[i]);
    }
  }
}

TEST_F(TrainingOfLists, IsTheSameForTheSameSeed) {
  const auto bytes = [&](const std::string& output, const std::string& seed) {
    train(recipe(output, {"train.steps=5", "train.seed=" + seed}));
    return formats::file_bytes(file(output) + "/" + kListsFile);
  };
  const std::string one = bytes("one", "1");
  EXPECT_EQ(one, bytes("same", "1"));
  EXPECT_NE(one, bytes("other", "2"));
}

TEST_F(TrainingOfLists, SaysWhatDoesNotFit) {
  const auto failure = [&](const Overrides& settings) {
    return error_of([&] { train(recipe("wrong", settings)); });
  };
  EXPECT_THAT(failure({"codec.lists=5000"}), HasSubstr("2000 vectors, expected at least 5000"));
  EXPECT_THAT(failure({"codec.parts=13"}), HasSubstr("13 parts of 12 dimensions"));
  EXPECT_THAT(failure({"loss.kind=hinge"}), HasSubstr("listnet"));
  EXPECT_THAT(failure({"data.metric=hamming"}), HasSubstr("cosine"));
  EXPECT_THAT(failure({"data.queries=" + file("none.npy")}), HasSubstr("none.npy"));
  write("queries.npy", Matrix<float>(5, kDim + 2));
  EXPECT_THAT(failure({}), HasSubstr("14 dimensions"));
  EXPECT_FALSE(std::filesystem::exists(file("wrong")));
}

}  // namespace
}  // namespace kith::learn
