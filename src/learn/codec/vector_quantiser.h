// Vector quantisers that are trained with what is before and after them: each vector z is replaced
// by the nearest of K codewords e_k, through which gradients go straight (van den Oord, Vinyals and
// Kavukcuoglu, "Neural discrete representation learning", 2017).
//
//   loss = mean (sg(z) - e)^2 + commitment * mean (z - sg(e))^2
//
// Plain codewords get gradients only where they are chosen, and those that an encoder leaves behind
// never are again: the codebook collapses. The kinds differ in what is done about that.
//
//   vq             nothing: codewords are parameters
//   ema            codewords follow the mean of what chooses them, and those hardly chosen start
//                  again at a vector of the batch (Dhariwal et al., "Jukebox", 2020)
//   simvq          e = C W^T + b: a frozen Gaussian basis C, K x d, and one trained linear layer,
//                  so that every step moves all codewords (Zhu et al., "Addressing representation
//                  collapse in vector quantized models with one linear layer", 2024)
//   simvq-trained  the same with C trained, too
//   fsq            no codebook: a few bounded numbers are rounded to whole ones (Mentzer et al.,
//                  "Finite scalar quantization: VQ-VAE made simple", 2023)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

inline constexpr const char* kQuantisers[] = {"vq", "ema", "simvq", "simvq-trained", "fsq"};

struct QuantiserOptions {
  std::string kind = "simvq";  // of kQuantisers
  std::int64_t dim = 32;       // d; fsq decides by itself
  int bits = 8;                // K = 2^bits
  double commitment = 0.25;    // of what z learns from e, as the authors' code has it
  double decay = 0.99;         // ema: of counts and sums
  double restart = 0.1;  // ema: of the mean count, below which a codeword starts again; 0: never
};

struct Quantised {
  at::Tensor values;  // [n, d]: the chosen codewords, with the gradient of z
  at::Tensor codes;   // int64 [n]
  at::Tensor loss;    // a number
};

class VectorQuantiser {
 public:
  // Throws invalid_argument for another kind, no dimensions and bits other than 1 to 16.
  VectorQuantiser(const QuantiserOptions& options, std::uint64_t seed);

  std::int64_t dim() const { return dim_; }
  std::int64_t words() const { return std::int64_t{1} << options_.bits; }
  // What must be kept, all that is trained and codewords of ema: of fsq nothing.
  Parameters parameters() const { return parameters_; }

  // All codewords, [K, d], in the graph. Of simvq never the basis by itself.
  at::Tensor codebook() const;
  // Of [n, dim()]; no rows are allowed.
  Quantised operator()(const at::Tensor& z) const;
  // The codes alone, without gradients.
  at::Tensor codes(const at::Tensor& z) const;

  // After a step's backward(): ema's codewords follow `z`, which chose `codes`.
  void follow(const at::Tensor& z, const at::Tensor& codes, Random& random);
  // What follow() goes on from besides the codewords: counts and sums; none but of ema.
  Parameters state() const { return state_; }

 private:
  at::Tensor bounded(const at::Tensor& z) const;
  at::Tensor fsq_codes(const at::Tensor& rounded) const;

  QuantiserOptions options_;
  std::int64_t dim_ = 0;
  at::Tensor words_;  // vq, ema
  at::Tensor basis_;  // simvq
  at::Tensor weight_, bias_;
  at::Tensor counts_, sums_;          // ema
  std::vector<std::int64_t> levels_;  // fsq
  Parameters parameters_, state_;
};

// The nearest row of `words` [K, d] for each row [n, d], int64 [n], in pieces of bounded memory.
at::Tensor nearest_words(const at::Tensor& rows, const at::Tensor& words);

// How evenly codes are used.
struct CodeUsage {
  double utilisation = 0;  // the share of K codewords that are used at all
  double perplexity = 0;   // e to the entropy of their frequencies: K where all are used alike
};
CodeUsage code_usage(const at::Tensor& codes, std::int64_t words);

}  // namespace kith::learn
