#include "learn/weights/model_weights.h"

#include <gtest/gtest.h>

#include <set>

#include "encode/model_folder.h"
#include "formats/test_files.h"
#include "kith/train_tokenizer.h"
#include "learn/loss/info_nce.h"
#include "learn/nn/text_model.h"
#include "learn/torch.h"
#include "learn/weights/self_positioning.h"
#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

const std::vector<std::string_view> kTexts = {"a mail reader",   "reads mail and news",
                                              "a game of chess", "plays chess against you",
                                              "a viewer",        "shows pictures"};

class TrainedModels : public testing::Test {
 protected:
  void SetUp() override {
    TokenizerTrainer trainer({.vocabulary = 80, .min_frequency = 1});
    trainer.add(kTexts);
    encode::write_text(folder_.file("tokenizer.json"), trainer.train().json);
  }

  TextModelOptions small(const std::string& type) const {
    TextModelOptions options;
    options.architecture = {.type = type,
                            .layers = 2,
                            .width = 16,
                            .heads = 2,
                            .hidden = 24,
                            .max_tokens = 16,
                            .tokenizer = folder_.file("tokenizer.json")};
    return options;
  }

  // As `model`, changed a little, in a folder of this name.
  void train(const std::string& name, std::uint64_t seed) const {
    TextModelOptions base;
    base.base = folder_.file("base");
    const TextModel model(base, 1);
    torch::manual_seed(seed);
    const torch::NoGradGuard constant;
    for (const Parameter& each : model.parameters()) {
      at::Tensor(each.value).add_(torch::randn(each.value.sizes()), 0.05);
    }
    model.save(folder_.file(name));
  }

  formats::TemporaryFolder folder_;
};

TEST_F(TrainedModels, HaveTheNamesInTheirFoldersThatTheyHaveInTraining) {
  for (const char* kind : {"mean", "latent", "self_attention", "multi_layer", "weighted_layers"}) {
    TextModelOptions options = small("llama");
    options.causal = false;
    options.pooling = PoolerOptions{.kind = kind, .latents = 3, .head_dim = 4};
    options.dim = 5;
    const TextModel model(options, 3);
    model.save(folder_.file(kind));
    std::set<std::string> wanted, got;
    for (const Parameter& each : model.parameters()) wanted.insert(each.name);
    for (const Parameter& each : read_model_weights(folder_.file(kind)).tensors) {
      got.insert(each.name);
      EXPECT_TRUE(torch::equal(each.value, model.parameters()[each.name])) << each.name;
    }
    EXPECT_EQ(got, wanted) << kind;
  }
}

TEST_F(TrainedModels, ArePositionedByTheLossOfAProbe) {
  TextModel(small("bert"), 3).save(folder_.file("base"));
  train("a", 1);
  train("b", 2);
  std::vector<ModelWeights> folders;
  for (const char* name : {"base", "a", "b"}) {
    folders.push_back(read_model_weights(folder_.file(name)));
  }
  const TaskVectors vectors = task_vectors_of(folders);
  TextModelOptions base;
  base.base = folder_.file("base");
  const TextModel model(base, 1);
  const TextModel::Texts texts = model.tokenize(kTexts, "", 0, {});
  const Tokens tokens = pack_tokens(texts.sequences);
  const auto loss = [&](std::int64_t) {
    const std::size_t layers = model.transformer().layers();
    const at::Tensor all =
        model.vectors(model.transformer().states(tokens, layers), layers, tokens);
    const at::Tensor loss =
        info_nce({.queries = all.slice(0, 0, 6, 2), .positives = all.slice(0, 1, 6, 2)});
    loss.backward();
    return loss.item<double>();
  };
  const SelfPositioning found = self_position(vectors, model.parameters(), loss, {.steps = 30});
  EXPECT_LT(found.losses.back(), found.losses.front());

  model.save(folder_.file("merged"));
  const Parameters merged = read_model_weights(folder_.file("merged")).tensors;
  const Parameters wanted = add_to_base(vectors, combine(vectors.vectors, found.coefficients));
  for (const Parameter& each : merged) {
    EXPECT_LT((each.value - wanted[each.name]).abs().max().item<double>(), 1e-5) << each.name;
  }
}

}  // namespace
}  // namespace kith::learn
