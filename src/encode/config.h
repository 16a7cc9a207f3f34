// What the transformer core needs to know of a model; each architecture's reader fills it from
// config.json. The core knows nothing of architectures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kith/context.h"
#include "simd/activations.h"

namespace kith::encode {

using simd::Activation;

inline constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);

enum class NormKind : std::uint8_t { layer, rms };

// What is added to attention scores by the distance of two tokens.
enum class DistanceBias : std::uint8_t {
  none,
  alibi,    // falls linearly, at a slope a head (Press et al., 2022)
  buckets,  // learned a head and bucket of distances (Raffel et al., 2020)
};

enum class RotaryScaling : std::uint8_t { none, linear, dynamic, yarn, llama3 };

// Rotary embeddings (Su et al., 2021) of the first `dims` components of each head.
struct Rotary {
  std::size_t dims = 0;
  double theta = 10000;
  bool interleaved = false;  // pairs are (2 i, 2 i + 1), else (i, i + dims / 2)
  RotaryScaling scaling = RotaryScaling::none;
  double factor = 1;
  std::size_t trained = 0;      // positions before scaling
  double fast = 32, slow = 1;   // yarn: rotations over `trained`, between which it interpolates
  bool whole = true;            // yarn: borders are whole dimensions
  double attention_factor = 1;  // yarn: cosines and sines are multiplied by it
  double low = 1, high = 4;     // llama3: the wavelengths' counterparts of slow and fast
};

// Texts longer than the model was trained on; see context.h.
struct ContextPlan {
  Extension extension = Extension::none;
  std::size_t trained = kUnlimited;   // tokens that the model takes by itself
  std::size_t stretch = 1;            // rows in the table of positions for each trained one
  std::size_t group = 1, window = 1;  // of selfextend
  bool scale_attention = false;
};

struct LayerPlan {
  // Token i sees tokens i - back to i + forward. A causal model has forward = 0.
  std::size_t back = kUnlimited, forward = kUnlimited;
  std::optional<std::size_t> rotary;  // which of Config::rotary
  bool attention_norm = true;         // before attention, in models with pre-norm
  bool stretched = false;             // whether Config::context moves its positions
};

struct Config {
  std::string architecture;
  std::size_t vocabulary = 0, width = 0, hidden = 0;
  std::size_t heads = 0, kv_heads = 0, head_dim = 0;
  std::size_t max_tokens = 0;
  // Embeddings narrower than the state, 0 otherwise: the first layer's attention reads them as they
  // are, with heads narrower in proportion, and adds its result to a projection of them.
  std::size_t embedding_width = 0;
  std::size_t types = 0;  // segment embeddings; 0: none

  // Learned positions: a vector each, added to the token's; 0 rows: none. The first token has row
  // `position_offset`. The token `unpositioned` has the row before that and isn't counted.
  std::size_t position_rows = 0, position_offset = 0;
  std::optional<std::uint32_t> unpositioned;
  DistanceBias distance_bias = DistanceBias::none;
  std::size_t buckets = 0;  // an even number, half of them for tokens behind

  NormKind norm = NormKind::layer;
  bool pre_norm = false;
  float epsilon = 1e-12f;
  bool embedding_norm = false, final_norm = false;
  bool norm_every_layer = false;  // the final norm, wherever computation stops
  bool norm_shift = true;
  bool qk_norm = false;  // each head's query and key, by the root mean square
  bool qkv_bias = true, out_bias = true, up_bias = true, down_bias = true;

  Activation activation = Activation::gelu;
  bool gated = false;  // activation(gate x) * (up x)

  std::vector<Rotary> rotary;
  std::vector<LayerPlan> layers;
  ContextPlan context;

  // What a layer's attention reads, and its heads.
  std::size_t input_width(std::size_t layer) const {
    return layer == 0 && embedding_width != 0 ? embedding_width : width;
  }
  std::size_t head_dim_of(std::size_t layer) const {
    return layer == 0 && embedding_width != 0 ? embedding_width / heads : head_dim;
  }
};

}  // namespace kith::encode
