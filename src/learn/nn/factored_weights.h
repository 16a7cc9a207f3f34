// Weights that are trained as what they are made of (encode/packed_tensors.h): each sub-vector of a
// matrix W is P[g] B, where P has a row for every sub-vector (a low-rank representation, before it
// is clustered) or is C[a], the centres that fixed codes choose.
//
//   dL/dB = P^T dL/dS,   dL/dP = dL/dS B^T,   dL/dC = the sums of dL/dP over equal codes
//
// S is W cut into sub-vectors. The model goes on computing with W, a leaf of the graph: load()
// makes it of its factors before a step, collect() takes its gradient to them afterwards.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <vector>

#include "encode/packed_tensors.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

class FactoredWeights {
 public:
  // In place of those of the model's `trained` tensors that `tensors` hold, which are codes or
  // encode::representations_of(). A tensor's name is its parameter's, or ends with it behind a
  // prefix that a checkpoint has. Throws invalid_argument, naming the tensor, where nothing that is
  // trained has its name and shape, and for other packings.
  FactoredWeights(const Parameters& trained, std::vector<encode::PackedTensor> tensors);

  // The factors, as NAME.centres and NAME.expansion, and all other trained tensors.
  Parameters trained() const { return trained_; }
  // Values of the matrices, and of what they are made of.
  std::int64_t whole_values() const;
  std::int64_t factor_values() const;

  void load() const;
  // Adds to the factors' gradients and clears those of the matrices.
  void collect() const;
  // As they are now, in binary16, by the names that a saved model has.
  std::vector<encode::PackedTensor> packed() const;

 private:
  struct Factored {
    encode::PackedTensor tensor;  // without values that are trained
    at::Tensor whole, codes, centres, expansion;
  };
  std::vector<Factored> all_;
  Parameters trained_;
};

// What a recipe says of weights that are trained as factors.
struct CompressPlan {
  // "codes": the base is a compressed model, whose codes stay. "low-rank": sub-vectors of the
  // base's matrices become rank `dim` before they are clustered; what is written are whole
  // matrices.
  std::string kind = {};  // empty: nothing is factored
  std::size_t sub = 8, dim = 4;
  std::size_t words = 256;  // centres that matrices must be large enough for, low-rank
};
// The tensors that a plan factors of the model in folder `base`. Throws invalid_argument where
// there are none, and what reading the folder does.
std::vector<encode::PackedTensor> factored_tensors(const CompressPlan& plan,
                                                   const std::string& base);

}  // namespace kith::learn
