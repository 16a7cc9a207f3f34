// RegMean (Jin et al., "Dataless knowledge fusion by merging weights of language models", 2023):
// dense layers whose outputs are closest, in squares, to what each model's own layer makes of its
// own inputs.
#pragma once

#include <vector>

#include "learn/weights/task_vectors.h"

namespace kith::learn {

struct RegMeanOptions {
  // Factor of the Gram matrices' values off the diagonal, without which they are close to singular
  // (the paper's choice for small models).
  double off_diagonal = 0.9;
  bool transposed = false;  // dense layers are stored [inputs, outputs], as GPT-2's
};

// `grams`: one a vector, X^T X of a dense layer's inputs X (a row a token) at model i, under the
// name of its weight: [inputs, inputs]. Such weights become (sum_i G_i)^-1 sum_i G_i W_i; all other
// tensors the mean of the models'. Solved in float64 with a pull of 1e-8 of the mean diagonal
// towards that mean, which decides for inputs that are always 0. Throws invalid_argument for a Gram
// matrix that only some models have, of another size than the layer's inputs, or with values that
// aren't finite, and an off_diagonal outside [0, 1].
Parameters merge_regmean(const TaskVectors& vectors, const std::vector<Parameters>& grams,
                         const RegMeanOptions& options = {});

}  // namespace kith::learn
