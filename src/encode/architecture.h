// What an architecture is to kith: how its config.json is read, and what its tensors are called.
// One file an architecture (or a family); architecture.cc lists them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encode/config.h"
#include "json/json.h"

namespace kith::encode {

// Names of tensors. In those of a layer "{}" stands for its number. A norm or dense layer is named
// without ".weight" and ".bias". Empty where the model has no such thing; where several projections
// are one tensor, that is named and the parts are not.
struct Names {
  std::string tokens{}, positions{}, types{}, embedding_norm{}, final_norm{}, relative_bias{},
      projection{};
  std::string attention_norm{}, mlp_norm{}, query_norm{}, key_norm{};
  std::string qkv{}, query{}, key{}, value{}, out{};
  std::string gate_up{}, gate{}, up{}, down{};
  bool transposed = false;  // dense layers are stored inputs x outputs
  // What may stand before every name, such as "bert.", in files of models with a head.
  std::vector<std::string> prefixes;
  // Tensors that the core has no use for: a name, or the start of one with "*" behind it, or its
  // end with "*" before it.
  std::vector<std::string> unused;
};

struct Architecture {
  std::string_view model_type;
  Config (*config)(const Json& json);
  Names (*names)(const Json& json, const Config& config);
};

std::span<const Architecture* const> all_architectures();

// The one that config.json's model_type names; throws unsupported with those there are.
const Architecture& architecture_of(const Json& json);

// Of a model whose table of positions was made longer: the tokens it took before (context.h).
inline constexpr const char* kInterpolatedFrom = "interpolated_from";

// config.json by its architecture's reader, and two settings of kith's own: `norm_every_layer`, of
// a pre-norm model that was trained to be cut at any layer, and kInterpolatedFrom. Throws corrupt
// for wrong settings, unsupported for what kith doesn't run.
Config read_config(const Json& json);

// ---- What readers share -------------------------------------------------------------------------

// The sizes that most architectures call alike: vocab_size, hidden_size, intermediate_size,
// num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, max_position_embeddings.
Config common_config(const Json& json);
// The same for GPT-2's names: n_embd, n_inner, n_layer, n_head, n_positions.
Config gpt_config(const Json& json);
// Throws unless heads divide the width and so on; fills what was left out.
void check_heads(const Json& json, const std::string& key, Config& config);

// "gelu", "gelu_new", "relu", "silu" ...
Activation read_activation(const Json& json, const std::string& key, const std::string& otherwise);

// rope_theta and rope_scaling, or rope_parameters in newer files.
Rotary read_rotary(const Json& json, const Config& config);

// All layers causal; those of a sliding window see `window` tokens, themselves among them.
// `layer_types` overrules which those are.
void plan_causal(const Json& json, Config& config, std::size_t window, std::size_t first_sliding);

}  // namespace kith::encode
