// Every tensor that a transformer has, by its published name: what training starts, reads and
// writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "encode/architecture.h"
#include "encode/config.h"

namespace kith::encode {

enum class TensorRole : std::uint8_t {
  table,   // embeddings, a row a token, position or segment
  weight,  // of a dense layer
  last,    // weight of a dense layer whose result is added to the state
  bias,
  scale,  // of a norm
  shift,
};

struct TensorPlace {
  std::string name;  // without prefix
  std::vector<std::int64_t> shape;
  TensorRole role;
};

// In the order in which a token meets them.
std::vector<TensorPlace> list_tensors(const Names& names, const Config& config);

// The name of a layer's tensor, "{}" replaced by its number.
std::string in_layer(const std::string& name, std::size_t layer);

}  // namespace kith::encode
