#include "learn/nn/text_model.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/progress.h"
#include "encode/prompted_texts.h"
#include "encode/thinking.h"
#include "learn/nn/cross_attention.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/nn/text_model_state.h"
#include "learn/refuse.h"
#include "learn/shards.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

const char* torch_name(simd::Activation activation) {
  using simd::Activation;
  if (activation == Activation::tanh) return "torch.nn.modules.activation.Tanh";
  if (activation == Activation::relu) return "torch.nn.modules.activation.ReLU";
  if (activation == Activation::gelu) return "torch.nn.modules.activation.GELU";
  if (activation == Activation::silu) return "torch.nn.modules.activation.SiLU";
  return "torch.nn.modules.linear.Identity";
}

void write_dense(const encode::NewFolder& folder, const std::string& place, const DenseHead& head) {
  encode::write_json(folder.file(place + "/config.json"),
                     {{"in_features", head.weight.size(1)},
                      {"out_features", head.weight.size(0)},
                      {"bias", head.has_bias},
                      {"activation_function", torch_name(head.activation)}});
  Parameters parameters;
  parameters.add("linear.weight", head.weight);
  if (head.has_bias) parameters.add("linear.bias", head.bias);
  write_parameters(folder.file(place + "/model.safetensors"), parameters);
}

}  // namespace

TextModel::TextModel(const TextModelOptions& options, std::uint64_t seed)
    : state_(std::make_unique<State>(options, seed)) {}
TextModel::~TextModel() = default;
TextModel::TextModel(TextModel&&) noexcept = default;
TextModel& TextModel::operator=(TextModel&&) noexcept = default;

const Tokenizer& TextModel::tokenizer() const { return *state_->tokenizer; }
Transformer& TextModel::transformer() { return *state_->transformer; }
const Transformer& TextModel::transformer() const { return *state_->transformer; }
const Pooler& TextModel::pooler() const { return *state_->pooler; }
bool TextModel::causal() const { return state_->causal(); }
std::int64_t TextModel::dim() const { return state_->dim(); }
std::size_t TextModel::max_tokens() const { return state_->max_tokens; }
bool TextModel::normalized() const { return state_->normalize; }
const std::optional<encode::Thinking>& TextModel::thinking() const { return state_->thinking; }
const std::optional<encode::LateInteraction>& TextModel::late_interaction() const {
  return state_->late;
}
const ConceptHead* TextModel::concepts() const {
  return state_->concepts ? &*state_->concepts : nullptr;
}
const std::map<std::string, std::string>& TextModel::prompts() const {
  return state_->prompts.by_name;
}

Parameters TextModel::parameters() const {
  Parameters all;
  all.add("transformer.", state_->transformer->parameters());
  all.add("lora.", state_->lora);
  all.add("positions.", state_->positions);
  all.add("pooling.", state_->pooler->parameters());
  for (std::size_t i = 0; i < state_->dense.size(); ++i) {
    const DenseHead& head = state_->dense[i];
    all.add("dense." + std::to_string(i) + ".weight", head.weight);
    if (head.has_bias) all.add("dense." + std::to_string(i) + ".bias", head.bias);
  }
  if (state_->concepts) all.add("concepts.", state_->concepts->parameters());
  return all;
}

Parameters TextModel::trained() const {
  Parameters trained;
  for (const Parameter& each : parameters()) {
    if (each.value.requires_grad()) trained.add(each.name, each.value);
  }
  return trained;
}

TextModel::Texts TextModel::tokenize(std::span<const std::string_view> texts,
                                     const std::string& prompt, std::size_t most,
                                     const Control& control) const {
  const State& state = *state_;
  Truncation truncation = state.tokenizer->truncation().value_or(Truncation{});
  truncation.max_length = most == 0 ? state.max_tokens : std::min(most, state.max_tokens);
  truncation.stride = 0;
  Texts result;
  const bool special = !state.is_static();
  result.encodings =
      encode::tokenize(*state.tokenizer, texts, prompt, "", truncation, special, control);
  const std::size_t before = encode::prompt_tokens(*state.tokenizer, prompt, special);
  for (const Encoding& each : result.encodings) {
    result.sequences.push_back(
        {.ids = each.ids, .types = each.types, .prompt = std::min(before, each.ids.size())});
  }
  return result;
}

TextModel::Texts TextModel::tokenize(TextRole role, std::span<const std::string_view> texts,
                                     const std::string& prompt, std::size_t most,
                                     const Control& control) const {
  const State& state = *state_;
  if (!state.late) return tokenize(texts, prompt, most, control);
  const bool query = role == TextRole::query;
  const std::size_t own = query ? state.late->query_tokens : state.late->document_tokens;
  const std::size_t length = std::min(most == 0 ? own : std::min(most, own), state.max_tokens);
  Texts result = tokenize(texts, prompt, length, control);
  if (!query || !state.late->expand_queries) return result;
  if (!state.late->expansion_seen) {
    refuse("queries whose tokens don't see those that fill them up: attend_to_expansion_tokens");
  }
  const std::uint32_t mask = encode::mask_token(*state.tokenizer);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Encoding& encoding = result.encodings[i];
    encode::expand(encoding, mask, length);
    result.sequences[i].ids = encoding.ids;
    result.sequences[i].types = encoding.types;
  }
  return result;
}

at::Tensor TextModel::token_vectors(const std::vector<at::Tensor>& states,
                                    std::size_t layer) const {
  const State& state = *state_;
  at::Tensor x = states.at(layer);
  if (layer < state.transformer->layers() && state.norms_every_layer()) {
    x = state.transformer->final_norm(x);
  }
  return torch::nn::functional::normalize(state.through_heads(x),
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

TokenSets TextModel::sets_of(TextRole role, const at::Tensor& vectors, const Tokens& tokens) const {
  const State& state = *state_;
  if (role == TextRole::query || !state.skipped.defined() || state.skipped.numel() == 0) {
    return {vectors, tokens.begin};
  }
  at::Tensor kept = torch::isin(tokens.ids.cpu(), state.skipped).logical_not();
  TokenSets sets;
  for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
    const std::int64_t first = tokens.begin[s], length = tokens.begin[s + 1] - first;
    at::Tensor own = kept.narrow(0, first, length);
    if (!own.any().item<bool>()) own.fill_(true);
    sets.begin.push_back(sets.begin.back() + own.sum().item<std::int64_t>());
  }
  sets.vectors = vectors.index_select(0, kept.nonzero().squeeze(1).to(vectors.device()));
  return sets;
}

TokenSets TextModel::embed_tokens(TextRole role, std::span<const std::string_view> texts,
                                  const std::string& prompt, const Control& control,
                                  std::size_t most) const {
  constexpr std::size_t kBatch = 64;
  const torch::NoGradGuard constant;
  const Texts tokenized = tokenize(role, texts, prompt, most, without_progress(control));
  const std::span<const TokenSequence> sequences = tokenized.sequences;
  std::vector<TokenSets> parts((sequences.size() + kBatch - 1) / kBatch);
  run_shards(parts.size(), [&](std::size_t part) {
    throw_if_cancelled(control);
    const std::size_t at = part * kBatch;
    const auto some = sequences.subspan(at, std::min(kBatch, sequences.size() - at));
    const Tokens tokens = pack_tokens(some).to(device());
    const std::size_t layers = transformer().layers();
    const at::Tensor vectors = token_vectors(transformer().states(tokens, layers), layers);
    parts[part] = sets_of(role, vectors.cpu(), tokens);
  });
  TokenSets sets;
  std::vector<at::Tensor> rows;
  for (const TokenSets& part : parts) {
    for (std::int64_t s = 0; s < part.size(); ++s) {
      sets.begin.push_back(sets.begin.back() + part.begin[s + 1] - part.begin[s]);
    }
    rows.push_back(part.vectors);
  }
  sets.vectors = rows.empty() ? torch::empty({0, dim()}) : torch::cat(rows);
  return sets;
}

at::Tensor TextModel::State::pooled(const std::vector<at::Tensor>& states, std::size_t layer,
                                    const Tokens& tokens) const {
  if (late) {
    refuse("a late-interaction model gives a vector for each token and none for a whole text");
  }
  if (layer == transformer->layers() || !norms_every_layer()) {
    return through_heads(pooler->pool(states, layer, tokens));
  }
  std::vector<at::Tensor> normed = states;
  normed.at(layer) = transformer->final_norm(states.at(layer));
  return through_heads(pooler->pool(normed, layer, tokens));
}

at::Tensor TextModel::State::normalised(const at::Tensor& raw) const {
  if (!normalize) return raw;
  return torch::nn::functional::normalize(raw,
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

at::Tensor TextModel::raw_vectors(const std::vector<at::Tensor>& states, std::size_t layer,
                                  const Tokens& tokens) const {
  const at::Tensor x = state_->pooled(states, layer, tokens);
  return state_->concepts ? state_->concepts->vectors(state_->concepts->evidence(x)) : x;
}

at::Tensor TextModel::evidence(const std::vector<at::Tensor>& states, std::size_t layer,
                               const Tokens& tokens) const {
  if (!state_->concepts) refuse("a model without concepts, expected one that has some");
  return state_->concepts->evidence(state_->pooled(states, layer, tokens));
}

at::Tensor TextModel::vectors_of(const at::Tensor& evidence) const {
  return state_->normalised(state_->concepts->vectors(evidence));
}

at::Tensor TextModel::vectors(const std::vector<at::Tensor>& states, std::size_t layer,
                              const Tokens& tokens) const {
  return state_->normalised(raw_vectors(states, layer, tokens));
}

at::Tensor TextModel::embed(std::span<const std::string_view> texts, const std::string& prompt,
                            const Control& control, std::size_t most) const {
  return embed(tokenize(texts, prompt, most, without_progress(control)).sequences, control);
}

at::Tensor TextModel::embed(std::span<const TokenSequence> sequences,
                            const Control& control) const {
  constexpr std::size_t kBatch = 64;
  const torch::NoGradGuard constant;
  std::vector<at::Tensor> parts((sequences.size() + kBatch - 1) / kBatch);
  run_shards(parts.size(), [&](std::size_t part) {
    throw_if_cancelled(control);
    const std::size_t at = part * kBatch;
    const auto some = sequences.subspan(at, std::min(kBatch, sequences.size() - at));
    const Tokens tokens = pack_tokens(some).to(device());
    const std::size_t layers = transformer().layers();
    parts[part] = vectors(transformer().states(tokens, layers), layers, tokens).cpu();
  });
  return parts.empty() ? torch::empty({0, dim()}) : torch::cat(parts);
}

at::Device TextModel::device() const { return transformer().parameters().begin()->value.device(); }

void TextModel::to(const at::Device& device) {
  for (const Parameter& each : parameters()) {
    at::Tensor value = each.value;
    value.set_data(value.to(device));
  }
}

const nlohmann::json& TextModel::config() const { return state_->config; }
const std::string& TextModel::base() const { return state_->base; }

void TextModel::save(const std::string& path, const Extras& extras) const {
  const State& state = *state_;
  encode::NewFolder folder(path);
  std::vector<encode::Module> modules;
  if (state.is_static()) {
    modules = state.write_static(folder);
  } else {
    modules = state.write_transformer(folder, extras);
  }
  for (const DenseHead& head : state.dense) {
    const std::string place = std::to_string(modules.size()) + "_Dense";
    write_dense(folder, place, head);
    modules.push_back({"sentence_transformers.models.Dense", place});
  }
  if (state.concepts) {
    const std::string place = std::to_string(modules.size()) + "_" + encode::kConcepts;
    state.concepts->write(folder, place);
    modules.push_back({std::string("kith.models.") + encode::kConcepts, place});
  }
  if (state.normalize) {
    modules.push_back(
        {"sentence_transformers.models.Normalize", std::to_string(modules.size()) + "_Normalize"});
  }
  encode::write_modules(folder, modules);
  if (state.late) {
    encode::write_json(folder.file("config_sentence_transformers.json"),
                       encode::late_interaction_json(*state.late, state.prompts, *state.tokenizer));
  } else if (!state.prompts.by_name.empty()) {
    nlohmann::ordered_json prompts = {{"prompts", state.prompts.by_name}};
    if (!state.prompts.usual.empty()) prompts["default_prompt_name"] = state.prompts.usual;
    encode::write_json(folder.file("config_sentence_transformers.json"), prompts);
  }
  if (state.thinking) {
    encode::write_text(folder.file(encode::kThinkingFile), state.thinking_json);
  }
  for (const auto& [name, text] : extras.files) encode::write_text(folder.file(name), text);
  for (const auto& [name, own] : extras.tensors) write_parameters(folder.file(name), own);
  folder.commit();
}

}  // namespace kith::learn
