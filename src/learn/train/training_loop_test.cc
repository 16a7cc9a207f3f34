#include "learn/train/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "base/random.h"
#include "base/test_error.h"
#include "formats/test_files.h"
#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;
using Values = std::vector<double>;

constexpr std::int64_t kWidth = 3;

// Three weights, to be near the points that batches are: the mean square of what lies between.
class PointsTask : public TrainingTask {
 public:
  PointsTask() { weights_.add("point", torch::zeros({kWidth}).requires_grad_()); }

  Parameters trained() const override { return weights_; }
  std::int64_t parameters() const override { return kWidth; }
  std::int64_t batches_per_epoch() const override { return 10; }
  void skip(std::int64_t batches) override { next_ += batches; }

  static Values point(std::int64_t number) {
    Random random(7, static_cast<std::uint64_t>(number));
    Values values(kWidth);
    for (double& value : values) value = random.normal();
    return values;
  }
  Values weights() const {
    const at::Tensor values = weights_["point"].detach().to(torch::kFloat64).contiguous();
    return {values.data_ptr<double>(), values.data_ptr<double>() + kWidth};
  }

  StepOutcome step(std::uint64_t seed, double scale) override {
    pause();
    const auto noise = static_cast<double>(seed % 1000) * noise_;
    const at::Tensor wanted = torch::tensor(point(next_++)).to(torch::kFloat32) + noise;
    const at::Tensor loss = (weights_["point"] - wanted).square().mean();
    (loss * scale).backward();
    return {.loss = loss.item<double>(), .tokens = 1};
  }

  std::vector<Measure> validate() override {
    pause();
    seen_.push_back(weights());
    if (!scores_.empty()) return {{"score", scores_.at(seen_.size() - 1), true}};
    return {{"distance", weights_["point"].norm().item<double>(), false}};
  }

  void save(const std::string&, const std::map<std::string, std::string>& files) const override {
    files_ = files;
  }

  // Throws when what a test set as cancelled is, as readers of data do.
  void pause() {
    ++calls_;
    if (on_call_) on_call_(calls_);
  }

  Parameters weights_;
  std::int64_t next_ = 0;
  int calls_ = 0;
  double noise_ = 0;
  std::function<void(int)> on_call_;
  Values scores_;             // of each validation; empty: the weights' own
  std::vector<Values> seen_;  // the weights at each validation
  mutable std::map<std::string, std::string> files_;
};

class TrainingLoops : public testing::Test {
 protected:
  // SGD without momentum, at one rate.
  TrainingRun plain() const {
    TrainingRun run{
        .output = folder_.file("out"), .document = "a recipe", .loop = {}, .validation = {}};
    run.loop.steps = 8;
    run.loop.clip = 0;
    run.loop.optimiser = {.name = "sgd", .learning_rate = 0.3, .momentum = 0};
    run.loop.schedule = {.shape = "constant", .warmup = 0};
    return run;
  }
  // With all that has a state.
  TrainingRun rich() const {
    TrainingRun run = plain();
    run.loop.accumulation = 3;
    run.loop.average = 0.9;
    run.loop.optimiser = {.name = "adamw", .learning_rate = 0.1};
    run.loop.schedule = {};
    run.validation.every = 2;
    run.validation.patience = 2;
    return run;
  }

  formats::TemporaryFolder folder_;
};

// What SGD at rate 0.3 makes of the weights, step by step.
std::vector<Values> reference(std::int64_t steps, std::int64_t accumulation) {
  std::vector<Values> all = {Values(kWidth)};
  for (std::int64_t step = 0; step < steps; ++step) {
    Values next = all.back();
    for (std::int64_t part = 0; part < accumulation; ++part) {
      const Values point = PointsTask::point(step * accumulation + part);
      for (std::size_t i = 0; i < point.size(); ++i) {
        const double slope = 2 * (all.back()[i] - point[i]) / kWidth;
        next[i] -= 0.3 * slope / static_cast<double>(accumulation);
      }
    }
    all.push_back(next);
  }
  return all;
}

void expect_near(const Values& got, const Values& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-5) << i;
}

TEST_F(TrainingLoops, StepAlongTheMeanOfAccumulatedGradients) {
  for (const std::int64_t accumulation : {1, 4}) {
    PointsTask task;
    TrainingRun run = plain();
    run.loop.accumulation = accumulation;
    run.validation.keep_best = false;
    run_training(task, run, {});
    expect_near(task.weights(), reference(8, accumulation).back());
  }
}

TEST_F(TrainingLoops, EndWithTheRunningMeanOfTheirWeights) {
  PointsTask task;
  TrainingRun run = plain();
  run.loop.average = 0.25;
  run.validation.keep_best = false;
  run_training(task, run, {});
  Values mean(kWidth);
  const std::vector<Values> weights = reference(8, 1);
  for (std::size_t step = 1; step < weights.size(); ++step) {
    const auto n = static_cast<double>(step - 1);
    const double decay = std::min(0.25, (1 + n) / (10 + n));
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] = decay * mean[i] + (1 - decay) * weights[step][i];
    }
  }
  expect_near(task.weights(), mean);
  expect_near(task.seen_.back(), mean);
}

TEST_F(TrainingLoops, KeepTheWeightsOfTheBestValidation) {
  for (const double average : {0.0, 0.5}) {
    PointsTask task;
    task.scores_ = {0.2, 0.7, 0.7, 0.4};
    TrainingRun run = plain();
    run.loop.average = average;
    run.validation.every = 2;
    const TrainSummary summary = run_training(task, run, {});
    EXPECT_EQ(summary.best_step, 4);
    EXPECT_EQ(summary.best_score, 0.7);
    EXPECT_EQ(task.weights(), task.seen_[1]);
  }
}

TEST_F(TrainingLoops, KeepTheLastWeightsWhereAskedTo) {
  PointsTask task;
  task.scores_ = {0.2, 0.7, 0.7, 0.4};
  TrainingRun run = plain();
  run.validation = {.every = 2, .keep_best = false};
  EXPECT_EQ(run_training(task, run, {}).best_step, 4);
  EXPECT_EQ(task.weights(), task.seen_[3]);
}

TEST_F(TrainingLoops, EndWhenSoManyValidationsWereNoBetter) {
  PointsTask task;
  task.scores_ = {0.2, 0.7, 0.6, 0.7, 0.9};
  TrainingRun run = plain();
  run.validation = {.every = 1, .patience = 2};
  const TrainSummary summary = run_training(task, run, {});
  EXPECT_EQ(summary.steps, 4);
  EXPECT_EQ(summary.best_step, 2);
  EXPECT_EQ(task.weights(), task.seen_[1]);
}

TEST_F(TrainingLoops, AScoreThatIsNoNumberIsNeverTheBest) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  PointsTask task;
  task.scores_ = {kNan, 0.1, kNan, 0.05};
  TrainingRun run = plain();
  run.validation.every = 2;
  EXPECT_EQ(run_training(task, run, {}).best_step, 4);
}

struct Result {
  Values weights;
  std::map<std::string, std::string> files;
  bool operator==(const Result&) const = default;
};

// Cancels at each `every`-th call, which ends at once or runs to its end, and begins again.
Result interrupted(const TrainingRun& run, int every, bool at_once, int* interruptions) {
  for (;;) {
    PointsTask task;
    task.noise_ = 1e-3;
    std::atomic<bool> cancel{false};
    const Control control{.threads = 1, .cancel = &cancel, .progress = {}};
    task.on_call_ = [&](int call) {
      if (call == every) cancel = true;
      if (at_once) throw_if_cancelled(control);
    };
    try {
      run_training(task, run, control);
      return {task.weights(), task.files_};
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::cancelled) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("steps are kept in " + run.output + ".checkpoint"));
      EXPECT_TRUE(std::filesystem::exists(run.output + ".checkpoint"));
      ++*interruptions;
    }
  }
}

TEST_F(TrainingLoops, CancelledAtAnyMomentGoOnToTheSameResult) {
  int none = 0;
  const Result whole = interrupted(rich(), 1000, false, &none);
  EXPECT_EQ(none, 0);
  EXPECT_EQ(whole.files.size(), 3u);
  // A step is four calls at most: three batches and a validation.
  int all = 0;
  for (int every = 4; every < 30; ++every) {
    for (const bool at_once : {false, true}) {
      int interruptions = 0;
      EXPECT_EQ(interrupted(rich(), every, at_once, &interruptions), whole) << every;
      all += interruptions;
      EXPECT_FALSE(std::filesystem::exists(rich().output + ".checkpoint"));
    }
  }
  EXPECT_GT(all, 50);
}

TEST_F(TrainingLoops, ThatDivergeAreRefusedWithStepAndValue) {
  TrainingRun run = plain();
  run.loop.steps = 100;
  run.loop.optimiser.learning_rate = 1e6;
  PointsTask task;
  EXPECT_THAT(error_of([&] { run_training(task, run, {}); }),
              HasSubstr("step 5: the loss is inf and its gradient's length"));
  run.loop.steps = 1;
  run.loop.optimiser.learning_rate = 3e38;
  PointsTask last;
  last.noise_ = 1;
  EXPECT_THAT(error_of([&] { run_training(last, run, {}); }),
              HasSubstr("step 1: point has values that aren't finite"));
}

// Leaves the checkpoint of a cancelled training.
void leave_checkpoint(const TrainingRun& run) {
  PointsTask task;
  std::atomic<bool> cancel{false};
  task.on_call_ = [&](int call) {
    if (call == 5) cancel = true;
  };
  EXPECT_THROW(run_training(task, run, {.threads = 1, .cancel = &cancel, .progress = {}}), Error);
}

TEST_F(TrainingLoops, RefuseACheckpointOfAnotherRecipeAndForgetItOnRestart) {
  leave_checkpoint(rich());
  TrainingRun other = rich();
  other.document = "another recipe";
  PointsTask task;
  EXPECT_THAT(error_of([&] { run_training(task, other, {}); }),
              HasSubstr("out.checkpoint: of another recipe or other settings; with --restart"));
  other.restart = true;
  EXPECT_EQ(run_training(task, other, {}).first_step, 0);
}

TEST_F(TrainingLoops, RefuseACheckpointThatIsDamaged) {
  const TrainingRun run = rich();
  leave_checkpoint(run);
  const std::string bytes = formats::file_bytes(run.output + ".checkpoint");
  const auto refused = [&](const std::string& damaged) {
    formats::write_bytes(run.output + ".checkpoint", damaged);
    PointsTask task;
    return error_of([&] { run_training(task, run, {}); });
  };
  EXPECT_THAT(refused(bytes.substr(0, bytes.size() / 2)), HasSubstr("out.checkpoint: "));
  EXPECT_THAT(refused(""), HasSubstr("out.checkpoint: "));
  EXPECT_THAT(refused("no checkpoint at all"), HasSubstr("out.checkpoint: "));
  std::string changed = bytes;
  changed[bytes.find("a recipe")] = 'b';
  EXPECT_THAT(refused(changed), HasSubstr("out.checkpoint: "));
  EXPECT_EQ(refused(bytes), "");
}

TEST_F(TrainingLoops, WithoutAnythingToTrainAreRefused) {
  PointsTask task;
  task.weights_ = {};
  EXPECT_THAT(error_of([&] { run_training(task, plain(), {}); }),
              HasSubstr("nothing in the model is trained"));
}

}  // namespace
}  // namespace kith::learn
