// Models that think before they embed: trained, saved, and run by the engine.
#include <gmock/gmock.h>

#include "kith/text_encoder.h"
#include "learn/nn/text_model.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/test_recipes.h"
#include "learn/train/trainer.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

class Thinkers : public TinyTrainings {
 protected:
  // A query is a letter; what answers it lies two steps ahead, which the thought takes.
  void SetUp() override {
    TinyTrainings::SetUp();
    std::string lines;
    for (std::size_t i = 0; i < std::size(kSteps); ++i) {
      lines += nlohmann::json({{"query", kSteps[i]},
                               {"thought", "next is " + std::string(next(i, 1))},
                               {"positive", "the end is " + std::string(next(i, 2))}})
                   .dump() +
               "\n";
    }
    formats::write_bytes(file("thoughts.jsonl"), lines);
  }
  static const char* next(std::size_t i, std::size_t steps) {
    return kSteps[(i + steps) % std::size(kSteps)];
  }

  Recipe thinker(const std::string& output, const Overrides& more = {}) const {
    Overrides settings = {"model.architecture.type=llama",
                          "model.architecture.max_tokens=64",
                          "model.architecture.width=32",
                          "model.architecture.hidden=48",
                          "model.thinking={end='[SEP]', thought_tokens=8}",
                          "data=[{files=['" + file("thoughts.jsonl") + "']}]",
                          "loss.without_thought=0",
                          "train.steps=150",
                          "train.batch=12",
                          "train.dropout=0",
                          "train.attention_dropout=0",
                          "train.learning_rate=0.01"};
    settings.insert(settings.end(), more.begin(), more.end());
    return recipe(output, settings);
  }

  static constexpr const char* kSteps[] = {"mail",  "reader",  "picture", "viewer",
                                           "chess", "game",    "sound",   "library",
                                           "tool",  "network", "text",    "editor"};
};

TEST_F(Thinkers, LearnToWriteTheirThoughtsAndTheEngineWritesThem) {
  const TrainSummary summary = train(thinker("thinker"), false, two_threads());
  EXPECT_LT(summary.last_loss, 0.3 * summary.first_loss);
  const TextEncoder model = TextEncoder::open(file("thinker"));
  ASSERT_TRUE(model.thinks());
  TextEncodeOptions options;
  options.think = ThinkOptions{.thoughts = 2, .temperature = 0};
  std::size_t right = 0;
  std::vector<std::string_view> queries(std::begin(kSteps), std::end(kSteps));
  const EncodedTexts encoded = model.encode(queries, options);
  ASSERT_EQ(encoded.thoughts.size(), queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    ASSERT_EQ(encoded.thoughts[i].size(), 2u);
    right += encoded.thoughts[i][0] == "next is " + std::string(next(i, 1)) ? 1 : 0;
  }
  EXPECT_GE(right, queries.size() - 2);
}

TEST_F(Thinkers, EmbedInTheEngineAsInTraining) {
  train(thinker("thinker", {"train.steps=20"}), false, two_threads());
  TextModelOptions options;
  options.base = file("thinker");
  const TextModel model(options, 1);
  ASSERT_TRUE(model.thinking().has_value());
  const TextEncoder engine = TextEncoder::open(file("thinker"));
  const std::vector<std::string_view> texts = {"mail reader", "the end is chess", ""};
  const auto near = [](const at::Tensor& a, const Matrix<float>& b) {
    double most = 0;
    for (std::int64_t i = 0; i < a.size(0); ++i) {
      for (std::int64_t j = 0; j < a.size(1); ++j) {
        most = std::max(most, std::abs(a[i][j].item<double>() - b(static_cast<std::size_t>(i),
                                                                  static_cast<std::size_t>(j))));
      }
    }
    return most;
  };
  EXPECT_LT(near(embed_documents(model, texts, {}, {}, {}), engine.encode(texts).vectors), 1e-5);
  TextEncodeOptions at_once;
  at_once.think = ThinkOptions{.thoughts = 0};
  EXPECT_LT(near(embed_queries(model, texts, {}, {}, {}), engine.encode(texts, at_once).vectors),
            1e-5);
}

TEST_F(Thinkers, TakeThePartsOfASequenceOutOfTexts) {
  train(thinker("thinker", {"train.steps=2"}), false, two_threads());
  const TextEncoder engine = TextEncoder::open(file("thinker"));
  const std::vector<std::string_view> texts = {"mail <thought> reader", "mail reader"};
  const Matrix<float> vectors = engine.encode(texts).vectors;
  for (std::size_t j = 0; j < vectors.cols(); ++j) EXPECT_EQ(vectors(0, j), vectors(1, j));
}

TEST_F(Thinkers, AreCausalAndTheOthersDoNotThink) {
  try {
    train(thinker("bert", {"model.architecture.type=bert"}), false, two_threads());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("thinking"));
  }
  train(recipe("plain", {"train.steps=1"}), false, two_threads());
  const TextEncoder plain = TextEncoder::open(file("plain"));
  TextEncodeOptions options;
  options.think = ThinkOptions{};
  const std::vector<std::string_view> texts = {"mail"};
  try {
    plain.encode(texts, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("thinking.json"));
  }
}

}  // namespace
}  // namespace kith::learn
