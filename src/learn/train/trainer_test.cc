#include "learn/train/trainer.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/test_error.h"
#include "kith/text_encoder.h"
#include "learn/nn/tensor_files.h"
#include "learn/test_processes.h"
#include "learn/torch.h"
#include "learn/train/test_recipes.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class Trainings : public TinyTrainings {
 protected:
  // With all that has a state, over two sources with losses of their own.
  Recipe rich(const std::string& output) const {
    Recipe recipe = this->recipe(
        output, {"train.accumulation=2", "train.average=0.9", "train.chunk=3", "elastic.kind=2d",
                 "validation.files=" + file("pairs.jsonl"), "validation.every=3",
                 "validation.patience=2", "validation.examples=20"});
    recipe.sources.push_back(recipe.sources[0]);
    recipe.sources[1].loss.kind = "cosent";
    recipe.sources[0].mine = {.by = {"model", "bm25"}, .every = 4};
    recipe.sources[0].mine.negatives = {.first = 2, .last = 9, .count = 2, .fill = true};
    return recipe;
  }

  // Of queries that are near each other by what is mined before the first step.
  Recipe near(const std::string& output, const std::string& batches, Overrides more = {}) const {
    more.insert(more.end(), {"data.0.batches=" + batches, "data.0.mine.by=['bm25', 'model']",
                             "data.0.mine.first=1", "data.0.mine.count=6"});
    return recipe(output, more);
  }

  static Parameters weights_of(const std::string& folder) {
    TextModelOptions options;
    options.base = folder;
    return TextModel(options, 1).parameters();
  }
};

TEST_F(Trainings, LowerTheirLossAndWriteAFolderThatTheEncoderOpens) {
  const Recipe tiny = recipe("out", {"train.steps=60", "validation.files=" + file("pairs.jsonl")});
  const TrainSummary summary = train(tiny, false, two_threads());
  EXPECT_LT(summary.last_loss, 0.8 * summary.first_loss);
  EXPECT_EQ(summary.lines.size(), 60u);
  EXPECT_EQ(summary.validations.size(), 10u);
  EXPECT_GE(summary.best_score, summary.validations.back().score);
  EXPECT_EQ(summary.candidates, 16);
  EXPECT_EQ(TextEncoder::open(file("out")).info().dim, 16u);
  EXPECT_EQ(formats::file_bytes(file("out/training/recipe.toml")), tiny.document);
  EXPECT_FALSE(std::filesystem::exists(file("out.checkpoint")));
}

TEST_F(Trainings, OfTheSameSeedAreTheSameAndOfAnotherDiffer) {
  train(recipe("a"), false, two_threads());
  train(recipe("b"), false, two_threads());
  train(recipe("c", {"train.seed=2"}), false, two_threads());
  EXPECT_EQ(bytes_of("a"), bytes_of("b"));
  EXPECT_NE(bytes_of("a")[0], bytes_of("c")[0]);
}

// Cancels after `wait`, or lets it end.
bool runs_to_its_end(const Recipe& recipe, std::chrono::duration<double> wait) {
  std::atomic<bool> cancel{false};
  std::thread clock([&] {
    std::this_thread::sleep_for(wait);
    cancel = true;
  });
  bool ended = true;
  try {
    train(recipe, false, {.threads = 2, .cancel = &cancel, .progress = {}});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled) << error.what();
    ended = false;
  }
  clock.join();
  return ended;
}

TEST_F(Trainings, InterruptedAgainAndAgainEndInTheSameBytes) {
  const auto began = std::chrono::steady_clock::now();
  const TrainSummary summary = train(rich("whole"), false, two_threads());
  EXPECT_GT(summary.candidates, 8) << "no negatives were mined";
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - began;
  Random random(1);
  int interruptions = 0;  // the first run may have been slower than those that follow
  for (const char* output : {"a", "b", "c"}) {
    double share = 0.1;
    while (!runs_to_its_end(rich(output), (share + 0.2 * random.uniform()) * whole)) {
      ++interruptions;
      share += 0.1;
    }
    EXPECT_EQ(bytes_of(output), bytes_of("whole")) << output;
  }
  EXPECT_GT(interruptions, 0);
}

TEST_F(Trainings, OnQueriesNearEachOtherGoOnWhereTheyWereInterrupted) {
  for (const char* batches : {"drawn", "walk", "snowball"}) {
    const std::string name = batches;
    const auto began = std::chrono::steady_clock::now();
    const TrainSummary summary =
        train(near(name, batches, {"train.steps=40"}), false, two_threads());
    EXPECT_EQ(summary.candidates, 16) << "one negative each";
    const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - began;
    double share = 0.4;
    while (!runs_to_its_end(near(name + "2", batches, {"train.steps=40"}), share * whole)) {
      share += 0.2;
    }
    EXPECT_EQ(bytes_of(name + "2"), bytes_of(name));
  }
  EXPECT_NE(bytes_of("walk")[0], bytes_of("snowball")[0]);
  EXPECT_NE(bytes_of("walk")[0], bytes_of("drawn")[0]);
}

// On one thread each, without dropout.
Overrides exact(Overrides more = {}) {
  more.insert(more.end(), {"train.dropout=0", "train.attention_dropout=0", "train.steps=20"});
  return more;
}
constexpr std::size_t kOne = 1;

void expect_same_course(const TrainSummary& got, const TrainSummary& wanted) {
  ASSERT_EQ(got.lines.size(), wanted.lines.size());
  for (std::size_t i = 0; i < got.lines.size(); ++i) {
    // Below 0.1 it is the rounding of its logits, of about 10, that shows.
    const double scale = std::max(0.1, wanted.lines[i].loss);
    EXPECT_NEAR(got.lines[i].loss, wanted.lines[i].loss, 1e-5 * scale) << i;
  }
  EXPECT_EQ(got.candidates, wanted.candidates);
  ASSERT_EQ(got.validations.size(), wanted.validations.size());
}

TEST_F(Trainings, BySeveralProcessesTakeTheStepsOfOne) {
  const Control control{.threads = kOne, .cancel = nullptr, .progress = {}};
  const std::vector<Overrides> kinds = {
      {},
      {"train.chunk=3", "train.accumulation=2"},
      {"elastic.kind=2d", "train.average=0.9", "validation.files=" + file("pairs.jsonl")},
      {"data.0.mine.by=['bm25', 'model']", "data.0.mine.every=7", "data.0.mine.first=1"},
      {"data.0.mine.by=['bm25']", "data.0.mine.count=6", "data.0.mine.first=1",
       "data.0.batches=snowball"}};
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const std::string name = std::to_string(kind);
    const TrainSummary alone = train(recipe("alone" + name, exact(kinds[kind])), false, control);
    for (const std::size_t count : {2, 3}) {
      const std::string output = std::to_string(count) + "of" + name;
      const Recipe own = recipe(output, exact(kinds[kind]));
      run_together(count, [&](const auto& processes) {
        expect_same_course(train(own, false, control, processes), alone);
      });
      EXPECT_EQ(TextEncoder::open(file(output)).info().dim, 16u);
    }
  }
}

TEST_F(Trainings, BySeveralProcessesStopAndGoOnTogether) {
  const Control control{.threads = kOne, .cancel = nullptr, .progress = {}};
  run_together(2, [whole = recipe("whole"), &control](const auto& processes) {
    train(whole, false, control, processes);
  });
  const Recipe late = recipe("late", {"train.checkpoint_seconds=0"});
  // The second one alone is told to stop, once a checkpoint is there.
  std::atomic<bool> cancel{false}, stopped{false};
  std::thread watch([&] {
    while (!std::filesystem::exists(late.output + ".checkpoint") && !stopped) {
      std::this_thread::yield();
    }
    cancel = true;
  });
  run_together(2, [&](const auto& processes) {
    Control own = control;
    if (processes->rank() == 1) own.cancel = &cancel;
    EXPECT_THAT(error_of([&] { train(late, false, own, processes); }), HasSubstr("steps are kept"));
  });
  stopped = true;
  watch.join();
  run_together(2, [&](const auto& processes) {
    EXPECT_GT(train(late, false, control, processes).first_step, 0);
  });
  EXPECT_EQ(bytes_of("late"), bytes_of("whole"));
}

TEST_F(Trainings, OfLoraChangeTheirBaseByWhatTheyTrainAlone) {
  train(recipe("base"), false, two_threads());
  Recipe lora = recipe("lora", {"train.dropout=0"});
  lora.model = {};
  lora.model.base = file("base");
  lora.model.dim = 8;
  lora.model.lora = LoraOptions{.rank = 2, .layers = {"query", "value"}};
  const TrainSummary summary = train(lora, false, two_threads());
  // Two matrices of rank 2 for two dense layers of each of two layers, and the new dense layer.
  EXPECT_EQ(summary.trained, 2 * 2 * 2 * (16 * 2) + 8 * 16 + 8);
  const Parameters before = weights_of(file("base")), after = weights_of(file("lora"));
  std::size_t changed = 0;
  for (const Parameter& each : before) {
    const bool adapted = each.name.ends_with("query.weight") || each.name.ends_with("value.weight");
    EXPECT_EQ(torch::equal(each.value, after[each.name]), !adapted) << each.name;
    changed += adapted ? 1 : 0;
  }
  EXPECT_EQ(changed, 4u);
  // The folder holds the merged weights: its own model embeds as the encoder does.
  TextModelOptions options;
  options.base = file("lora");
  const std::vector<std::string_view> texts = {"mail reader", "chess game"};
  const at::Tensor wanted = TextModel(options, 1).embed(texts, "", {});
  const at::Tensor got = tensor_of(TextEncoder::open(file("lora")).encode(texts, {}).vectors);
  EXPECT_LT((got - wanted).abs().max().item<double>(), 1e-5);
}

TEST_F(Trainings, CountEpochsOverAllSources) {
  EXPECT_EQ(train(recipe("one", {"train.steps=0"}), false, two_threads()).steps, 5);
  EXPECT_EQ(train(recipe("two", {"train.steps=0", "train.epochs=2", "train.accumulation=2"}), false,
                  two_threads())
                .steps,
            5);
}

TEST_F(Trainings, ThatCantBeAreRefusedBeforeTheyBegin) {
  const auto refused = [&](const Recipe& recipe) {
    return error_of([&] { train(recipe, false, two_threads()); });
  };
  train(recipe("out", {"train.steps=1"}), false, two_threads());
  EXPECT_THAT(refused(recipe("out")), HasSubstr("out: exists already"));
  EXPECT_THAT(refused(recipe("new", {"data.0.files=none.jsonl"})),
              HasSubstr("none.jsonl: cannot be read"));
  EXPECT_THAT(refused(recipe("new", {"train.device=abacus"})),
              HasSubstr("device 'abacus', expected cpu"));
  EXPECT_THAT(refused(recipe("new", {"model.architecture.heads=3"})), HasSubstr("3"));
  formats::write_bytes(file("bad.jsonl"), "{\"query\": \"q\", \"positive\": \"p\"}\n{bad\n");
  EXPECT_THAT(refused(recipe("new", {"data.0.files=" + file("bad.jsonl")})),
              HasSubstr("bad.jsonl: line 2"));
  EXPECT_THAT(refused(recipe("new", {"loss.kind=triplet", "data.0.negatives_each=0"})),
              HasSubstr("triplet: examples without negatives"));
  EXPECT_FALSE(std::filesystem::exists(file("new")));
}

TEST_F(Trainings, ThatDivergeAreRefusedWithStepAndValue) {
  const Recipe steep =
      recipe("out", {"loss.kind=margin_mse", "loss.similarity=dot", "train.optimiser=sgd",
                     "train.learning_rate=1e4", "train.clip=0", "train.steps=50", "model.dim=16"});
  EXPECT_THAT(error_of([&] { train(steep, false, two_threads()); }),
              testing::ContainsRegex("step [0-9]+: the loss is (inf|-?nan)"));
}

}  // namespace
}  // namespace kith::learn
