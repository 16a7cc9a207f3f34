#include "learn/pretrain/language_head.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

#include "encode/modules.h"
#include "encode/tensor_store.h"
#include "kith/error.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// How the checkpoints of a model_type that have a head are made.
struct Published {
  const char* type;
  const char* architecture;
  const char* prefix;  // of the transformer's tensors
  const char* dense;
  const char* norm;
  const char* bias;
};

constexpr Published kMasked[] = {
    {"bert", "BertForMaskedLM", "bert.", "cls.predictions.transform.dense",
     "cls.predictions.transform.LayerNorm", "cls.predictions.bias"},
    {"roberta", "RobertaForMaskedLM", "roberta.", "lm_head.dense", "lm_head.layer_norm",
     "lm_head.bias"},
    {"xlm-roberta", "XLMRobertaForMaskedLM", "roberta.", "lm_head.dense", "lm_head.layer_norm",
     "lm_head.bias"},
    {"mpnet", "MPNetForMaskedLM", "mpnet.", "lm_head.dense", "lm_head.layer_norm", "lm_head.bias"},
    {"modernbert", "ModernBertForMaskedLM", "model.", "head.dense", "head.norm", "decoder.bias"}};

constexpr Published kCausal[] = {{"gpt2", "GPT2LMHeadModel", "transformer.", "", "", ""},
                                 {"llama", "LlamaForCausalLM", "model.", "", "", ""},
                                 {"mistral", "MistralForCausalLM", "model.", "", "", ""},
                                 {"qwen2", "Qwen2ForCausalLM", "model.", "", "", ""},
                                 {"qwen3", "Qwen3ForCausalLM", "model.", "", "", ""}};

const Published& find(std::span<const Published> all, const TextModel& model, const char* what) {
  const std::string type = model.config().at("model_type");
  std::string known;
  for (const Published& each : all) {
    if (type == each.type) return each;
    known += (known.empty() ? "" : ", ") + std::string(each.type);
  }
  throw Error(ErrorCode::unsupported, std::string(what) +
                                          " language modelling with a model of type " + type +
                                          ", expected one of " + known);
}

std::optional<encode::TensorStore> store_of(const TextModel& model) {
  if (model.base().empty()) return std::nullopt;
  return encode::TensorStore::open_folder(encode::find_transformer(model.base()).transformer);
}

// A head's tensors, read where the folder has them, else started.
class Source {
 public:
  Source(const TextModel& model, std::uint64_t seed)
      : store_(store_of(model)), random_(seed, 2), device_(model.device()) {}

  bool has(const std::string& name) const { return store_ && store_->has(name); }
  at::Tensor take(const std::string& name, std::vector<std::int64_t> shape, double start,
                  double spread, Parameters& parameters) {
    at::Tensor tensor;
    if (has(name)) {
      tensor = read_tensor(*store_, name, shape);
    } else {
      tensor = spread > 0 ? normal_tensor(shape, random_, spread) : torch::full(shape, start);
    }
    tensor = tensor.to(device_).detach().set_requires_grad(true);
    parameters.add(name, tensor);
    return tensor;
  }

 private:
  std::optional<encode::TensorStore> store_;
  Random random_;
  at::Device device_;
};

at::Tensor table_of(const TextModel& model) {
  const Transformer& transformer = model.transformer();
  if (transformer.config().embedding_width != 0) {
    throw Error(ErrorCode::unsupported,
                "language modelling with embeddings narrower than the model's states");
  }
  return transformer.parameters()[transformer.names().tokens];
}

}  // namespace

LanguageHead LanguageHead::masked(const TextModel& model, std::uint64_t seed) {
  constexpr double kSpread = 0.02;
  const Published& published = find(kMasked, model, "masked");
  const encode::Config& config = model.transformer().config();
  const auto width = static_cast<std::int64_t>(config.width);
  LanguageHead head;
  head.prefix_ = published.prefix;
  head.architecture_ = published.architecture;
  head.table_ = table_of(model);
  head.activation_ = config.activation;
  Source source(model, seed);
  const auto take = [&](const char* name, const char* end, std::vector<std::int64_t> shape,
                        double start, double spread) {
    return source.take(std::string(name) + end, std::move(shape), start, spread, head.parameters_);
  };
  head.dense_.weight = take(published.dense, ".weight", {width, width}, 0, kSpread);
  // ModernBERT's has biases where its other layers do.
  const bool modern = std::string_view(published.type) == "modernbert";
  if (!modern || config.out_bias) {
    head.dense_.bias = take(published.dense, ".bias", {width}, 0, 0);
  }
  head.norm_ = {.kind = config.norm,
                .scale = take(published.norm, ".weight", {width}, 1, 0),
                .shift = {},
                .epsilon = config.epsilon};
  if (config.norm_shift) head.norm_.shift = take(published.norm, ".bias", {width}, 0, 0);
  head.bias_ = take(published.bias, "", {head.table_.size(0)}, 0, 0);
  return head;
}

LanguageHead LanguageHead::causal(const TextModel& model) {
  const Published& published = find(kCausal, model, "causal");
  if (!model.causal()) {
    throw Error(ErrorCode::invalid_argument,
                "causal language modelling with a model whose tokens see those behind them");
  }
  LanguageHead head;
  head.prefix_ = published.prefix;
  head.architecture_ = published.architecture;
  head.table_ = table_of(model);
  Source source(model, 0);
  constexpr char kOwn[] = "lm_head.weight";
  if (!model.config().value("tie_word_embeddings", true) && source.has(kOwn)) {
    head.table_ =
        source.take(kOwn, {head.table_.size(0), head.table_.size(1)}, 0, 0, head.parameters_);
  }
  return head;
}

at::Tensor LanguageHead::transform(const at::Tensor& states) const {
  if (dense_.empty()) return states;
  const std::int64_t width = states.size(1);
  Linear part = dense_;
  if (width < dense_.weight.size(1)) part.weight = dense_.weight.narrow(1, 0, width);
  return norm_(activate(activation_, part(states)));
}

void LanguageHead::add_to(TextModel::Extras& extras) const {
  extras.prefix = prefix_;
  extras.architecture = architecture_;
  extras.head.add("", parameters_);
}

}  // namespace kith::learn
