// Tables of positions made longer and tuned: what short texts were they stay, and the engine runs
// what was trained.
#include <gmock/gmock.h>

#include <filesystem>

#include "encode/tensor_store.h"
#include "kith/text_encoder.h"
#include "learn/nn/positions.h"
#include "learn/nn/tensor_files.h"
#include "learn/nn/text_model.h"
#include "learn/torch.h"
#include "learn/train/test_recipes.h"
#include "learn/train/trainer.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr char kTable[] = "embeddings.position_embeddings.weight";
constexpr std::int64_t kTrained = 24, kTokens = 60, kStretch = 3;

class Positions : public TinyTrainings {
 protected:
  void SetUp() override {
    TinyTrainings::SetUp();
    train(recipe("base"), false, two_threads());
    for (std::size_t i = 0; i < 50; ++i) long_ += i % 3 == 0 ? "mail reader " : "chess tool ";
    texts_ = {"mail reader", long_, "a picture viewer, and chess"};
  }

  std::string tuned(const std::string& kind, std::int64_t steps) {
    const std::string name = kind + std::to_string(steps);
    Recipe own = recipe(
        name, {"model={base='" + file("base") + "', positions={tokens=60, kind='" + kind + "'}}",
               "train.steps=" + std::to_string(steps), "train.weight_decay=0.1"});
    train(own, false, two_threads());
    return file(name);
  }

  // Not trained yet.
  std::string begun(const std::string& kind) {
    TextModelOptions options;
    options.base = file("base");
    options.positions = {.tokens = kTokens, .kind = kind};
    if (!std::filesystem::exists(file(kind))) TextModel(options, 1).save(file(kind));
    return file(kind);
  }

  at::Tensor by_engine(const std::string& folder, const ContextOptions& context = {}) const {
    ModelOptions options;
    options.context = context;
    return tensor_of(TextEncoder::open(folder, options).encode(texts_).vectors);
  }
  static double apart(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
  }
  static at::Tensor tensor(const std::string& folder, const std::string& name, std::int64_t rows) {
    return read_tensor(encode::TensorStore::open_folder(folder), name, {rows, 16});
  }

  std::string long_;
  std::vector<std::string_view> texts_;
};

TEST_F(Positions, BeginAsTheEnginesInterpolation) {
  const ContextOptions pi{.tokens = kTokens, .extension = Extension::pi};
  EXPECT_LT(apart(by_engine(begun("interpolated")), by_engine(file("base"), pi)), 1e-6);
}

TEST_F(Positions, LeaveShortTextsAndAllOtherTensorsAsTheyWere) {
  const std::string folder = tuned("interpolated", 20);
  const at::Tensor own = by_engine(folder), before = by_engine(file("base"));
  for (const std::int64_t text : {0, 2}) EXPECT_EQ(apart(own[text], before[text]), 0) << text;
  EXPECT_GT(apart(own[1], before[1]), 1e-3);
  const at::Tensor rows = tensor(folder, kTable, kTrained * kStretch),
                   old = tensor(file("base"), kTable, kTrained);
  std::int64_t moved = 0;
  const at::Tensor start = longer_table(old, 0, kTrained, {.tokens = kTokens}).rows;
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const double change = apart(rows[i], start[i]);
    if (i % kStretch == 0) {
      EXPECT_EQ(change, 0) << i;
    } else {
      moved += change > 0 ? 1 : 0;
    }
  }
  EXPECT_EQ(moved, kTrained * (kStretch - 1));
  constexpr char kWords[] = "embeddings.token_type_embeddings.weight";
  EXPECT_EQ(apart(tensor(folder, kWords, 2), tensor(file("base"), kWords, 2)), 0);
}

TEST_F(Positions, RecurBehindTheOldOnes) {
  const std::string folder = tuned("recurrent", 20);
  const at::Tensor rows = tensor(folder, kTable, kTokens),
                   old = tensor(file("base"), kTable, kTrained);
  EXPECT_EQ(apart(rows.narrow(0, 0, kTrained), old), 0);
  for (std::int64_t i = kTrained; i < kTokens; ++i) {
    EXPECT_GT(apart(rows[i], old[i % kTrained]), 0) << i;
    EXPECT_LT(apart(rows[i], old[i % kTrained]), 0.2) << i;
  }
  const at::Tensor own = by_engine(folder), before = by_engine(file("base"));
  EXPECT_EQ(apart(own[0], before[0]), 0);
}

TEST_F(Positions, AreRunByTheEngineAsTheyWereTrained) {
  for (const char* kind : kPositionKinds) {
    const std::string folder = tuned(kind, 5);
    TextModelOptions options;
    options.base = folder;
    const TextModel model(options, 1);
    EXPECT_EQ(model.max_tokens(), static_cast<std::size_t>(kTokens));
    EXPECT_LT(apart(model.embed(texts_, "", {}), by_engine(folder)), 1e-5) << kind;
  }
}

TEST_F(Positions, AreRefusedWhereThereIsNoTableOrNothingToAdd) {
  const auto failure = [&](const Overrides& settings) -> std::string {
    try {
      train(recipe("other", settings), false, two_threads());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const auto based = [&](const std::string& folder, const std::string& positions) {
    return Overrides{"model={base='" + folder + "', positions=" + positions + "}"};
  };
  EXPECT_THAT(failure(based(file("base"), "{tokens=24}")),
              HasSubstr("positions for 24 tokens, expected more than the 24"));
  EXPECT_THAT(failure(based(file("base"), "{tokens=60, kind='grouped'}")),
              HasSubstr("interpolated"));
  EXPECT_THAT(failure(based(begun("interpolated"), "{tokens=90}")),
              HasSubstr("interpolated already"));
  EXPECT_THAT(failure({"model.architecture.type=llama", "model.positions={tokens=60}"}),
              HasSubstr("llama has no table"));
  try {
    by_engine(begun("recurrent"), {.tokens = 200, .extension = Extension::gp});
    by_engine(begun("interpolated"), {.tokens = 200, .extension = Extension::gp});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("interpolated already, for texts of 72 tokens"));
  }
}

}  // namespace
}  // namespace kith::learn
