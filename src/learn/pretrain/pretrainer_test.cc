#include "learn/pretrain/pretrainer.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/read_file.h"
#include "kith/error.h"
#include "kith/text_encoder.h"
#include "learn/pretrain/test_texts.h"
#include "learn/test_processes.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class Pretraining : public SmallLanguage {
 protected:
  std::vector<std::string> settings(const std::string& kind, const std::string& output) const {
    const bool causal = kind == "clm" || kind == "ftp";
    return {"output=" + file(output),
            "objective.kind=" + kind,
            "objective.layers=[1, 2]",
            "objective.dims=[8, 24]",
            "objective.decoder_layers=1",
            "objective.pseudo_tokens=2",
            "objective.ahead=4",
            std::string("model.architecture.type=") + (causal ? "gpt2" : "bert"),
            "model.architecture.tokenizer=" + file("tokenizer.json"),
            "model.architecture.layers=2",
            "model.architecture.width=24",
            "model.architecture.heads=2",
            "model.architecture.max_tokens=64",
            "data=[{files=['" + file("texts.txt") + "']}]",
            "validation={files=['" + file("texts.txt") + "'], texts=40}",
            "train.steps=30",
            "train.batch=16",
            "train.tokens=64",
            "train.learning_rate=0.01",
            "train.checkpoint_seconds=0"};
  }
  TrainSummary run(const std::vector<std::string>& settings, const Control& control = {}) const {
    return pretrain(read_pretrain_recipe("", settings), false, control);
  }
};

TEST_F(Pretraining, LowersEveryObjectivesSurpriseAndTheEncoderRunsTheFolder) {
  for (const char* kind : kObjectiveKinds) {
    const TrainSummary summary = run(settings(kind, kind));
    EXPECT_LT(summary.last_loss, summary.first_loss - 0.5) << kind;
    EXPECT_EQ(summary.metric, "loss");
    EXPECT_LT(summary.best_score, summary.first_loss - 0.5) << kind;
    const TextEncoder encoder = TextEncoder::open(file(kind));
    const std::vector<std::string_view> texts = {"the reader often shows mails"};
    EXPECT_EQ(encoder.encode(texts, {}).vectors.cols(), 24u);
  }
}

TEST_F(Pretraining, GoesOnFromAFolderWithItsHead) {
  for (const char* kind : {"mlm", "clm", "ftp"}) {
    const TrainSummary first = run(settings(kind, std::string(kind) + "-1"));
    std::vector<std::string> again = settings(kind, std::string(kind) + "-2");
    std::erase_if(again, [](const std::string& each) { return each.starts_with("model."); });
    again.push_back("model.base=" + file(std::string(kind) + "-1"));
    again.push_back("train.steps=3");
    again.push_back("train.learning_rate=1e-5");
    const TrainSummary second = run(again);
    EXPECT_NEAR(second.best_score, first.best_score, 0.05) << kind;
    EXPECT_LT(second.first_loss, (first.first_loss + first.last_loss) / 2) << kind;
  }
}

TEST_F(Pretraining, InterruptedEndsInTheSameBytes) {
  for (const char* kind : kObjectiveKinds) {
    const std::string whole = std::string(kind) + "-whole", parts = std::string(kind) + "-parts";
    run(settings(kind, whole));
    bool interrupted = false;
    for (int milliseconds = 20;; milliseconds += 20) {
      std::atomic<bool> cancel = false;
      Control control;
      control.cancel = &cancel;
      const std::jthread interrupter([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        cancel = true;
      });
      try {
        interrupted = run(settings(kind, parts), control).first_step > 0;
        break;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled) << error.what();
      }
    }
    EXPECT_TRUE(interrupted) << kind;
    for (const char* name : {"/model.safetensors", "/training/log.jsonl"}) {
      EXPECT_EQ(read_file(file(whole) + name), read_file(file(parts) + name)) << kind << name;
    }
  }
}

TEST_F(Pretraining, BySeveralProcessesTakesTheStepsOfOne) {
  const Control control{.threads = 1, .cancel = nullptr, .progress = {}};
  for (const char* kind : kObjectiveKinds) {
    std::vector<std::string> exact = settings(kind, std::string(kind) + "-alone");
    exact.insert(exact.end(), {"train.dropout=0", "train.attention_dropout=0", "train.steps=12"});
    const TrainSummary alone = run(exact, control);
    for (const std::size_t count : {2, 3}) {
      exact.push_back("output=" + file(kind + std::to_string(count)));
      run_together(count, [&](const auto& processes) {
        const TrainSummary own =
            pretrain(read_pretrain_recipe("", exact), false, control, processes);
        ASSERT_EQ(own.lines.size(), alone.lines.size());
        for (std::size_t i = 0; i < own.lines.size(); ++i) {
          EXPECT_NEAR(own.lines[i].loss, alone.lines[i].loss, 1e-4 * alone.lines[i].loss)
              << kind << i;
        }
        EXPECT_NEAR(own.best_score, alone.best_score, 1e-4 * alone.best_score) << kind;
      });
    }
  }
}

TEST_F(Pretraining, RefusesBadRecipesByTheirKeys) {
  const auto refused = [&](const std::string& setting) {
    std::vector<std::string> wrong = settings("mlm", "wrong");
    wrong.push_back(setting);
    try {
      run(wrong);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  EXPECT_THAT(refused("objective.kind=words"), HasSubstr("kind"));
  EXPECT_THAT(refused("objective.mask_rate=0"), HasSubstr("mask_rate"));
  EXPECT_THAT(refused("train.tokens=65"), HasSubstr("train.tokens 65"));
  EXPECT_THAT(refused("train.query_tokens=8"), HasSubstr("query_tokens"));
  EXPECT_THAT(refused("data=[{files=['" + file("none.txt") + "']}]"), HasSubstr("none.txt"));
  encode::write_text(file("empty.txt"), "\n\n");
  EXPECT_THAT(refused("data=[{files=['" + file("empty.txt") + "']}]"), HasSubstr("empty.txt"));
}

}  // namespace
}  // namespace kith::learn
