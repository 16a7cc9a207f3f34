// Keys and values of the tokens that a causal model has read, so that the next token costs a step
// and not the whole text again.
#pragma once

#include <cstddef>
#include <vector>

#include "encode/config.h"
#include "kith/matrix.h"

namespace kith::encode {

class KeyValueCache {
 public:
  // Room for so many sequences of at most `most` tokens. Throws unsupported for models that aren't
  // causal, or whose attention depends on distances or lengths otherwise than by rotary positions.
  KeyValueCache(const Config& config, std::size_t sequences, std::size_t most);

  std::size_t sequences() const { return slots_.size(); }
  std::size_t most() const { return most_; }
  std::size_t length(std::size_t sequence) const { return lengths_[slots_[sequence]]; }

  // Drops the sequences that aren't to be kept; the others move up.
  void keep(const std::vector<bool>& kept);
  // After a run over all layers has added so many tokens of a sequence.
  void advance(std::size_t sequence, std::size_t tokens) { lengths_[slots_[sequence]] += tokens; }

  // Of one layer, sequence and key-value head: component d of all keys from keys() + d * most() on,
  // one a token; the values of token t from values() + t * head_dim on.
  float* keys(std::size_t layer, std::size_t sequence, std::size_t head) {
    return keys_[layer].row(slots_[sequence]) + head * head_dim_ * most_;
  }
  float* values(std::size_t layer, std::size_t sequence, std::size_t head) {
    return values_[layer].row(slots_[sequence]) + head * head_dim_ * most_;
  }

 private:
  std::size_t most_, head_dim_;
  std::vector<std::size_t> slots_, lengths_;  // of each sequence; of each slot
  std::vector<Matrix<float>> keys_, values_;  // by layer, a row a slot
};

}  // namespace kith::encode
