#include "encode/modules.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/mapped_file.h"
#include "encode/late_interaction.h"
#include "encode/nvembed.h"
#include "encode/tensor_store.h"

namespace kith::encode {
namespace {

namespace fs = std::filesystem;

// Module folders lie inside the model's, so that it can't reach outside.
std::string inside(const Json& json, const std::string& folder) {
  const std::string path = json.text("path", "");
  const fs::path normal = fs::path(path).lexically_normal();
  if (normal.is_absolute() || normal.string().starts_with("..")) {
    json.refuse("path", "a folder inside the model's");
  }
  return path.empty() ? folder : folder + "/" + path;
}

// "sentence_transformers.models.Pooling" and newer names of the same end alike.
std::string kind_of(const Json& json) {
  const std::string type = json.text("type");
  return type.substr(type.rfind('.') + 1);
}

std::vector<Json> list_modules(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto* text = reinterpret_cast<const char*>(file->bytes().data());
  const nlohmann::json list =
      nlohmann::json::parse(text, text + file->bytes().size(), nullptr, false);
  if (!list.is_array()) throw Error(ErrorCode::corrupt, path + ": not a JSON list");
  std::vector<Json> modules;
  for (const nlohmann::json& module : list) {
    modules.emplace_back(module, path + ": module " + std::to_string(modules.size()));
  }
  return modules;
}

bool is_pooling(const std::string& kind) {
  return kind == "Pooling" || kind == "LatentPooling" || kind == "LayerPooling" ||
         kind == "SelfAttentionPooling";
}

// What may stand at a place of the list: Transformer, perhaps WeightedLayerPooling, a pooling (of
// tokens, behind that), then Dense and Normalize, of which Concepts may follow the last Dense; or
// StaticEmbedding, perhaps Concepts, perhaps Normalize. Of late interaction Transformer or
// StaticEmbedding, then Dense and Normalize.
bool may_follow(const std::string& before, const std::string& kind, bool by_token) {
  if (before.empty()) return kind == "Transformer" || kind == kStaticEmbedding;
  if (by_token) return kind == "Dense" || kind == "Normalize";
  if (before == kConcepts) return kind == "Normalize";
  if (before == kStaticEmbedding) return kind == kConcepts || kind == "Normalize";
  if (before == "Transformer") return kind == "WeightedLayerPooling" || is_pooling(kind);
  if (before == "WeightedLayerPooling") return is_pooling(kind) && kind != "LayerPooling";
  return is_head(kind);
}

void read_list(const std::string& path, const std::string& folder, Modules& found) {
  const std::vector<Json> modules = list_modules(path);
  std::string before;
  bool pools = false;
  for (const Json& module : modules) {
    const std::string kind = kind_of(module);
    if (!may_follow(before, kind, found.by_token)) {
      module.refuse("type",
                    "Transformer, perhaps WeightedLayerPooling, then Pooling, LatentPooling, "
                    "LayerPooling or SelfAttentionPooling, then Dense, Concepts or Normalize; or "
                    "StaticEmbedding, perhaps Concepts, perhaps Normalize; or of late interaction "
                    "one of the first and Dense",
                    ErrorCode::unsupported);
    }
    const std::string place = inside(module, folder);
    if (before.empty()) {
      found.transformer = place;
      found.is_static = kind == kStaticEmbedding;
    } else {
      found.ahead.emplace_back(kind, place);
    }
    pools = pools || is_pooling(kind);
    before = kind;
  }
  if (pools || found.is_static || found.by_token) return;
  throw Error(ErrorCode::unsupported, path + ": " + std::to_string(modules.size()) +
                                          " modules, expected Transformer and a pooling");
}

bool is_nvembed(const std::string& folder) {
  const std::string path = folder + "/config.json";
  return fs::exists(path) && Json::read(path).text("model_type", "") == kNvEmbedType;
}

simd::Activation dense_activation(const Json& json) {
  const std::string name = json.text("activation_function", "torch.nn.modules.activation.Tanh");
  const std::string last = name.substr(name.rfind('.') + 1);
  if (last == "Tanh") return simd::Activation::tanh;
  if (last == "Identity") return simd::Activation::identity;
  if (last == "ReLU") return simd::Activation::relu;
  if (last == "GELU") return simd::Activation::gelu;
  if (last == "SiLU") return simd::Activation::silu;
  json.refuse("activation_function", "Tanh, Identity, ReLU, GELU or SiLU", ErrorCode::unsupported);
}

}  // namespace

bool is_head(const std::string& kind) {
  return kind == "Dense" || kind == kConcepts || kind == "Normalize";
}

std::string Modules::place_of(const std::string& kind) const {
  for (const auto& [own, place] : ahead) {
    if (own == kind) return place;
  }
  return {};
}

void normalize(float* row, std::size_t n) {
  double square = 0;
  for (std::size_t j = 0; j < n; ++j) square += static_cast<double>(row[j]) * row[j];
  const double factor = 1 / std::max(std::sqrt(square), 1e-12);  // as torch's normalize does
  for (std::size_t j = 0; j < n; ++j) row[j] = static_cast<float>(row[j] * factor);
}

void expect_whole_vectors(const EncoderInfo& info) {
  if (!info.by_token) return;
  throw Error(ErrorCode::unsupported,
              "a late-interaction model gives a vector for each token and none for a whole text; "
              "expected to be asked for tokens' (kith embed --tokens)");
}

Modules find_modules(const std::string& folder) {
  Modules found{.transformer = folder,
                .is_static = false,
                .by_token = is_late_interaction(folder),
                .max_tokens = {},
                .ahead = {}};
  const std::string path = folder + "/modules.json";
  if (fs::exists(path)) read_list(path, folder, found);
  if (is_nvembed(found.transformer)) {
    found.ahead = nvembed_modules(found.transformer, std::move(found.ahead));
  }
  const std::string settings = found.transformer + "/sentence_bert_config.json";
  if (fs::exists(settings)) {
    const Json json = Json::read(settings);
    if (json.boolean("do_lower_case", false)) {
      json.refuse("do_lower_case", "false: a tokenizer's own normaliser does that",
                  ErrorCode::unsupported);
    }
    if (json.has("max_seq_length")) found.max_tokens = json.whole("max_seq_length", 1, 1 << 24);
  }
  return found;
}

Modules find_transformer(const std::string& folder) {
  Modules found = find_modules(folder);
  if (!found.is_static) return found;
  throw Error(ErrorCode::unsupported, folder + ": a static embedding, expected a transformer");
}

PoolingStep pooling_of(const Modules& modules, const PooledModel& model) {
  PoolingStep step(model);
  for (const auto& [kind, folder] : modules.ahead) {
    if (!is_head(kind)) step.read(kind, folder);
  }
  return step;
}

Head::Head(const Modules& modules, const PooledModel& model)
    : pooling_(pooling_of(modules, model)),
      by_token_(modules.by_token),
      dim_(pooling_.dim()),
      parameters_(pooling_.parameters()) {
  for (const auto& [kind, folder] : modules.ahead) {
    if (kind == "Dense") add_dense(folder);
    if (kind == kConcepts) add_concepts(folder);
    if (kind == "Normalize") steps_.emplace_back(NormalizeModule{});
  }
}

DenseFile read_dense(const std::string& folder, std::size_t inputs) {
  const Json json = Json::read(folder + "/config.json");
  if (json.whole("in_features", 1, 1 << 20) != inputs) {
    json.refuse("in_features", std::to_string(inputs) + ", the dimension of what goes in");
  }
  json.expect_text("module_input_name", {"sentence_embedding"});
  json.expect_text("module_output_name", {"sentence_embedding"});
  const std::size_t out = json.whole("out_features", 1, 1 << 20);
  const bool bias = json.boolean("bias", true);
  const TensorStore store = TensorStore::open_file(folder + "/model.safetensors");
  ModuleTensors tensors(store, "", "a Dense module");
  DenseFile file{.rows = tensors.read("linear.weight", out, inputs),
                 .bias = bias ? tensors.read("linear.bias", 1, out) : Matrix<float>(1, out),
                 .activation = dense_activation(json),
                 .has_bias = bias};
  tensors.refuse_extra();
  return file;
}

void Head::add_dense(const std::string& folder) {
  const DenseFile file = read_dense(folder, dim_);
  steps_.emplace_back(
      DenseModule{simd::PackedWeights(file.rows, file.bias.data()), file.activation});
  const std::size_t out = file.rows.rows();
  parameters_ += out * dim_ + (file.has_bias ? out : 0);
  dim_ = out;
}

void Head::add_concepts(const std::string& folder) {
  ConceptsModule module(read_concepts(folder, dim_));
  parameters_ += module.parameters();
  dim_ = module.outputs();
  steps_.emplace_back(std::move(module));
}

std::vector<std::string> Head::descriptions() const {
  std::vector<std::string> texts = {"a vector for each token"};
  if (!by_token_) texts = pooling_.descriptions();
  for (const auto& step : steps_) {
    if (const auto* dense = std::get_if<DenseModule>(&step)) {
      texts.push_back("dense " + std::to_string(dense->weights.inputs()) + " to " +
                      std::to_string(dense->weights.outputs()));
    } else if (const auto* concepts = std::get_if<ConceptsModule>(&step)) {
      texts.push_back(concepts->description());
    } else {
      texts.emplace_back("normalize");
    }
  }
  return texts;
}

Matrix<float> Head::apply(const Control& control, Matrix<float> pooled) const {
  simd::DenseScratch scratch;
  WorkerTeam team(control);
  for (const auto& step : steps_) {
    if (const auto* dense = std::get_if<DenseModule>(&step)) {
      Matrix<float> out(pooled.rows(), dense->weights.outputs());
      simd::dense(team, pooled, dense->weights, out, scratch, dense->activation);
      pooled = std::move(out);
    } else if (const auto* concepts = std::get_if<ConceptsModule>(&step)) {
      pooled = concepts->apply(team, pooled, scratch);
    } else {
      for (std::size_t i = 0; i < pooled.rows(); ++i) normalize(pooled.row(i), pooled.cols());
    }
  }
  return pooled;
}

}  // namespace kith::encode
