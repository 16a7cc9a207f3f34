// Writes the tokens that follow a place from the state of that place alone (Walker, "Future token
// prediction: causal language modelling with per-token semantic state vector for multi-token
// prediction", 2024): one linear map makes the state a few pseudo-tokens, which every layer of a
// small causal decoder attends to. No code of the authors' was published; what the summaries leave
// open is an option.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "learn/nn/blocks.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

struct FutureDecoderOptions {
  std::int64_t layers = 3, pseudo_tokens = 12, ahead = 8;  // the paper's, the latter from memory
  std::int64_t heads = 0;                                  // 0: the model's
  // What the decoder reads first: "start", a learned vector, or "token", that of the place itself.
  std::string first = "start";
  // States before the model's final norm in place of those behind it.
  bool raw_states = false;
};

class FutureDecoder {
 public:
  // `width`: of states and of the tokens' vectors. Starts as GPT-2 does: N(0, 0.02), what is added
  // to the state by a factor of 1 / sqrt(2 layers) smaller.
  FutureDecoder(const FutureDecoderOptions& options, std::int64_t width, std::int64_t heads,
                std::uint64_t seed);

  const FutureDecoderOptions& options() const { return options_; }
  // Tensors, which assign() of another's overwrites.
  const Parameters& parameters() const { return parameters_; }

  // States [P, d] of places, vectors of the tokens at the places [P, d] and of the `ahead` - 1
  // behind them [P, ahead - 1, d], to states [P, ahead, d]: row k - 1 tells the k-th token ahead
  // and has read those before it.
  at::Tensor operator()(const at::Tensor& states, const at::Tensor& own,
                        const at::Tensor& following) const;

 private:
  struct Layer {
    Normalisation self_norm, cross_norm, mlp_norm;
    Linear qkv, self_out, query, key_value, cross_out, up, down;
  };
  Linear linear(const std::string& name) const;
  Normalisation norm(const std::string& name) const;

  FutureDecoderOptions options_;
  std::int64_t width_, heads_;
  Parameters parameters_;
  Linear expand_;
  at::Tensor start_, positions_;
  std::vector<Layer> layers_;
  Normalisation final_norm_;
};

}  // namespace kith::learn
