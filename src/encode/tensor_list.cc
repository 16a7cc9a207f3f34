#include "encode/tensor_list.h"

namespace kith::encode {
namespace {

class Lister {
 public:
  Lister(const Names& names, const Config& config) : names_(names), config_(config) {}

  std::vector<TensorPlace> list() {
    const std::size_t width = config_.input_width(0);
    table(names_.tokens, config_.vocabulary, width);
    if (config_.position_rows != 0) table(names_.positions, config_.position_rows, width);
    if (config_.types != 0) table(names_.types, config_.types, width);
    if (config_.distance_bias == DistanceBias::buckets) {
      table(names_.relative_bias, config_.buckets, config_.heads);
    }
    if (config_.embedding_norm) norm(names_.embedding_norm, width, config_.norm_shift);
    if (config_.embedding_width != 0) dense(names_.projection, config_.width, width, true);
    for (layer_ = 0; layer_ < config_.layers.size(); ++layer_) list_layer();
    if (config_.final_norm) norm(names_.final_norm, config_.width, config_.norm_shift);
    return std::move(places_);
  }

 private:
  void add(const std::string& name, std::vector<std::int64_t> shape, TensorRole role) {
    places_.push_back({in_layer(name, layer_), std::move(shape), role});
  }
  void table(const std::string& name, std::size_t rows, std::size_t cols) {
    add(name, {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)},
        TensorRole::table);
  }
  void norm(const std::string& name, std::size_t width, bool shift) {
    add(name + ".weight", {static_cast<std::int64_t>(width)}, TensorRole::scale);
    if (shift) add(name + ".bias", {static_cast<std::int64_t>(width)}, TensorRole::shift);
  }
  void dense(const std::string& name, std::size_t outputs, std::size_t inputs, bool bias,
             TensorRole role = TensorRole::weight) {
    std::vector<std::int64_t> shape = {static_cast<std::int64_t>(outputs),
                                       static_cast<std::int64_t>(inputs)};
    if (names_.transposed) std::swap(shape[0], shape[1]);
    add(name + ".weight", shape, role);
    if (bias) add(name + ".bias", {static_cast<std::int64_t>(outputs)}, TensorRole::bias);
  }

  void list_layer() {
    const std::size_t width = config_.width, input = config_.input_width(layer_);
    const std::size_t dim = config_.head_dim_of(layer_);
    const std::size_t q = config_.heads * dim, kv = config_.kv_heads * dim;
    if (!config_.pre_norm || config_.layers[layer_].attention_norm) {
      norm(names_.attention_norm, input, config_.norm_shift);
    }
    if (names_.qkv.empty()) {
      dense(names_.query, q, input, config_.qkv_bias);
      dense(names_.key, kv, input, config_.qkv_bias);
      dense(names_.value, kv, input, config_.qkv_bias);
    } else {
      dense(names_.qkv, q + 2 * kv, input, config_.qkv_bias);
    }
    if (config_.qk_norm) {
      norm(names_.query_norm, dim, false);
      norm(names_.key_norm, dim, false);
    }
    dense(names_.out, width, q, config_.out_bias, TensorRole::last);
    norm(names_.mlp_norm, width, config_.norm_shift);
    if (!names_.gate_up.empty()) {
      dense(names_.gate_up, 2 * config_.hidden, width, config_.up_bias);
    } else {
      if (config_.gated) dense(names_.gate, config_.hidden, width, config_.up_bias);
      dense(names_.up, config_.hidden, width, config_.up_bias);
    }
    dense(names_.down, width, config_.hidden, config_.down_bias, TensorRole::last);
  }

  const Names& names_;
  const Config& config_;
  std::size_t layer_ = 0;
  std::vector<TensorPlace> places_;
};

}  // namespace

std::vector<TensorPlace> list_tensors(const Names& names, const Config& config) {
  return Lister(names, config).list();
}

std::string in_layer(const std::string& name, std::size_t layer) {
  std::string full = name;
  const std::size_t number = full.find("{}");
  if (number != std::string::npos) full.replace(number, 2, std::to_string(layer));
  return full;
}

}  // namespace kith::encode
