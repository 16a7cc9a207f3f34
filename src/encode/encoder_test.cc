// Model folders, poolings and modules, and how bad input is met.
#include "kith/encoder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>

#include "encode/test_models.h"
#include "encode/test_sequences.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

using formats::TemporaryFolder;
using nlohmann::json;
using testing::Test;

class ModelFolder : public Test {
 protected:
  std::string path(const std::string& name = "") const { return folder_.file("model") + name; }
  Encoder open() const { return Encoder::open(path()); }
  // The message and code of what opening the folder throws.
  std::string failure(ErrorCode code) const {
    try {
      open();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "";
  }
  void expect_failure(ErrorCode code, const std::string& part) const {
    const std::string message = failure(code);
    EXPECT_NE(message.find(part), std::string::npos)
        << "'" << message << "' lacks '" << part << "'";
  }
  std::vector<float> vector_of(const std::vector<std::uint32_t>& ids,
                               std::size_t prompt = 0) const {
    const TokenSequence sequence{.ids = ids, .types = {}, .prompt = prompt};
    const Encoder encoder = open();
    const Matrix<float> row = encoder.encode({&sequence, 1});
    return {row.data(), row.data() + row.cols()};
  }
  void write_modules(const std::vector<std::pair<std::string, std::string>>& modules) {
    json list = json::array();
    for (const auto& [type, place] : modules) {
      list.push_back({{"idx", list.size()},
                      {"name", std::to_string(list.size())},
                      {"path", place},
                      {"type", "sentence_transformers.models." + type}});
    }
    write_json(path("/modules.json"), list);
  }

  TemporaryFolder folder_;
  Checkpoint model_ = tiny_bert("bert");
};

void expect_near(const std::vector<float>& got, const std::vector<double>& wanted, double error) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t j = 0; j < got.size(); ++j) ASSERT_NEAR(got[j], wanted[j], error) << j;
}

TEST_F(ModelFolder, WeightsInHalfPrecisionAreReadExactly) {
  const std::vector<std::uint32_t> ids = random_ids(20, 1);
  for (const ElementType type : {ElementType::f16, ElementType::bf16}) {
    write_folder(path(), model_, type);
    const std::vector<float> narrow = vector_of(ids);
    Checkpoint rounded = model_;
    type == ElementType::f16 ? round_weights<Half>(rounded) : round_weights<BFloat16>(rounded);
    write_folder(path(), rounded);
    EXPECT_EQ(narrow, vector_of(ids));
  }
}

TEST_F(ModelFolder, ShardsAreReadAsOneFile) {
  const std::vector<std::uint32_t> ids = random_ids(20, 1);
  write_folder(path(), model_);
  const std::vector<float> whole = vector_of(ids);
  std::filesystem::remove(path("/model.safetensors"));
  json map;
  for (const auto& [name, tensor] : model_.tensors) {
    map[name] = name < "encoder.layer.1" ? "a.safetensors" : "b.safetensors";
  }
  write_json(path("/model.safetensors.index.json"), {{"weight_map", map}});
  for (const std::string shard : {"a.safetensors", "b.safetensors"}) {
    write_tensors(path("/" + shard), model_, ElementType::f32,
                  [&](const std::string& name) { return map[name] == shard; });
  }
  EXPECT_EQ(whole, vector_of(ids));

  map["encoder.layer.0.made.up"] = "a.safetensors";
  write_json(path("/model.safetensors.index.json"), {{"weight_map", map}});
  expect_failure(ErrorCode::corrupt, "'encoder.layer.0.made.up' is not in a.safetensors");
  map["encoder.layer.0.made.up"] = "../a.safetensors";
  write_json(path("/model.safetensors.index.json"), {{"weight_map", map}});
  expect_failure(ErrorCode::corrupt, "shard '../a.safetensors'");
  std::filesystem::remove(path("/b.safetensors"));
  map.erase("encoder.layer.0.made.up");
  write_json(path("/model.safetensors.index.json"), {{"weight_map", map}});
  expect_failure(ErrorCode::not_found, "b.safetensors");
}

TEST_F(ModelFolder, AHeadsPrefixBeforeTheNamesIsTaken) {
  const std::vector<std::uint32_t> ids = random_ids(9, 1);
  write_folder(path(), model_);
  const std::vector<float> plain = vector_of(ids);
  Checkpoint with_head;
  with_head.config = model_.config;
  for (const auto& [name, tensor] : model_.tensors) with_head.tensors["bert." + name] = tensor;
  with_head.add_linear("cls.predictions.transform.dense", 36, 36);
  write_folder(path(), with_head);
  EXPECT_EQ(plain, vector_of(ids));
}

TEST_F(ModelFolder, AMissingTensorIsNamed) {
  model_.tensors.erase("encoder.layer.1.output.dense.bias");
  write_folder(path(), model_);
  expect_failure(ErrorCode::not_found, "tensor 'encoder.layer.1.output.dense.bias' is missing");
}

TEST_F(ModelFolder, AnExtraTensorIsNamed) {
  model_.add_linear("encoder.layer.3.output.dense", 36, 50);
  write_folder(path(), model_);
  expect_failure(ErrorCode::corrupt, "tensor 'encoder.layer.3.output.dense.bias' has no place");
}

TEST_F(ModelFolder, AWrongShapeIsNamed) {
  model_.add("embeddings.LayerNorm.weight", {35}, 1);
  write_folder(path(), model_);
  expect_failure(ErrorCode::corrupt,
                 "tensor 'embeddings.LayerNorm.weight' has shape [35], expected [36]");
}

TEST_F(ModelFolder, AWeightThatIsNotFiniteIsNamed) {
  model_.tensors["embeddings.word_embeddings.weight"].values[36 * 5 + 1] = NAN;
  write_folder(path(), model_);
  expect_failure(ErrorCode::corrupt, "'embeddings.word_embeddings.weight' has a value in row 5");
}

TEST_F(ModelFolder, SettingsOutOfRangeAreNamed) {
  const std::pair<json, const char*> cases[] = {
      {{{"hidden_size", 0}}, "hidden_size: 0, expected a whole number from 1"},
      {{{"hidden_size", "wide"}}, "hidden_size: \"wide\""},
      {{{"num_attention_heads", 5}}, "num_attention_heads: 5, expected a divisor of the width, 36"},
      {{{"num_hidden_layers", -1}}, "num_hidden_layers: -1"},
      {{{"vocab_size", 1e300}}, "vocab_size"},
      {{{"layer_norm_eps", "x"}}, "layer_norm_eps"}};
  for (const auto& [change, message] : cases) {
    Checkpoint changed = model_;
    changed.config.update(change);
    write_folder(path(), changed);
    expect_failure(ErrorCode::corrupt, message);
  }
  model_.config["model_type"] = "t5";
  write_folder(path(), model_);
  expect_failure(ErrorCode::unsupported, "model_type: \"t5\", expected one of bert");
  model_.config["model_type"] = "bert";
  model_.config["hidden_act"] = "mish";
  write_folder(path(), model_);
  expect_failure(ErrorCode::unsupported, "hidden_act: \"mish\"");
}

TEST_F(ModelFolder, ABrokenOrMissingConfigIsSaid) {
  expect_failure(ErrorCode::not_found, "config.json");
  write_folder(path(), model_);
  formats::write_bytes(path("/config.json"), "{\"model_type\": ");
  expect_failure(ErrorCode::corrupt, "config.json: not a JSON object");
}

TEST_F(ModelFolder, ATruncatedFileOfWeightsIsCorrupt) {
  write_folder(path(), model_);
  const std::string bytes = formats::file_bytes(path("/model.safetensors"));
  formats::write_bytes(path("/model.safetensors"), bytes.substr(0, bytes.size() / 2));
  expect_failure(ErrorCode::corrupt, "model.safetensors");
}

TEST_F(ModelFolder, EveryPoolingFollowsItsDefinition) {
  write_folder(path(), model_);
  write_modules({{"Transformer", ""}, {"Pooling", "1_Pooling"}});
  const std::vector<std::uint32_t> ids = random_ids(11, 4);
  const reference::Rows states = reference::bert(model_, text_of(ids)).back();
  for (const std::size_t prompt : {0, 4}) {
    const bool include = prompt == 0;
    const auto n = static_cast<double>(ids.size() - prompt);
    std::map<std::string, reference::Row> wanted;
    reference::Row mean(36), root(36), weighted(36), most(36, -1e9);
    double weights = 0;
    for (std::size_t i = prompt; i < ids.size(); ++i) weights += static_cast<double>(i + 1);
    for (std::size_t i = prompt; i < ids.size(); ++i) {
      for (std::size_t j = 0; j < 36; ++j) {
        mean[j] += states[i][j] / n;
        root[j] += states[i][j] / std::sqrt(n);
        weighted[j] += states[i][j] * static_cast<double>(i + 1) / weights;
        most[j] = std::max(most[j], states[i][j]);
      }
    }
    wanted["cls_token"] = states.front();
    wanted["max_tokens"] = most;
    wanted["mean_tokens"] = mean;
    wanted["mean_sqrt_len_tokens"] = root;
    wanted["weightedmean_tokens"] = weighted;
    wanted["lasttoken"] = states.back();
    json all = {{"word_embedding_dimension", 36}, {"include_prompt", include}};
    reference::Row together;
    for (const char* mode : {"cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens",
                             "weightedmean_tokens", "lasttoken"}) {
      const std::string key = std::string("pooling_mode_") + mode;
      write_json(path("/1_Pooling/config.json"), {{key, true}, {"include_prompt", include}});
      expect_near(vector_of(ids, prompt), wanted[mode], 1e-4);
      all[key] = true;
      together.insert(together.end(), wanted[mode].begin(), wanted[mode].end());
    }
    write_json(path("/1_Pooling/config.json"), all);
    expect_near(vector_of(ids, prompt), together, 1e-4);
  }
}

TEST_F(ModelFolder, APromptIsKeptWhereThePoolingIncludesIt) {
  write_folder(path(), model_);
  const std::vector<std::uint32_t> ids = random_ids(11, 4);
  EXPECT_EQ(vector_of(ids, 5), vector_of(ids, 0));
}

TEST_F(ModelFolder, DenseAndNormalizeFollowThePooling) {
  write_folder(path(), model_);
  write_modules({{"Transformer", ""},
                 {"Pooling", "1_Pooling"},
                 {"Dense", "2_Dense"},
                 {"Normalize", "3_Normalize"}});
  write_json(path("/1_Pooling/config.json"), {{"pooling_mode_cls_token", true}});
  Checkpoint dense;
  dense.config = {{"in_features", 36},
                  {"out_features", 20},
                  {"bias", true},
                  {"activation_function", "torch.nn.modules.activation.Tanh"}};
  dense.add_linear("linear", 20, 36);
  write_folder(path("/2_Dense"), dense);
  const std::vector<std::uint32_t> ids = random_ids(8, 1);
  reference::Rows wanted =
      reference::linear(dense, "linear", {reference::bert(model_, text_of(ids)).back()[0]});
  double square = 0;
  for (double& x : wanted[0]) square += std::tanh(x) * std::tanh(x);
  for (double& x : wanted[0]) x = std::tanh(x) / std::sqrt(square);
  expect_near(vector_of(ids), wanted[0], 1e-4);
  const EncoderInfo info = open().info();
  EXPECT_EQ(info.dim, 20u);
  EXPECT_EQ(info.modules, (std::vector<std::string>{"cls pooling", "dense 36 to 20", "normalize"}));

  dense.config["in_features"] = 35;
  write_folder(path("/2_Dense"), dense);
  expect_failure(ErrorCode::corrupt, "in_features: 35, expected 36");
}

TEST_F(ModelFolder, ModulesThatKithDoesNotKnowAreNamed) {
  write_folder(path(), model_);
  write_modules({{"Transformer", ""}, {"Pooling", "1_Pooling"}, {"CNN", "2_CNN"}});
  expect_failure(ErrorCode::unsupported, "module 2: type: \"sentence_transformers.models.CNN\"");
  write_modules({{"Transformer", "../elsewhere"}, {"Pooling", "1_Pooling"}});
  expect_failure(ErrorCode::corrupt, "path: \"../elsewhere\"");
  write_modules({{"Transformer", ""}, {"Pooling", "1_Pooling"}});
  write_json(path("/1_Pooling/config.json"), {{"word_embedding_dimension", 384}});
  expect_failure(ErrorCode::corrupt, "word_embedding_dimension: 384, expected 36");
  write_json(path("/1_Pooling/config.json"), {{"pooling_mode_cls_token", false}});
  expect_failure(ErrorCode::corrupt, "no pooling is switched on");
}

TEST_F(ModelFolder, TheModulesMayShortenTexts) {
  write_folder(path(), model_);
  write_json(path("/sentence_bert_config.json"), {{"max_seq_length", 256}});
  EXPECT_EQ(open().info().max_tokens, 256u);
}

TEST_F(ModelFolder, BadSequencesAreRefusedByNumber) {
  write_folder(path(), model_);
  const Encoder encoder = open();
  const std::vector<std::uint32_t> good = random_ids(5, 1), far(421, 3), high = {3, 97}, none;
  const std::vector<std::uint32_t> types = {0, 0, 2, 0, 0};
  const std::pair<TokenSequence, const char*> cases[] = {
      {{.ids = none, .types = {}}, "sequence 1: no tokens"},
      {{.ids = far, .types = {}}, "sequence 1: 421 tokens, but the model takes 420"},
      {{.ids = high, .types = {}}, "sequence 1: id 97 at token 1, but the model has 97"},
      {{.ids = good, .types = types}, "sequence 1: type 2 at token 2, but the model has 2"},
      {{.ids = good, .types = {types.data(), 3}}, "sequence 1: 3 types for 5 tokens"},
      {{.ids = good, .types = {}, .prompt = 6}, "sequence 1: a prompt of 6 tokens among 5"}};
  for (const auto& [bad, message] : cases) {
    const TokenSequence both[] = {{.ids = good, .types = {}}, bad};
    EXPECT_EQ(error_of([&] { encoder.encode(both); }), message);
  }
  EncodeOptions options;
  options.layer = 4;
  const TokenSequence one{.ids = good, .types = {}};
  EXPECT_EQ(error_of([&] {
              encoder.encode({&one, 1}, options);
            }),
            "layer 4, but the model has layers 0 to 3");
}

TEST_F(ModelFolder, MasksWithHolesAreRefused) {
  write_folder(path(), model_);
  const Encoder encoder = open();
  const std::vector<std::uint32_t> ids = random_ids(4, 1), holes = {1, 0, 1, 1}, two = {0, 1, 2, 0};
  const auto encode = [&](const std::vector<std::uint32_t>& mask, std::size_t cols) {
    return error_of([&] {
      encoder.encode({.ids = {ids.data(), 1, 4}, .mask = {mask.data(), 1, cols}, .types = {}});
    });
  };
  EXPECT_EQ(encode(holes, 4),
            "sequence 0: the mask has a hole at token 1; tokens must lie together");
  EXPECT_EQ(encode(two, 4), "sequence 0: mask 2, expected 0 or 1");
  EXPECT_EQ(encode(holes, 3), "ids are 1 x 4, but mask or types are not");
}

TEST_F(ModelFolder, NoSequencesGiveNoVectors) {
  write_folder(path(), model_);
  const Encoder encoder = open();
  EXPECT_EQ(encoder.encode(std::span<const TokenSequence>()).rows(), 0u);
}

TEST_F(ModelFolder, ARaisedFlagCancels) {
  write_folder(path(), model_);
  const Encoder encoder = open();
  const std::vector<std::uint32_t> ids = random_ids(9, 1);
  const TokenSequence sequence{.ids = ids, .types = {}};
  const std::atomic<bool> raised{true};
  EncodeOptions options;
  options.control.cancel = &raised;
  EXPECT_THROW(encoder.encode({&sequence, 1}, options), Error);
}

TEST_F(ModelFolder, AnEarlyExitMayBeNormalised) {
  model_ = tiny_gpt2();
  write_folder(path(), model_);
  const std::vector<std::uint32_t> ids = random_ids(9, 1);
  const TokenSequence sequence{.ids = ids, .types = {}};
  EncodeOptions options;
  options.layer = 1;
  options.norm_early = true;
  const Matrix<float> got = open().hidden_states({&sequence, 1}, options);
  const reference::Rows wanted =
      reference::layer_norm(model_, "ln_f", reference::gpt2(model_, text_of(ids))[1], 1e-5);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < 32; ++j) ASSERT_NEAR(got(i, j), wanted[i][j], 1e-4);
  }
}

TEST_F(ModelFolder, DecodersMayLookBothWays) {
  model_ = tiny_llama("qwen2");
  write_folder(path(), model_);
  const std::vector<std::uint32_t> ids = random_ids(12, 1);
  std::vector<std::uint32_t> changed = ids;
  changed.back() = ids.back() == 5 ? 6 : 5;
  const auto first_state = [&](const std::vector<std::uint32_t>& tokens) {
    const TokenSequence sequence{.ids = tokens, .types = {}};
    const Matrix<float> states = open().hidden_states({&sequence, 1});
    return std::vector<float>(states.row(0), states.row(0) + states.cols());
  };
  EXPECT_EQ(first_state(ids), first_state(changed));
  model_.config["is_causal"] = false;
  write_folder(path(), model_);
  EXPECT_NE(first_state(ids), first_state(changed));
}

// Wide enough that threads share the work of a single sequence; of many each takes its own, and of
// two that differ much they share each one's.
TEST_F(ModelFolder, ParallelWorkOnOneSequenceAndOnManyGivesTheSameBits) {
  constexpr std::size_t kWidth = 256;
  Checkpoint wide;
  wide.config = {{"model_type", "bert"},     {"vocab_size", kVocabulary},
                 {"hidden_size", kWidth},    {"num_hidden_layers", 1},
                 {"num_attention_heads", 8}, {"intermediate_size", 512},
                 {"hidden_act", "gelu"},     {"max_position_embeddings", 300},
                 {"type_vocab_size", 0},     {"layer_norm_eps", 1e-12}};
  wide.add("embeddings.word_embeddings.weight", {kVocabulary, kWidth}, 1);
  wide.add("embeddings.position_embeddings.weight", {300, kWidth}, 1);
  wide.add_norm("embeddings.LayerNorm", kWidth);
  const std::string layer = "encoder.layer.0.";
  for (const char* part : {"self.query", "self.key", "self.value", "output.dense"}) {
    wide.add_linear(layer + "attention." + part, kWidth, kWidth);
  }
  wide.add_norm(layer + "attention.output.LayerNorm", kWidth);
  wide.add_linear(layer + "intermediate.dense", 512, kWidth);
  wide.add_linear(layer + "output.dense", kWidth, 512);
  wide.add_norm(layer + "output.LayerNorm", kWidth);
  write_folder(path(), wide);
  const Encoder encoder = open();
  EncodeOptions one, three;
  one.control.threads = 1;
  three.control.threads = 3;
  const std::vector<std::uint32_t> ids = random_ids(290, 1);
  for (const std::vector<std::size_t>& lengths :
       {std::vector<std::size_t>{290}, std::vector<std::size_t>{290, 20, 20},
        std::vector<std::size_t>{90, 80, 80, 70, 70, 60, 60, 50, 50, 40, 30, 20, 10, 5, 1}}) {
    std::vector<TokenSequence> sequences;
    for (const std::size_t length : lengths) {
      sequences.push_back({.ids = std::span(ids).last(length), .types = {}});
    }
    const Matrix<float> a = encoder.encode(sequences, one);
    const Matrix<float> b = encoder.encode(sequences, three);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      EXPECT_EQ(0, std::memcmp(a.row(i), b.row(i), kWidth * sizeof(float))) << i;
    }
  }
}

}  // namespace
}  // namespace kith::encode
