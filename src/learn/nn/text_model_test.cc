#include "learn/nn/text_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encode/test_checkpoint.h"
#include "kith/error.h"
#include "kith/text_encoder.h"
#include "kith/train_tokenizer.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

const std::vector<std::string_view> kTexts = {
    "a mail reader for the terminal",
    "a viewer of pictures",
    "tools",
    "library for fast Fourier "
    "transforms of real and complex data in one or more dimensions",
    "game of chess against the "
    "computer",
    "reads mail, news and feeds"};

// A folder with a tokenizer learned from a few words.
class Models : public testing::Test {
 protected:
  void SetUp() override {
    TokenizerTrainer trainer({.vocabulary = 120, .min_frequency = 1});
    trainer.add(kTexts);
    encode::write_text(folder_.file("tokenizer.json"), trainer.train().json);
  }

  TextModelOptions small(const std::string& type) const {
    TextModelOptions options;
    options.architecture = {.type = type,
                            .layers = 3,
                            .width = 24,
                            .heads = 3,
                            .hidden = 40,
                            .max_tokens = 32,
                            .tokenizer = folder_.file("tokenizer.json")};
    return options;
  }

  // What the folder that a model writes gives to the encoder, beside the model's own vectors.
  double difference(const TextModel& model, const std::string& name,
                    const TextEncodeOptions& options = {}) const {
    model.save(folder_.file(name));
    const TextEncoder encoder = TextEncoder::open(folder_.file(name));
    const at::Tensor wanted = tensor_of(encoder.encode(kTexts, options).vectors);
    const std::string prompt =
        options.prompt.value_or(model.prompts().contains("q") ? model.prompts().at("q") : "");
    const at::Tensor got = model.embed(kTexts, prompt, {});
    return (got - wanted).abs().max().item<double>();
  }

  formats::TemporaryFolder folder_;
};

TEST_F(Models, OfEveryPoolingAreWhatTheEncoderRuns) {
  for (const char* type : {"bert", "llama"}) {
    for (const char* kind : {"cls", "mean", "max", "mean_sqrt_len", "weighted_mean", "last"}) {
      TextModelOptions options = small(type);
      options.pooling = PoolerOptions{.kind = kind};
      EXPECT_LT(difference(TextModel(options, 3), std::string(type) + kind), 1e-5) << type << kind;
    }
  }
}

TEST_F(Models, OfATableOfTokensAreWhatTheEncoderRuns) {
  const TextModel fresh(small("static"), 3);
  EXPECT_EQ(fresh.trained().size(), 1u);
  EXPECT_LT(difference(fresh, "static"), 1e-6);
  TextModelOptions again;
  again.base = folder_.file("static");
  EXPECT_LT(difference(TextModel(again, 1), "again"), 1e-6);
  again.dim = 8;
  EXPECT_THROW(TextModel(again, 1), Error);
  again.dim = 0;
  again.causal = true;
  EXPECT_THROW(TextModel(again, 1), Error);
}

TEST_F(Models, OfEveryTrainedPoolingAreWhatTheEncoderRuns) {
  for (const bool causal : {false, true}) {
    for (const char* kind :
         {"latent", "self_attention", "last_layer", "multi_layer", "weighted_layers"}) {
      TextModelOptions options = small("llama");
      options.causal = causal;
      options.pooling = PoolerOptions{.kind = kind, .latents = 5, .head_dim = 6};
      const TextModel model(options, 3);
      const std::string name = std::string(kind) + (causal ? "-causal" : "");
      EXPECT_LT(difference(model, name), 1e-5) << name;
      TextModelOptions again;
      again.base = folder_.file(name);
      EXPECT_TRUE(
          torch::equal(TextModel(again, 9).embed(kTexts, "", {}), model.embed(kTexts, "", {})))
          << name;
    }
  }
}

TEST_F(Models, NormedAtEveryLayerAreWhatTheEncoderRunsAtEach) {
  TextModelOptions options = small("llama");
  options.norm_every_layer = true;
  const TextModel model(options, 3);
  model.save(folder_.file("every"));
  const TextEncoder encoder = TextEncoder::open(folder_.file("every"));
  const TextModel::Texts texts = model.tokenize(kTexts, "", 0, {});
  const Tokens tokens = pack_tokens(texts.sequences);
  const torch::NoGradGuard constant;
  const auto states = model.transformer().states(tokens, 3);
  for (std::size_t layer = 1; layer <= 3; ++layer) {
    TextEncodeOptions encode;
    encode.layer = layer;
    const at::Tensor wanted = tensor_of(encoder.encode(kTexts, encode).vectors);
    EXPECT_LT((model.vectors(states, layer, tokens) - wanted).abs().max().item<double>(), 1e-5);
  }
}

TEST_F(Models, WithPromptsDenseLayersAndBothWaysAreWhatTheEncoderRuns) {
  TextModelOptions options = small("llama");
  options.pooling = PoolerOptions{.kind = "mean", .include_prompt = false};
  options.causal = false;
  options.dim = 10;
  options.prompts = {{"q", "mail: "}};
  options.default_prompt = "q";
  const TextModel model(options, 3);
  EXPECT_FALSE(model.causal());
  EXPECT_EQ(model.dim(), 10);
  EXPECT_LT(difference(model, "prompted"), 1e-5);
}

TEST_F(Models, ReadBackAreTheSame) {
  TextModelOptions options = small("bert");
  options.dim = 10;
  const TextModel model(options, 3);
  model.save(folder_.file("first"));
  TextModelOptions again;
  again.base = folder_.file("first");
  const TextModel read(again, 99);
  EXPECT_TRUE(torch::equal(model.embed(kTexts, "", {}), read.embed(kTexts, "", {})));
  EXPECT_EQ(model.parameters().values(), read.parameters().values());
}

TEST_F(Models, WithLoraStartAsTheirBaseAndTrainTheChangesAlone) {
  const TextModel base(small("llama"), 3);
  TextModelOptions options = small("llama");
  options.lora = LoraOptions{.rank = 2, .layers = {"q_proj", "down_proj"}};
  const TextModel model(options, 3);
  EXPECT_TRUE(torch::equal(model.embed(kTexts, "", {}), base.embed(kTexts, "", {})));
  EXPECT_EQ(model.trained().size(), 3 * 2 * 2);
  for (const Parameter& each : model.trained()) {
    const torch::NoGradGuard constant;
    at::Tensor(each.value).add_(0.1);
  }
  EXPECT_FALSE(torch::equal(model.embed(kTexts, "", {}), base.embed(kTexts, "", {})));
  EXPECT_LT(difference(model, "lora"), 1e-5);
}

TEST_F(Models, OfTheSameSeedAreEqualAndOfAnotherDiffer) {
  const at::Tensor first = TextModel(small("bert"), 3).embed(kTexts, "", {});
  EXPECT_TRUE(torch::equal(first, TextModel(small("bert"), 3).embed(kTexts, "", {})));
  EXPECT_FALSE(torch::equal(first, TextModel(small("bert"), 4).embed(kTexts, "", {})));
}

TEST_F(Models, ThatCantBeAreRefusedWithWhatWasSeen) {
  const auto message = [](const TextModelOptions& options) {
    try {
      TextModel(options, 1);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  TextModelOptions options = small("bert");
  options.causal = true;
  EXPECT_THAT(message(options), testing::HasSubstr("a model of type bert can't be causal"));
  options = small("bert");
  options.pooling = PoolerOptions{.kind = "medium"};
  EXPECT_THAT(message(options), testing::HasSubstr("pooling 'medium', expected cls, mean"));
  options = small("bert");
  options.architecture.tokenizer.clear();
  EXPECT_THAT(message(options), testing::HasSubstr("no tokenizer"));
  options = small("brt");
  EXPECT_THAT(message(options), testing::HasSubstr("model_type"));
  options = small("bert");
  options.lora = LoraOptions{.layers = {"nothing"}};
  EXPECT_THAT(message(options), testing::HasSubstr("no dense layer's name ends as wanted"));
  options = small("bert");
  options.norm_every_layer = true;
  EXPECT_THAT(message(options), testing::HasSubstr("of type bert has no final norm"));
  options = small("bert");
  options.default_prompt = "query";
  EXPECT_THAT(message(options), testing::HasSubstr("default prompt 'query'"));
}

}  // namespace
}  // namespace kith::learn
