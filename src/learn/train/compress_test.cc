// Trainings of weights that are factored: low rank before they are clustered, codes afterwards.
#include "encode/compress.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/test_error.h"
#include "encode/tensor_store.h"
#include "kith/text_encoder.h"
#include "learn/train/test_recipes.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class CompressedTrainings : public TinyTrainings {
 protected:
  static constexpr const char* kTable = "embedding.weight";

  // From a model's folder in place of an architecture.
  Recipe on(const std::string& base, const std::string& output, const std::string& compress,
            const std::string& steps = "12") const {
    formats::write_bytes(file("on.toml"), "output = \"" + file(output) + "\"\n[model]\nbase = \"" +
                                              file(base) + "\"\n[[data]]\nfiles = [\"" +
                                              file("pairs.jsonl") +
                                              "\"]\n[train]\nsteps = " + steps +
                                              "\nbatch = 8\nlearning_rate = 3e-3\n" + compress);
    return read_recipe(file("on.toml"), {});
  }
  void train_base(const std::string& output) const {
    Recipe made = recipe(output);
    made.model.architecture = architecture();
    made.model.architecture.type = "static";
    train(made, false, two_threads());
  }
  encode::CompressOptions options(std::size_t dim) const {
    encode::CompressOptions own;
    own.sub = 4;
    own.words = 16;
    own.dim = dim;
    own.tensors = {kTable};
    return own;
  }
  std::string place(const std::string& folder) const { return file(folder) + "/0_StaticEmbedding"; }
};

TEST_F(CompressedTrainings, TrainCentresAndLeaveTheCodes) {
  train_base("base");
  encode::compress_model(file("base"), file("small"), options(2));
  const TrainSummary summary =
      train(on("small", "tuned", "[compress]\nkind = \"codes\"\n", "60"), false, two_threads());
  EXPECT_LT(summary.last_loss, summary.first_loss);
  EXPECT_EQ(summary.trained, 16 * 2 + 2 * 4);
  const auto before = encode::TensorStore::open_folder(place("small")),
             after = encode::TensorStore::open_folder(place("tuned"));
  ASSERT_NE(after.packed(kTable), nullptr);
  EXPECT_EQ(after.packed(kTable)->codes, before.packed(kTable)->codes);
  EXPECT_NE(after.packed(kTable)->centres(0, 0), before.packed(kTable)->centres(0, 0));
  EXPECT_EQ(std::filesystem::file_size(place("tuned") + "/model.kith"),
            std::filesystem::file_size(place("small") + "/model.kith"));
  EXPECT_TRUE(std::filesystem::exists(file("tuned") + "/training/log.jsonl"));
  EXPECT_FALSE(std::filesystem::exists(file("tuned.whole")));
  EXPECT_EQ(TextEncoder::open(file("tuned")).info().dim, 16U);
}

TEST_F(CompressedTrainings, OfLowRankLeaveNothingOutAtThatRank) {
  train_base("base");
  Recipe low = on("base", "low", "[compress]\nkind = \"low-rank\"\nsub = 4\ndim = 2\n");
  low.compress.words = 16;
  train(low, false, two_threads());
  const auto store = encode::TensorStore::open_folder(place("low"));
  const auto& shape = store.shape(kTable);
  double squares = 0;
  const auto dims =
      encode::dimension_errors(store.read(kTable, shape[0], shape[1]), options(0), &squares);
  EXPECT_LT(dims[1].low_rank / squares, 1e-6);
  EXPECT_GT(dims[0].low_rank / squares, 1e-3);
}

TEST_F(CompressedTrainings, OfWholeBasesAndNoneAreRefused) {
  train_base("base");
  EXPECT_THAT(error_of([&] {
                train(on("base", "wrong", "[compress]\nkind = \"codes\"\n"), false, two_threads());
              }),
              HasSubstr("no compressed model"));
  EXPECT_THAT(error_of([&] { on("base", "wrong", "[compress]\nsub = 4\n"); }), HasSubstr("kind"));
  EXPECT_THAT(
      error_of([&] { on("base", "wrong", "[compress]\nkind = \"codes\"\nsub = 4\ndim = 5\n"); }),
      HasSubstr("dim"));
  EXPECT_FALSE(std::filesystem::exists(file("wrong")));
}

TEST_F(CompressedTrainings, GoOnAsWholeModelsWithoutTheTable) {
  train_base("base");
  encode::compress_model(file("base"), file("small"), options(2));
  train(on("small", "whole", ""), false, two_threads());
  const auto store = encode::TensorStore::open_folder(place("whole"));
  EXPECT_EQ(store.packed(kTable), nullptr);
  EXPECT_TRUE(store.has(kTable));
}

}  // namespace
}  // namespace kith::learn
