#include "learn/nn/transformer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.h"
#include "encode/context.h"
#include "encode/distance_bias.h"
#include "encode/rotary.h"
#include "encode/tensor_list.h"
#include "kith/error.h"
#include "learn/nn/attention.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using encode::TensorRole;

at::Tensor start_of(const encode::TensorPlace& place, double last, Random& random) {
  constexpr double kSpread = 0.02;
  if (place.role == TensorRole::scale) return torch::ones(place.shape);
  if (place.role == TensorRole::bias || place.role == TensorRole::shift) {
    return torch::zeros(place.shape);
  }
  return normal_tensor(place.shape, random,
                       place.role == TensorRole::last ? kSpread * last : kSpread);
}

// The first or the second of each rotated pair.
at::Tensor part_of(const at::Tensor& x, const encode::Rotary& rotary, std::int64_t part) {
  const auto half = static_cast<std::int64_t>(rotary.dims / 2);
  if (!rotary.interleaved) return x.narrow(-1, part * half, half);
  return x.narrow(-1, 0, 2 * half).slice(-1, part, 2 * half, 2);
}

}  // namespace

std::string prefix_of(const encode::TensorStore& store, const encode::Names& names) {
  std::string found;
  for (const std::string& prefix : names.prefixes) {
    if (store.has(prefix + names.tokens)) found = prefix;
  }
  return found;
}

Transformer Transformer::random(const encode::Config& config, const encode::Names& names,
                                std::uint64_t seed) {
  Random random(seed);
  const double last =
      config.pre_norm ? 1 / std::sqrt(2.0 * static_cast<double>(config.layers.size())) : 1;
  Parameters parameters;
  for (const encode::TensorPlace& place : list_tensors(names, config)) {
    parameters.add(place.name, start_of(place, last, random));
  }
  return {config, names, std::move(parameters)};
}

Transformer Transformer::read(const encode::TensorStore& store, const encode::Config& config,
                              const encode::Names& names) {
  const std::string prefix = prefix_of(store, names);
  Parameters parameters;
  for (const encode::TensorPlace& place : list_tensors(names, config)) {
    parameters.add(place.name, read_tensor(store, prefix + place.name, place.shape));
  }
  return {config, names, std::move(parameters)};
}

Transformer::Transformer(encode::Config config, encode::Names names, Parameters parameters)
    : config_(std::move(config)), names_(std::move(names)), parameters_(std::move(parameters)) {
  for (const Parameter& each : parameters_) each.value.set_requires_grad(true);
  bind();
}

Linear Transformer::linear(const std::string& name, std::size_t layer, bool bias) const {
  const std::string full = encode::in_layer(name, layer);
  Linear linear;
  linear.weight = parameters_[full + ".weight"];
  if (bias) linear.bias = parameters_[full + ".bias"];
  linear.transposed = names_.transposed;
  return linear;
}

Normalisation Transformer::norm(const std::string& name, std::size_t layer, bool shift) const {
  const std::string full = encode::in_layer(name, layer);
  Normalisation norm;
  norm.kind = config_.norm;
  norm.epsilon = config_.epsilon;
  norm.scale = parameters_[full + ".weight"];
  if (shift) norm.shift = parameters_[full + ".bias"];
  return norm;
}

void Transformer::bind() {
  tokens_ = parameters_[names_.tokens];
  if (config_.position_rows != 0) positions_ = parameters_[names_.positions];
  if (config_.types != 0) types_ = parameters_[names_.types];
  if (config_.distance_bias == encode::DistanceBias::buckets) {
    bucket_bias_ = parameters_[names_.relative_bias];
  }
  if (config_.embedding_norm) embedding_norm_ = norm(names_.embedding_norm, 0, config_.norm_shift);
  if (config_.final_norm) final_norm_ = norm(names_.final_norm, 0, config_.norm_shift);
  if (config_.embedding_width != 0) projection_ = linear(names_.projection, 0, true);
  layers_.clear();
  for (std::size_t l = 0; l < layers(); ++l) bind_layer(l);
}

void Transformer::bind_layer(std::size_t l) {
  Layer& layer = layers_.emplace_back();
  if (!config_.pre_norm || config_.layers[l].attention_norm) {
    layer.attention_norm = norm(names_.attention_norm, l, config_.norm_shift);
  }
  layer.mlp_norm = norm(names_.mlp_norm, l, config_.norm_shift);
  if (config_.qk_norm) {
    layer.query_norm = norm(names_.query_norm, l, false);
    layer.key_norm = norm(names_.key_norm, l, false);
    layer.query_norm.kind = layer.key_norm.kind = encode::NormKind::rms;
  }
  if (names_.qkv.empty()) {
    layer.query = linear(names_.query, l, config_.qkv_bias);
    layer.key = linear(names_.key, l, config_.qkv_bias);
    layer.value = linear(names_.value, l, config_.qkv_bias);
  } else {
    layer.qkv = linear(names_.qkv, l, config_.qkv_bias);
  }
  layer.out = linear(names_.out, l, config_.out_bias);
  if (!names_.gate_up.empty()) {
    layer.gate_up = linear(names_.gate_up, l, config_.up_bias);
  } else {
    if (config_.gated) layer.gate = linear(names_.gate, l, config_.up_bias);
    layer.up = linear(names_.up, l, config_.up_bias);
  }
  layer.down = linear(names_.down, l, config_.down_bias);
}

at::Tensor Transformer::final_norm(const at::Tensor& state) const {
  return config_.final_norm ? final_norm_(state) : state;
}

// One batch on its way through the layers.
class TransformerForward {
 public:
  TransformerForward(const Transformer& model, const Tokens& tokens, const ForwardOptions& options)
      : model_(model), config_(model.config_), tokens_(tokens), options_(options) {
    if (options.training) dropout_ = Dropout(options.seed);
    bias_ = model.bias_of(tokens.longest);
    for (const encode::Rotary& rotary : config_.rotary) rotations_.push_back(rotation_of(rotary));
  }

  std::vector<at::Tensor> run(std::size_t count, const at::Tensor& embedded) {
    std::vector<at::Tensor> states = layers(count, embedded);
    if (count == config_.layers.size()) states.back() = model_.final_norm(states.back());
    return states;
  }

  // Before the final norm.
  std::vector<at::Tensor> layers(std::size_t count, const at::Tensor& embedded) {
    embedded_ = dropout_(embedded, options_.dropout);
    // Embeddings narrower than the state are kept for the first layer's attention.
    std::vector<at::Tensor> states = {config_.embedding_width != 0 ? model_.projection_(embedded_)
                                                                   : embedded_};
    for (std::size_t l = 0; l < count; ++l) states.push_back(layer(l, states.back()));
    return states;
  }

 private:
  struct Rotation {
    at::Tensor cosines, sines;  // [N, 1, dims / 2]
  };

  Rotation rotation_of(const encode::Rotary& rotary) const {
    const auto same = [&](std::int64_t length) {
      return !depends_on_length(rotary, static_cast<std::size_t>(length));
    };
    const auto table = [&](std::int64_t length) {
      const encode::RotaryTable made = rotary_table(rotary, static_cast<std::size_t>(length));
      return std::pair(tensor_of(made.cosines), tensor_of(made.sines));
    };
    std::vector<at::Tensor> cosines, sines;
    if (same(tokens_.longest)) {
      const auto [c, s] = table(tokens_.longest);
      const at::Tensor position = tokens_.position.cpu();
      cosines = {c.index_select(0, position)};
      sines = {s.index_select(0, position)};
    } else {
      for (std::int64_t s = 0; s < tokens_.sequences(); ++s) {
        const auto [c, v] = table(tokens_.begin[s + 1] - tokens_.begin[s]);
        cosines.push_back(c);
        sines.push_back(v);
      }
    }
    const at::Device device = tokens_.ids.device();
    return {torch::cat(cosines).unsqueeze(1).to(device), torch::cat(sines).unsqueeze(1).to(device)};
  }

  at::Tensor drop(const at::Tensor& x) { return dropout_(x, options_.dropout); }

  at::Tensor layer(std::size_t l, const at::Tensor& state) {
    const Transformer::Layer& layer = model_.layers_[l];
    const at::Tensor input = config_.input_width(l) == config_.width ? state : embedded_;
    const at::Tensor attended = drop(attention(l, before(layer.attention_norm, input)));
    const at::Tensor between = after(layer.attention_norm, state + attended);
    const at::Tensor added = drop(mlp(layer, before(layer.mlp_norm, between)));
    return after(layer.mlp_norm, between + added);
  }
  at::Tensor before(const Normalisation& norm, const at::Tensor& x) const {
    return config_.pre_norm && !norm.empty() ? norm(x) : x;
  }
  at::Tensor after(const Normalisation& norm, const at::Tensor& x) const {
    return config_.pre_norm ? x : norm(x);
  }

  at::Tensor attention(std::size_t l, const at::Tensor& x) {
    const Transformer::Layer& layer = model_.layers_[l];
    const auto dim = static_cast<std::int64_t>(config_.head_dim_of(l));
    const auto heads = static_cast<std::int64_t>(config_.heads);
    const auto kv_heads = static_cast<std::int64_t>(config_.kv_heads);
    at::Tensor q, k, v;
    if (layer.qkv.empty()) {
      q = layer.query(x, dropout_);
      k = layer.key(x, dropout_);
      v = layer.value(x, dropout_);
    } else {
      const std::vector<at::Tensor> parts =
          layer.qkv(x, dropout_)
              .split_with_sizes({heads * dim, kv_heads * dim, kv_heads * dim}, -1);
      q = parts[0], k = parts[1], v = parts[2];
    }
    q = sharpen(prepare(q, heads, dim, config_.layers[l], layer.query_norm), l);
    k = prepare(k, kv_heads, dim, config_.layers[l], layer.key_norm);
    return layer.out(attend(q, k, v, tokens_, {heads, kv_heads, dim}, config_.layers[l], bias_,
                            options_.attention_dropout, dropout_),
                     dropout_);
  }

  // What longer texts' scores are multiplied with (encode::attention_scale), at their queries.
  at::Tensor sharpen(const at::Tensor& queries, std::size_t l) const {
    const encode::ContextPlan& context = config_.context;
    if (!context.scale_attention || tokens_.longest <= static_cast<std::int64_t>(context.trained)) {
      return queries;
    }
    std::vector<float> scales;
    for (std::int64_t s = 0; s < tokens_.sequences(); ++s) {
      const auto length = static_cast<std::size_t>(tokens_.begin[s + 1] - tokens_.begin[s]);
      scales.push_back(
          static_cast<float>(encode::attention_scale(context, config_.layers[l], 0, length)));
    }
    return queries * torch::tensor(scales)
                         .to(queries.device())
                         .index_select(0, tokens_.sequence)
                         .unsqueeze(1);
  }

  // Norms and rotates each head.
  at::Tensor prepare(const at::Tensor& x, std::int64_t heads, std::int64_t dim,
                     const encode::LayerPlan& plan, const Normalisation& norm) const {
    if (norm.empty() && !plan.rotary) return x;
    at::Tensor split = x.view({x.size(0), heads, dim});
    if (!norm.empty()) split = norm(split);
    if (plan.rotary) split = rotate(split, config_.rotary[*plan.rotary], rotations_[*plan.rotary]);
    return split.reshape({x.size(0), heads * dim});
  }

  static at::Tensor rotate(const at::Tensor& x, const encode::Rotary& rotary,
                           const Rotation& rotation) {
    const at::Tensor first = part_of(x, rotary, 0), second = part_of(x, rotary, 1);
    const at::Tensor a = first * rotation.cosines - second * rotation.sines;
    const at::Tensor b = second * rotation.cosines + first * rotation.sines;
    const auto dims = static_cast<std::int64_t>(rotary.dims);
    const at::Tensor turned =
        rotary.interleaved ? torch::stack({a, b}, -1).flatten(-2) : torch::cat({a, b}, -1);
    if (dims == x.size(-1)) return turned;
    return torch::cat({turned, x.narrow(-1, dims, x.size(-1) - dims)}, -1);
  }

  at::Tensor mlp(const Transformer::Layer& layer, const at::Tensor& x) {
    if (!config_.gated) {
      return layer.down(activate(config_.activation, layer.up(x, dropout_)), dropout_);
    }
    at::Tensor gate, up;
    if (layer.gate_up.empty()) {
      gate = layer.gate(x, dropout_);
      up = layer.up(x, dropout_);
    } else {
      const std::vector<at::Tensor> parts = layer.gate_up(x, dropout_).chunk(2, -1);
      gate = parts[0], up = parts[1];
    }
    return layer.down(activate(config_.activation, gate) * up, dropout_);
  }

  const Transformer& model_;
  const encode::Config& config_;
  const Tokens& tokens_;
  const ForwardOptions options_;
  Dropout dropout_;
  at::Tensor bias_, embedded_;
  std::vector<Rotation> rotations_;
};

std::vector<at::Tensor> Transformer::states(const Tokens& tokens, std::size_t layers,
                                            const ForwardOptions& options) const {
  return TransformerForward(*this, tokens, options).run(layers, embed(tokens, options));
}

at::Tensor Transformer::raw_state(const Tokens& tokens, const ForwardOptions& options) const {
  return TransformerForward(*this, tokens, options).layers(layers(), embed(tokens, options)).back();
}

std::vector<at::Tensor> Transformer::states_of(const at::Tensor& embedded, const Tokens& tokens,
                                               const ForwardOptions& options) const {
  return TransformerForward(*this, tokens, options).run(layers(), embedded);
}

namespace {

// How many tokens that are counted stand before each in its text; -1 at those that aren't.
at::Tensor places_of(const encode::Config& config, const Tokens& tokens) {
  if (!config.unpositioned) return tokens.position;
  const at::Tensor counted = (tokens.ids != static_cast<std::int64_t>(*config.unpositioned));
  const at::Tensor running = counted.to(torch::kInt64).cumsum(0);
  const at::Tensor starts =
      torch::tensor(std::vector<std::int64_t>(tokens.begin.begin(), tokens.begin.end() - 1),
                    torch::kInt64)
          .to(tokens.ids.device());
  const at::Tensor before = (running - counted.to(torch::kInt64))
                                .index_select(0, starts)
                                .index_select(0, tokens.sequence);
  return torch::where(counted, running - before - 1, torch::full_like(running, -1));
}

// Where texts begin in a table of `positions`: anywhere that they fit.
at::Tensor drawn_starts(const Tokens& tokens, std::int64_t positions, std::uint64_t seed) {
  Random random(seed, 3);
  std::vector<std::int64_t> starts;
  for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
    const std::int64_t room = positions - (tokens.begin[s + 1] - tokens.begin[s]);
    starts.push_back(static_cast<std::int64_t>(random.below(static_cast<std::size_t>(room + 1))));
  }
  return torch::tensor(starts, torch::kInt64).to(tokens.ids.device());
}

}  // namespace

// Rows of the position table: tokens that aren't counted have the one before the first's.
at::Tensor Transformer::position_rows(const Tokens& tokens, const ForwardOptions& options) const {
  const auto offset = static_cast<std::int64_t>(config_.position_offset);
  const at::Tensor places = places_of(config_, tokens);
  at::Tensor moved = places;
  if (options.training && trained_rows_.defined()) {
    const auto positions = static_cast<std::int64_t>(config_.max_tokens);
    moved = places + drawn_starts(tokens, positions, options.seed).index_select(0, tokens.sequence);
  } else if (config_.context.stretch > 1) {  // as encode::position_id
    const at::Tensor is_short = tokens.lengths.index_select(0, tokens.sequence) <=
                                static_cast<double>(config_.context.trained);
    moved =
        torch::where(is_short, places * static_cast<std::int64_t>(config_.context.stretch), places);
  }
  return torch::where(places < 0, places, moved) + offset;
}

at::Tensor Transformer::positions() const {
  if (!trained_rows_.defined()) return positions_;
  return positions_.index_copy(0, trained_rows_.to(positions_.device()), trained_positions_);
}

Parameters Transformer::train_positions(const at::Tensor& rows) {
  for (const Parameter& each : parameters_) each.value.set_requires_grad(false);
  trained_rows_ = rows;
  trained_positions_ = positions_.index_select(0, rows).set_requires_grad(true);
  Parameters trained;
  trained.add(names_.positions, trained_positions_);
  return trained;
}

at::Tensor Transformer::embed(const Tokens& tokens, const ForwardOptions& options) const {
  at::Tensor x = torch::embedding(tokens_, tokens.ids);
  if (config_.position_rows != 0) {
    x = x + torch::embedding(positions(), position_rows(tokens, options));
  }
  if (config_.types != 0) x = x + torch::embedding(types_, tokens.types);
  return config_.embedding_norm ? embedding_norm_(x) : x;
}

// [heads, longest, longest], or undefined.
at::Tensor Transformer::bias_of(std::int64_t longest) const {
  if (config_.distance_bias == encode::DistanceBias::none) return {};
  const auto length = static_cast<std::size_t>(longest);
  const at::Tensor at = torch::arange(longest, torch::kInt64);
  const at::Tensor column = (at.unsqueeze(1) - at.unsqueeze(0) + (longest - 1)).flatten();
  const auto heads = static_cast<std::int64_t>(config_.heads);
  // With a table that holds each bucket's own number, the bias is the bucket of every distance.
  Matrix<float> numbers(config_.buckets, config_.heads);
  for (std::size_t b = 0; b < config_.buckets; ++b) {
    for (std::size_t h = 0; h < config_.heads; ++h) numbers(b, h) = static_cast<float>(b);
  }
  const at::Tensor by_distance = tensor_of(encode::distance_bias(config_, numbers, length));
  const at::Device device = tokens_.device();
  if (config_.distance_bias == encode::DistanceBias::alibi) {
    return by_distance.index_select(1, column).view({heads, longest, longest}).to(device);
  }
  const at::Tensor bucket = by_distance[0].index_select(0, column).to(torch::kInt64).to(device);
  return torch::embedding(bucket_bias_, bucket).t().reshape({heads, longest, longest});
}

void Transformer::set_causal(bool causal) {
  for (encode::LayerPlan& plan : config_.layers) {
    if (causal) {
      if (plan.forward != 0 && plan.forward != encode::kUnlimited) {
        refuse("causal attention: the model looks ahead within a window");
      }
      plan.forward = 0;
    } else {
      plan.forward = plan.back;
    }
  }
}

std::vector<std::pair<std::string, Linear*>> Transformer::dense_layers() {
  std::vector<std::pair<std::string, Linear*>> all;
  const auto add = [&](const std::string& name, std::size_t layer, Linear& linear) {
    if (!linear.empty()) all.emplace_back(encode::in_layer(name, layer), &linear);
  };
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    add(names_.qkv, l, layer.qkv);
    add(names_.query, l, layer.query);
    add(names_.key, l, layer.key);
    add(names_.value, l, layer.value);
    add(names_.out, l, layer.out);
    add(names_.gate_up, l, layer.gate_up);
    add(names_.gate, l, layer.gate);
    add(names_.up, l, layer.up);
    add(names_.down, l, layer.down);
  }
  return all;
}

std::vector<std::pair<std::string, const Linear*>> Transformer::dense_layers() const {
  const auto all = const_cast<Transformer*>(this)->dense_layers();
  return {all.begin(), all.end()};
}

Parameters Transformer::add_lora(const LoraOptions& options, std::uint64_t seed) {
  if (options.rank < 1) refuse("LoRA of rank " + std::to_string(options.rank));
  Random random(seed);
  Parameters added;
  for (const Parameter& each : parameters_) each.value.set_requires_grad(false);
  for (const auto& [name, linear] : dense_layers()) {
    const auto wanted = [&, &layer = name](const std::string& end) { return layer.ends_with(end); };
    if (!options.layers.empty() && std::ranges::none_of(options.layers, wanted)) continue;
    const std::int64_t inputs = linear->weight.size(linear->transposed ? 0 : 1);
    const std::int64_t outputs = linear->weight.size(linear->transposed ? 1 : 0);
    const encode::TensorPlace place{{}, {options.rank, inputs}, TensorRole::weight};
    // Kaiming's uniform start of PyTorch's layers has this spread.
    const double spread = 1 / std::sqrt(3.0 * static_cast<double>(inputs));
    at::Tensor a = start_of(place, 1, random) * (spread / 0.02);
    at::Tensor b = torch::zeros({outputs, options.rank});
    a = a.to(linear->weight.device()).detach().set_requires_grad(true);
    b = b.to(linear->weight.device()).set_requires_grad(true);
    linear->change = {a, b, options.alpha / static_cast<double>(options.rank), options.dropout};
    added.add(name + ".lora_A.weight", a);
    added.add(name + ".lora_B.weight", b);
  }
  if (added.size() == 0) refuse("LoRA: no dense layer's name ends as wanted");
  return added;
}

Parameters Transformer::merged() const {
  const torch::NoGradGuard constant;
  std::map<std::string, at::Tensor> changed;
  for (const auto& [name, linear] : dense_layers()) {
    const LowRank& change = linear->change;
    if (!change.a.defined()) continue;
    const at::Tensor sum = change.b.matmul(change.a) * change.scale;
    changed[name + ".weight"] = linear->weight + (linear->transposed ? sum.t() : sum);
  }
  if (trained_rows_.defined()) changed[names_.positions] = positions();
  Parameters all;
  for (const Parameter& each : parameters_) {
    const auto other = changed.find(each.name);
    all.add(each.name, other == changed.end() ? each.value : other->second);
  }
  return all;
}

}  // namespace kith::learn
