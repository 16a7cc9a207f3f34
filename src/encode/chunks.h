// Long texts as chunks that a model takes, for parallel context windows (kith/context.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/encoder.h"
#include "kith/matrix.h"

namespace kith::encode {

class Chunks {
 public:
  // Of each sequence chunks of `most` tokens, its special tokens in front and behind among them in
  // each; the last one starts earlier, so that it is full. What fits is one chunk as it is. Chunks
  // of nothing but prompt are left out unless prompts are included. Throws invalid_argument, naming
  // the sequence, when its special tokens leave no room.
  Chunks(std::span<const TokenSequence> sequences, std::size_t most, bool include_prompt);
  Chunks(const Chunks&) = delete;
  Chunks& operator=(const Chunks&) = delete;

  std::span<const TokenSequence> all() const { return pieces_; }
  // The mean of the vectors of each sequence's chunks.
  Matrix<float> means(MatrixView<const float> vectors) const;

 private:
  void cut(const TokenSequence& sequence, std::size_t most, bool include_prompt);

  std::vector<std::vector<std::uint32_t>> made_;  // ids and types of chunks; these don't move
  std::vector<TokenSequence> pieces_;
  std::vector<std::size_t> begin_ = {0};  // of each sequence's
};

}  // namespace kith::encode
