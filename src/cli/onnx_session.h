// A model in onnxruntime, which kith is measured beside. The library is npm's onnxruntime-node's,
// loaded when it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kith/encoder.h"
#include "kith/matrix.h"

namespace kith::cli {

class OnnxSession {
 public:
  // `model`: what `kith model export` writes. Graphs are optimised as far as onnxruntime can.
  // Throws not_found when the library can't be loaded, corrupt when it or the model is another
  // one than expected, with the library's words.
  OnnxSession(const std::string& library, const std::string& model, std::size_t threads);
  ~OnnxSession();
  OnnxSession(const OnnxSession&) = delete;
  OnnxSession& operator=(const OnnxSession&) = delete;

  std::string version() const;
  // One vector of `dim` values a sequence; the sequences run together, padded behind to the longest
  // one's length.
  Matrix<float> encode(std::span<const TokenSequence> sequences, std::size_t dim) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kith::cli
