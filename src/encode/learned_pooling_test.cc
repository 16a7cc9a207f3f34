// Poolings with weights of their own beside plain loops in double, and how bad ones are met.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "encode/test_models.h"
#include "encode/test_sequences.h"
#include "kith/encoder.h"
#include "kith/error.h"
#include "kith/text_encoder.h"

namespace kith::encode {
namespace {

using nlohmann::json;
using reference::Row;
using reference::Rows;
using testing::HasSubstr;

constexpr std::size_t kLatents = 5, kHeads = 3, kHeadDim = 7;

// ---- The definitions ----------------------------------------------------------------------------

Row mean(const Rows& rows, std::size_t first = 0) {
  Row sum(rows[0].size());
  for (std::size_t i = first; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < sum.size(); ++j) {
      sum[j] += rows[i][j] / static_cast<double>(rows.size() - first);
    }
  }
  return sum;
}

Rows asked(const Rows& q, const Rows& k, const Rows& v) {
  const std::size_t dim = q[0].size() / kHeads;
  Rows out(q.size(), Row(q[0].size()));
  for (std::size_t i = 0; i < q.size(); ++i) {
    for (std::size_t head = 0; head < kHeads; ++head) {
      Row shares(k.size());
      for (std::size_t j = 0; j < k.size(); ++j) {
        double score = 0;
        for (std::size_t d = head * dim; d < (head + 1) * dim; ++d) score += q[i][d] * k[j][d];
        shares[j] = std::exp(score / std::sqrt(static_cast<double>(dim)));
      }
      const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
      for (std::size_t j = 0; j < k.size(); ++j) {
        for (std::size_t d = head * dim; d < (head + 1) * dim; ++d) {
          out[i][d] += shares[j] / sum * v[j][d];
        }
      }
    }
  }
  return out;
}

// NV-Embed's block with `prefix` before its names.
Rows block(const Checkpoint& c, const std::string& prefix, const Rows& x, const Rows& context) {
  const std::string a = prefix + "cross_attend_blocks.0.", f = prefix + "cross_attend_blocks.1.";
  const Rows q = reference::linear(c, a + "fn.to_q", reference::layer_norm(c, a + "norm", x, 1e-5));
  const Rows kv = reference::linear(c, a + "fn.to_kv",
                                    reference::layer_norm(c, a + "norm_context", context, 1e-5));
  const std::size_t inner = q[0].size();
  const Rows found =
      asked(q, reference::columns(kv, 0, inner), reference::columns(kv, inner, inner));
  const Rows h = reference::plus(reference::linear(c, a + "fn.to_out", found), x);
  const Rows both =
      reference::linear(c, f + "fn.net.0", reference::layer_norm(c, f + "norm", h, 1e-5));
  const std::size_t n = both[0].size() / 2;
  const Rows gated =
      reference::times(reference::columns(both, 0, n),
                       reference::map(reference::columns(both, n, n), reference::gelu));
  return reference::plus(reference::linear(c, f + "fn.net.2", gated), h);
}

Rows rows_of(const std::vector<float>& values, std::size_t width) {
  Rows rows;
  for (std::size_t i = 0; i < values.size(); i += width) {
    rows.emplace_back(values.begin() + static_cast<long>(i),
                      values.begin() + static_cast<long>(i + width));
  }
  return rows;
}

// ---- Modules ------------------------------------------------------------------------------------

void add_block(Checkpoint& c, const std::string& prefix, std::size_t width) {
  const std::string a = prefix + "cross_attend_blocks.0.", f = prefix + "cross_attend_blocks.1.";
  c.add(prefix + "latents", {kLatents, width}, 1);
  c.add_norm(a + "norm", width);
  c.add_norm(a + "norm_context", width);
  c.add_linear(a + "fn.to_q", kHeads * kHeadDim, width, false);
  c.add_linear(a + "fn.to_kv", 2 * kHeads * kHeadDim, width, false);
  c.add_linear(a + "fn.to_out", width, kHeads * kHeadDim, false);
  c.add_norm(f + "norm", width);
  c.add_linear(f + "fn.net.0", 8 * width, width);
  c.add_linear(f + "fn.net.2", width, 4 * width);
}

Checkpoint latent_module(std::size_t width, bool include_prompt = true) {
  Checkpoint c;
  c.seed = 100;
  c.config = {{"word_embedding_dimension", width},
              {"latents", kLatents},
              {"heads", kHeads},
              {"head_dim", kHeadDim},
              {"include_prompt", include_prompt}};
  add_block(c, "", width);
  return c;
}

Checkpoint layer_module(std::size_t width, std::size_t depth, const std::string& layers,
                        const std::string& tokens) {
  Checkpoint c = latent_module(width);
  c.config.erase("include_prompt");
  c.config["layers"] = layers;
  c.config["tokens"] = tokens;
  if (layers == "all") c.add("layer_weights", {depth, width}, 1);
  return c;
}

Checkpoint self_attention_module(std::size_t width) {
  Checkpoint c;
  c.seed = 200;
  c.config = {{"word_embedding_dimension", width}, {"heads", kHeads}, {"head_dim", kHeadDim}};
  c.add_norm("norm", width);
  for (const char* name : {"to_q", "to_k", "to_v"}) {
    c.add_linear(name, kHeads * kHeadDim, width, false);
  }
  c.add_linear("to_out", width, kHeads * kHeadDim, false);
  return c;
}

Checkpoint weights_module(std::size_t width, std::size_t depth, std::size_t start) {
  Checkpoint c;
  c.seed = 300;
  c.config = {
      {"word_embedding_dimension", width}, {"layer_start", start}, {"num_hidden_layers", depth}};
  c.add("layer_weights", {depth + 1 - start}, 0.5, 1);
  return c;
}

// ---- Models -------------------------------------------------------------------------------------

using States = std::vector<Rows>;  // of every layer

class LearnedPooling : public testing::Test {
 protected:
  std::string path(const std::string& name = "") const { return folder_.file("model") + name; }

  // The model with these modules behind its transformer, in order: type and content.
  void write(const std::vector<std::pair<std::string, Checkpoint>>& modules) {
    write_folder(path(), model_);
    json list = json::array({{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}}});
    for (const auto& [type, module] : modules) {
      const std::string place = std::to_string(list.size());
      list.push_back({{"path", place}, {"type", type}});
      write_folder(path("/" + place), module);
    }
    write_json(path("/modules.json"), list);
  }

  States states_of(const std::vector<std::uint32_t>& ids) const {
    const auto run = model_.config.at("model_type") == "bert" ? reference::bert : reference::llama;
    return run(model_, text_of(ids));
  }

  // Texts of several lengths, each with a prompt or without: every vector agrees with its
  // definition, and is the same to the bit alone and among others.
  using Definition = std::function<Row(const States&, std::size_t prompt)>;
  void expect_as_defined(const Definition& definition, const Encoder& encoder) const {
    std::vector<std::vector<std::uint32_t>> ids;
    std::vector<TokenSequence> sequences;
    for (const std::size_t length : {1, 2, 9, 33, 120}) ids.push_back(random_ids(length, length));
    for (const auto& each : ids) {
      sequences.push_back({.ids = each, .types = {}, .prompt = 0});
      sequences.push_back({.ids = each, .types = {}, .prompt = each.size() / 3});
    }
    EncodeOptions three;
    three.control.threads = 3;
    const Matrix<float> all = encoder.encode(sequences, three);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const Row wanted = definition(states_of(ids[i / 2]), sequences[i].prompt);
      ASSERT_EQ(wanted.size(), all.cols());
      for (std::size_t j = 0; j < wanted.size(); ++j) {
        ASSERT_NEAR(all(i, j), wanted[j], 2e-4) << "sequence " << i << " component " << j;
      }
      const Matrix<float> alone = encoder.encode({&sequences[i], 1});
      ASSERT_EQ(0, std::memcmp(alone.data(), all.row(i), all.cols() * sizeof(float))) << i;
    }
  }
  void expect_as_defined(const Definition& definition) const {
    expect_as_defined(definition, Encoder::open(path()));
  }
  void expect_failure(const std::string& part) const {
    EXPECT_THAT(error_of([&] { Encoder::open(path()); }), HasSubstr(part));
  }

  formats::TemporaryFolder folder_;
  Checkpoint model_ = tiny_bert("bert");
  const std::size_t width_ = 36, depth_ = 3;
};

TEST_F(LearnedPooling, LatentsAreAskedByEveryTokenAndTheMeanIsTaken) {
  for (const bool include_prompt : {true, false}) {
    const Checkpoint module = latent_module(width_, include_prompt);
    write({{"kith.models.LatentPooling", module}});
    const Encoder encoder = Encoder::open(path());
    EXPECT_EQ(encoder.info().modules[0], include_prompt
                                             ? "latent pooling over 5 latents"
                                             : "latent pooling over 5 latents without the prompt");
    expect_as_defined(
        [&](const States& states, std::size_t prompt) {
          return mean(block(module, "", states.back(), rows_of(module["latents"], width_)),
                      include_prompt ? 0 : prompt);
        },
        encoder);
  }
}

TEST_F(LearnedPooling, ATextThatIsNothingButPromptIsNamed) {
  write({{"kith.models.LatentPooling", latent_module(width_, false)}});
  const std::vector<std::uint32_t> ids = random_ids(4, 1);
  const TokenSequence both[] = {{.ids = ids, .types = {}, .prompt = 3},
                                {.ids = ids, .types = {}, .prompt = 4}};
  EXPECT_EQ(error_of([&] { Encoder::open(path()).encode(both); }),
            "sequence 1: nothing but a prompt, which the pooling leaves out");
}

TEST_F(LearnedPooling, LayersOrTokensAreAskedByTheLatents) {
  for (const bool causal : {false, true}) {
    if (causal) model_ = tiny_llama("qwen2");
    const std::size_t width = causal ? 40 : 36;
    for (const auto& [layers, tokens] :
         std::vector<std::pair<std::string, std::string>>{{"all", "mean"},
                                                          {"all", "last"},
                                                          {"last", "mean"},
                                                          {"last", "last"},
                                                          {"last", "all"}}) {
      const Checkpoint module = layer_module(width, depth_, layers, tokens);
      write({{"kith.models.LayerPooling", module}});
      expect_as_defined([&](const States& states, std::size_t) {
        const auto given = [&, tokens = tokens](const Rows& layer) {
          return tokens == "last"   ? Rows{layer.back()}
                 : tokens == "mean" ? Rows{mean(layer)}
                                    : layer;
        };
        Rows context = given(states.back());
        if (layers == "all") {
          context.clear();
          for (std::size_t l = 1; l < states.size(); ++l) context.push_back(given(states[l])[0]);
          context = reference::plus(context, rows_of(module["layer_weights"], width));
        }
        return mean(block(module, "", rows_of(module["latents"], width), context));
      });
    }
  }
}

TEST_F(LearnedPooling, OneMoreAttentionRunsOverTheTokensBeforeTheMean) {
  const Checkpoint module = self_attention_module(width_);
  write({{"kith.models.SelfAttentionPooling", module}});
  expect_as_defined([&](const States& states, std::size_t) {
    const Rows& x = states.back();
    const Rows in = reference::layer_norm(module, "norm", x, 1e-5);
    const Rows found =
        asked(reference::linear(module, "to_q", in), reference::linear(module, "to_k", in),
              reference::linear(module, "to_v", in));
    return mean(reference::plus(reference::linear(module, "to_out", found), x));
  });
}

TEST_F(LearnedPooling, LayersAreWeighedBeforeAnyPoolingOfTokens) {
  Checkpoint pooling;
  pooling.config = {{"pooling_mode_mean_tokens", true}, {"include_prompt", false}};
  const Checkpoint latent = latent_module(width_);
  for (const std::size_t start : {0, 2}) {
    const Checkpoint weights = weights_module(width_, depth_, start);
    const auto mixed = [&](const States& states) {
      const std::vector<float>& w = weights["layer_weights"];
      const double sum = std::accumulate(w.begin(), w.end(), 0.0);
      Rows all(states[0].size(), Row(width_));
      for (std::size_t l = start; l < states.size(); ++l) {
        for (std::size_t i = 0; i < all.size(); ++i) {
          for (std::size_t j = 0; j < width_; ++j) {
            all[i][j] += w[l - start] / sum * states[l][i][j];
          }
        }
      }
      return all;
    };
    write({{"sentence_transformers.models.WeightedLayerPooling", weights},
           {"sentence_transformers.models.Pooling", pooling}});
    const char* const described[] = {"weighted mean of layers 0 to 3", "",
                                     "weighted mean of layers 2 to 3"};
    EXPECT_EQ(Encoder::open(path()).info().modules,
              (std::vector<std::string>{described[start], "mean pooling without the prompt"}));
    expect_as_defined(
        [&](const States& states, std::size_t prompt) { return mean(mixed(states), prompt); });
    write({{"sentence_transformers.models.WeightedLayerPooling", weights},
           {"kith.models.LatentPooling", latent}});
    expect_as_defined([&](const States& states, std::size_t) {
      return mean(block(latent, "", mixed(states), rows_of(latent["latents"], width_)));
    });
  }
}

TEST_F(LearnedPooling, TheFinalNormOfEveryLayerIsNotThatOfLayersThatPoolingsRead) {
  model_ = tiny_llama("qwen2");
  const std::vector<std::uint32_t> ids = random_ids(9, 1);
  const TokenSequence sequence{.ids = ids, .types = {}};
  EncodeOptions second;
  second.layer = 2;
  write({{"kith.models.LayerPooling", layer_module(40, depth_, "all", "mean")}});
  const Matrix<float> plain = Encoder::open(path()).encode({&sequence, 1});
  model_.config["norm_every_layer"] = true;
  write({{"kith.models.LayerPooling", layer_module(40, depth_, "all", "mean")}});
  const Encoder encoder = Encoder::open(path());
  EXPECT_EQ(0,
            std::memcmp(encoder.encode({&sequence, 1}).data(), plain.data(), 40 * sizeof(float)));
  EXPECT_EQ(error_of([&] {
              encoder.encode({&sequence, 1}, second);
            }),
            "layer 2, but the model's pooling reads all of its 3");

  // Without such a pooling a state at which computation stops passes the norm.
  const Rows wanted = reference::rms_norm(model_, "norm", states_of(ids)[2], 1e-6);
  const Matrix<float> got = encoder.hidden_states({&sequence, 1}, second);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < 40; ++j) ASSERT_NEAR(got(i, j), wanted[i][j], 1e-4);
  }
  model_ = tiny_bert("bert");
  model_.config["norm_every_layer"] = true;
  write_folder(path(), model_);
  expect_failure("norm_every_layer: true, expected false, as the model has no final norm");
}

TEST_F(LearnedPooling, BadTensorsAndSettingsAreNamed) {
  using Change = std::function<void(Checkpoint&)>;
  const std::string block0 = "cross_attend_blocks.0.";
  const std::vector<std::pair<Change, std::string>> of_latents = {
      {[&](Checkpoint& c) { c.tensors.erase(block0 + "fn.to_q.weight"); },
       "tensor 'cross_attend_blocks.0.fn.to_q.weight' is missing"},
      {[&](Checkpoint& c) { c.add_linear(block0 + "fn.to_q", 20, width_, false); },
       "to_q.weight' has shape [20, 36], expected [21, 36]"},
      {[&](Checkpoint& c) { c.add(block0 + "fn.to_q.bias", {21}, 1); },
       "'cross_attend_blocks.0.fn.to_q.bias' has no place in a module LatentPooling"},
      {[&](Checkpoint& c) { c.tensors["latents"].values[3] = NAN; }, "'latents' has a value"},
      {[&](Checkpoint& c) { c.config["word_embedding_dimension"] = 35; },
       "word_embedding_dimension: 35, expected 36"},
      {[&](Checkpoint& c) { c.config["heads"] = 0; }, "heads: 0, expected a whole number"},
      {[&](Checkpoint& c) { c.config["latents"] = 6; }, "'latents' has shape [5, 36]"},
      {[&](Checkpoint& c) { c.config.erase("head_dim"); }, "head_dim"}};
  for (const auto& [change, message] : of_latents) {
    Checkpoint module = latent_module(width_);
    change(module);
    write({{"kith.models.LatentPooling", module}});
    expect_failure(message);
  }
  const std::vector<std::pair<Change, std::string>> of_layers = {
      {[&](Checkpoint& c) {
         c.add("layer_weights", {2, width_}, 1);
       },
       "layer_weights of 2 layers, but the model has 3"},
      {[](Checkpoint& c) { c.tensors.erase("layer_weights"); }, "'layer_weights' is missing"},
      {[](Checkpoint& c) { c.config["layers"] = "some"; }, "layers: \"some\""},
      {[](Checkpoint& c) { c.config["layers"] = "last"; }, "'layer_weights' has no place"},
      {[](Checkpoint& c) { c.config["tokens"] = "all"; }, "tokens: \"all\", expected last or mean"},
      {[](Checkpoint& c) { c.config.erase("tokens"); }, "tokens"},
      {[](Checkpoint& c) { c.config["include_prompt"] = false; }, "include_prompt: false"}};
  for (const auto& [change, message] : of_layers) {
    Checkpoint module = layer_module(width_, depth_, "all", "mean");
    change(module);
    write({{"kith.models.LayerPooling", module}});
    expect_failure(message);
  }
}

TEST_F(LearnedPooling, BadWeightsOfLayersAreNamed) {
  using Change = std::function<void(Checkpoint&)>;
  Checkpoint pooling;
  pooling.config = {{"pooling_mode_mean_tokens", true}};
  const std::vector<std::pair<Change, std::string>> cases = {
      {[](Checkpoint& c) { c.config["num_hidden_layers"] = 4; },
       "num_hidden_layers: 4, expected 3, the model's layers"},
      {[](Checkpoint& c) { c.config["layer_start"] = 4; }, "layer_start: 4"},
      {[](Checkpoint& c) { c.config["layer_start"] = 1; }, "has shape [2], expected [3]"},
      {[](Checkpoint& c) {
         c.tensors["layer_weights"].values = {1, -1};
       },
       "layer_weights sum to 0"}};
  for (const auto& [change, message] : cases) {
    Checkpoint module = weights_module(width_, depth_, 2);
    change(module);
    write({{"sentence_transformers.models.WeightedLayerPooling", module},
           {"sentence_transformers.models.Pooling", pooling}});
    expect_failure(message);
  }
  write({{"sentence_transformers.models.WeightedLayerPooling", weights_module(width_, depth_, 2)},
         {"kith.models.LayerPooling", layer_module(width_, depth_, "all", "mean")}});
  expect_failure("module 2: type: \"kith.models.LayerPooling\", expected Transformer");
  write({{"sentence_transformers.models.WeightedLayerPooling", weights_module(width_, depth_, 2)}});
  expect_failure("2 modules, expected Transformer and a pooling");
}

// ---- NV-Embed as released -----------------------------------------------------------------------

// The same layout as nvidia's: a Mistral and the latents in one file, under their prefixes.
Checkpoint tiny_nvembed(const Checkpoint& mistral) {
  Checkpoint c;
  json text = mistral.config;
  text["model_type"] = "bidir_mistral";
  text["sliding_window"] = 4;  // which the released model does not apply
  text["eos_token_id"] = 93;
  c.config = {{"model_type", "nvembed"},
              {"add_eos", true},
              {"add_pad_token", true},
              {"is_mask_instruction", true},
              {"mask_type", "b"},
              {"padding_side", "right"},
              {"hidden_size", 40},
              {"text_config", text},
              {"latent_attention_config",
               {{"model_type", "latent_attention"},
                {"num_latents_value", kLatents},
                {"num_cross_heads", kHeads},
                {"cross_dim_head", kHeadDim},
                {"hidden_dim", 40},
                {"latent_dim", 40},
                {"output_normalize", true}}}};
  for (const auto& [name, tensor] : mistral.tensors) {
    c.tensors["embedding_model." + name] = tensor;
  }
  c.seed = 400;
  add_block(c, "latent_attention_model.", 40);
  return c;
}

class NvEmbed : public LearnedPooling {
 protected:
  NvEmbed() {
    model_ = tiny_nvembed(mistral_);
    write_folder(path(), model_);
  }
  // In double, without its length: every token sees all others.
  Row defined(const std::vector<std::uint32_t>& ids, std::size_t masked) const {
    Checkpoint both_ways = mistral_;
    both_ways.config["is_causal"] = false;
    const Rows states = reference::llama(both_ways, text_of(ids)).back();
    const Rows latents = rows_of(model_["latent_attention_model.latents"], 40);
    return mean(block(model_, "latent_attention_model.", states, latents), masked);
  }
  static Row unit(Row row) {
    double square = 0;
    for (const double x : row) square += x * x;
    for (double& x : row) x /= std::sqrt(square);
    return row;
  }

  const Checkpoint mistral_ = tiny_llama("mistral");
};

TEST_F(NvEmbed, IsOpenedAsReleased) {
  const Encoder encoder = Encoder::open(path());
  EXPECT_EQ(encoder.info().architecture, "nvembed");
  EXPECT_EQ(
      encoder.info().modules,
      (std::vector<std::string>{"latent pooling over 5 latents without the prompt", "normalize"}));
  for (const std::size_t prompt : {0, 5}) {
    const std::vector<std::uint32_t> ids = random_ids(23, 3);
    const TokenSequence sequence{.ids = ids, .types = {}, .prompt = prompt};
    const Matrix<float> got = encoder.encode({&sequence, 1});
    const Row wanted = unit(defined(ids, prompt));
    for (std::size_t j = 0; j < 40; ++j) ASSERT_NEAR(got(0, j), wanted[j], 1e-4);
  }
}

TEST_F(NvEmbed, SettingsOfTheFileCount) {
  const std::vector<std::uint32_t> ids = random_ids(11, 3);
  const TokenSequence sequence{.ids = ids, .types = {}, .prompt = 4};
  model_.config["padding_side"] = "left";
  model_.config["latent_attention_config"]["output_normalize"] = false;
  write_folder(path(), model_);
  const Matrix<float> got = Encoder::open(path()).encode({&sequence, 1});
  const Row wanted = defined(ids, 0);
  for (std::size_t j = 0; j < 40; ++j) ASSERT_NEAR(got(0, j), wanted[j], 2e-4);

  model_.config["latent_attention_config"]["latent_dim"] = 44;
  write_folder(path(), model_);
  expect_failure("latent_dim: 44, expected 40");
  model_ = tiny_nvembed(mistral_);
  model_.add("latent_attention_model.more", {3}, 1);
  write_folder(path(), model_);
  expect_failure("'latent_attention_model.more' has no place");
  model_ = tiny_nvembed(mistral_);
  model_.config["mask_type"] = "causal";
  write_folder(path(), model_);
  expect_failure("mask_type");
}

TEST_F(NvEmbed, AListOfModulesMayNameTheMeanInFrontOfItsOwnPooling) {
  Checkpoint pooling;
  pooling.config = {{"pooling_mode_mean_tokens", true}, {"include_prompt", false}};
  const std::vector<std::uint32_t> ids = random_ids(11, 3);
  const TokenSequence sequence{.ids = ids, .types = {}, .prompt = 4};
  const Matrix<float> wanted = Encoder::open(path()).encode({&sequence, 1});
  write({{"sentence_transformers.models.Pooling", pooling},
         {"sentence_transformers.models.Normalize", {}}});
  const Matrix<float> got = Encoder::open(path()).encode({&sequence, 1});
  EXPECT_EQ(0, std::memcmp(got.data(), wanted.data(), 40 * sizeof(float)));
  pooling.config = {{"pooling_mode_cls_token", true}};
  write({{"sentence_transformers.models.Pooling", pooling}});
  expect_failure("cls pooling, but NV-Embed's latents are pooled by mean");
}

// Words "w2" to "w90" behind [CLS]; [SEP], which ends texts, is a token that a text may name.
json word_tokenizer() {
  json vocabulary = {{"[UNK]", 91}, {"[CLS]", 92}, {"[SEP]", 93}};
  for (int i = 2; i <= 90; ++i) vocabulary[std::string(1, 'w').append(std::to_string(i))] = i;
  const json begin = {{"SpecialToken", {{"id", "[CLS]"}, {"type_id", 0}}}};
  const auto sequence = [](const char* id) {
    return json{{"Sequence", {{"id", id}, {"type_id", 0}}}};
  };
  const json behind_begin = {
      {"type", "TemplateProcessing"},
      {"single", {begin, sequence("A")}},
      {"pair", {begin, sequence("A"), sequence("B")}},
      {"special_tokens", {{"[CLS]", {{"id", "[CLS]"}, {"ids", {92}}, {"tokens", {"[CLS]"}}}}}}};
  return {{"added_tokens", {{{"id", 93}, {"content", "[SEP]"}, {"special", true}}}},
          {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"post_processor", behind_begin},
          {"model", {{"type", "WordLevel"}, {"unk_token", "[UNK]"}, {"vocab", vocabulary}}}};
}

TEST_F(NvEmbed, TextsEndAndInstructionsAreMaskedAsReleased) {
  formats::write_bytes(path("/tokenizer.json"), word_tokenizer().dump());
  const Encoder tokens = Encoder::open(path());
  const std::vector<std::string_view> text = {"w9 w8"};
  const auto vector_of = [&](const std::vector<std::uint32_t>& ids, std::size_t masked) {
    const TokenSequence sequence{.ids = ids, .types = {}, .prompt = masked};
    const Matrix<float> row = tokens.encode({&sequence, 1});
    return std::vector<float>(row.data(), row.data() + row.cols());
  };
  const auto encoded = [&](const TextEncodeOptions& options) {
    const Matrix<float> row = TextEncoder::open(path()).encode(text, options).vectors;
    return std::vector<float>(row.data(), row.data() + row.cols());
  };
  EXPECT_EQ(encoded({}), vector_of({92, 9, 8, 93}, 0));
  // As many positions as the instruction has tokens: [CLS] is one of them, w5 is not.
  EXPECT_EQ(encoded({.prompt = "w3 w4 w5 "}), vector_of({92, 3, 4, 5, 9, 8, 93}, 3));
  write_json(path("/sentence_bert_config.json"), {{"max_seq_length", 6}});
  EXPECT_EQ(encoded({.prompt = "w3 w4 w5 "}), vector_of({92, 3, 4, 5, 9, 8}, 3));
  std::filesystem::remove(path("/sentence_bert_config.json"));
  write_json(path("/sentence_bert_config.json"), {{"max_seq_length", 3}});
  EXPECT_EQ(error_of([&] { encoded({.prompt = "w3 w4 w5 w6"}); }),
            "text 0: behind a prompt of 4 tokens nothing of it is left in 3");

  std::filesystem::remove(path("/sentence_bert_config.json"));
  model_.config["add_eos"] = false;
  write_folder(path(), model_);
  EXPECT_EQ(encoded({}), vector_of({92, 9, 8}, 0));
  model_.config["add_eos"] = true;
  model_.config["text_config"]["eos_token_id"] = 96;
  write_folder(path(), model_);
  EXPECT_THAT(error_of([&] { TextEncoder::open(path()); }),
              HasSubstr("eos_token_id: 96, expected"));
}

}  // namespace
}  // namespace kith::encode
