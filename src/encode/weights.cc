#include "encode/weights.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include "kith/error.h"

namespace kith::encode {
namespace {

bool matches(std::string_view name, std::string_view pattern) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.starts_with('*')) return name.ends_with(pattern.substr(1));
  return name == pattern;
}

Dense stacked(const std::vector<Dense>& parts, std::size_t cols) {
  std::size_t rows = 0;
  for (const Dense& part : parts) rows += part.rows.rows();
  Dense all{Matrix<float>(rows, cols), Matrix<float>(1, rows)};
  std::size_t at = 0;
  for (const Dense& part : parts) {
    for (std::size_t i = 0; i < part.rows.rows(); ++i) {
      std::memcpy(all.rows.row(at + i), part.rows.row(i), cols * sizeof(float));
    }
    std::memcpy(all.bias.data() + at, part.bias.data(), part.rows.rows() * sizeof(float));
    at += part.rows.rows();
  }
  return all;
}

class Reader {
 public:
  Reader(const TensorStore& store, const Names& names, const Config& config)
      : store_(store), names_(names), config_(config) {
    for (const std::string& prefix : names.prefixes) {
      if (store.has(prefix + names.tokens)) prefix_ = prefix;
    }
  }

  RawWeights read() {
    const std::size_t width = config_.input_width(0);
    weights_.tokens = tensor(names_.tokens, config_.vocabulary, width);
    if (config_.position_rows != 0) {
      weights_.positions = tensor(names_.positions, config_.position_rows, width);
    }
    if (config_.types != 0) weights_.types = tensor(names_.types, config_.types, width);
    if (config_.distance_bias == DistanceBias::buckets) {
      weights_.bucket_bias = tensor(names_.relative_bias, config_.buckets, config_.heads);
    }
    if (config_.embedding_norm) weights_.embedding_norm = norm(names_.embedding_norm, width);
    if (config_.final_norm) weights_.final_norm = norm(names_.final_norm, config_.width);
    if (config_.embedding_width != 0) {
      weights_.projection = dense(names_.projection, config_.width, width, true);
    }
    for (layer_ = 0; layer_ < config_.layers.size(); ++layer_) read_layer();
    refuse_extra();
    return std::move(weights_);
  }

 private:
  Matrix<float> tensor(const std::string& name, std::size_t rows, std::size_t cols) {
    std::string full = prefix_ + name;
    const std::size_t number = full.find("{}");
    if (number != std::string::npos) full.replace(number, 2, std::to_string(layer_));
    Matrix<float> values = store_.read(full, rows, cols);
    used_.insert(full);
    weights_.parameters += rows * cols;
    return values;
  }

  Norm norm(const std::string& name, std::size_t width, bool shift) {
    Norm norm;
    norm.scale = tensor(name + ".weight", 1, width);
    if (shift) norm.shift = tensor(name + ".bias", 1, width);
    return norm;
  }
  Norm norm(const std::string& name, std::size_t width) {
    return norm(name, width, config_.norm_shift);
  }

  Dense dense(const std::string& name, std::size_t outputs, std::size_t inputs, bool bias) {
    Dense dense;
    if (names_.transposed) {
      const Matrix<float> stored = tensor(name + ".weight", inputs, outputs);
      dense.rows = Matrix<float>(outputs, inputs);
      for (std::size_t i = 0; i < inputs; ++i) {
        for (std::size_t j = 0; j < outputs; ++j) dense.rows(j, i) = stored(i, j);
      }
    } else {
      dense.rows = tensor(name + ".weight", outputs, inputs);
    }
    dense.bias = bias ? tensor(name + ".bias", 1, outputs) : Matrix<float>(1, outputs);
    return dense;
  }

  Dense read_qkv() {
    const std::size_t dim = config_.head_dim_of(layer_), width = config_.input_width(layer_);
    const std::size_t q = config_.heads * dim, kv = config_.kv_heads * dim;
    if (!names_.qkv.empty()) return dense(names_.qkv, q + 2 * kv, width, config_.qkv_bias);
    std::vector<Dense> parts;
    parts.push_back(dense(names_.query, q, width, config_.qkv_bias));
    parts.push_back(dense(names_.key, kv, width, config_.qkv_bias));
    parts.push_back(dense(names_.value, kv, width, config_.qkv_bias));
    return stacked(parts, width);
  }

  Dense read_up() {
    const std::size_t hidden = config_.hidden, width = config_.width;
    if (!names_.gate_up.empty()) {
      return dense(names_.gate_up, 2 * hidden, width, config_.up_bias);
    }
    if (!config_.gated) return dense(names_.up, hidden, width, config_.up_bias);
    std::vector<Dense> parts;
    parts.push_back(dense(names_.gate, hidden, width, config_.up_bias));
    parts.push_back(dense(names_.up, hidden, width, config_.up_bias));
    return stacked(parts, width);
  }

  void read_layer() {
    LayerWeightsOf<Dense> layer;
    const std::size_t width = config_.width, head = config_.head_dim_of(layer_);
    if (!config_.pre_norm || config_.layers[layer_].attention_norm) {
      layer.attention_norm = norm(names_.attention_norm, config_.input_width(layer_));
    }
    layer.mlp_norm = norm(names_.mlp_norm, width);
    if (config_.qk_norm) {
      layer.query_norm = norm(names_.query_norm, head, false);
      layer.key_norm = norm(names_.key_norm, head, false);
    }
    layer.qkv = read_qkv();
    layer.out = dense(names_.out, width, config_.heads * head, config_.out_bias);
    layer.up = read_up();
    layer.down = dense(names_.down, width, config_.hidden, config_.down_bias);
    weights_.layers.push_back(std::move(layer));
  }

  // Heads lie beside the prefix or, in some files, behind it.
  bool is_known(const std::string& name) const {
    if (used_.contains(name)) return true;
    std::string_view inner = name;
    if (inner.starts_with(prefix_)) inner.remove_prefix(prefix_.size());
    return std::ranges::any_of(names_.unused, [&](const std::string& pattern) {
      return matches(name, pattern) || matches(inner, pattern);
    });
  }

  void refuse_extra() const {
    for (const std::string& name : store_.names()) {
      if (is_known(name)) continue;
      throw Error(ErrorCode::corrupt, store_.path() + ": tensor '" + name +
                                          "' has no place in a model of type " +
                                          config_.architecture);
    }
  }

  const TensorStore& store_;
  const Names& names_;
  const Config& config_;
  std::string prefix_;
  std::size_t layer_ = 0;
  std::set<std::string> used_;
  RawWeights weights_;
};

}  // namespace

RawWeights read_raw_weights(const TensorStore& store, const Names& names, const Config& config) {
  return Reader(store, names, config).read();
}

Weights pack(RawWeights raw, Precision precision) {
  const auto packed_as = [](Precision chosen, Dense& dense) {
    const Dense taken = std::move(dense);
    return taken.rows.rows() == 0 ? simd::PackedWeights()
                                  : simd::PackedWeights(taken.rows, taken.bias.data(), chosen);
  };
  const auto packed = [&](Dense& dense) { return packed_as(precision, dense); };
  const Precision gentle = precision == Precision::int8 ? Precision::bf16 : precision;
  Weights weights{.tokens = std::move(raw.tokens),
                  .positions = std::move(raw.positions),
                  .types = std::move(raw.types),
                  .bucket_bias = std::move(raw.bucket_bias),
                  .embedding_norm = std::move(raw.embedding_norm),
                  .final_norm = std::move(raw.final_norm),
                  .projection = packed_as(gentle, raw.projection),
                  .layers = {},
                  .parameters = raw.parameters,
                  .precision = precision};
  for (LayerWeightsOf<Dense>& layer : raw.layers) {
    weights.layers.push_back({.attention_norm = std::move(layer.attention_norm),
                              .mlp_norm = std::move(layer.mlp_norm),
                              .query_norm = std::move(layer.query_norm),
                              .key_norm = std::move(layer.key_norm),
                              .qkv = packed(layer.qkv),
                              .out = packed(layer.out),
                              .up = packed(layer.up),
                              .down = packed(layer.down)});
  }
  return weights;
}

}  // namespace kith::encode
