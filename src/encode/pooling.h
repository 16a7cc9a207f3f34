// From a text's token vectors to one: the poolings of sentence-transformers' `1_Pooling`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "json/json.h"
#include "kith/matrix.h"

namespace kith::encode {

struct Pooling {
  // Those that are on stand side by side in this order.
  bool cls = false, max = false, mean = false, mean_sqrt_len = false, weighted_mean = false,
       last_token = false;
  bool include_prompt = true;

  std::size_t count() const;
  std::string description() const;  // "mean pooling", "cls and max pooling"

  // `tokens`: the text's rows, of which the first `prompt` are its prompt; they are left out of all
  // but cls unless include_prompt. Not all may be prompt then. `out`: count() * tokens.cols()
  // values.
  void pool(MatrixView<const float> tokens, std::size_t prompt, float* out) const;
};

// `width`: of the vectors that are pooled. Throws corrupt when the file says another one, or that
// nothing is pooled; unsupported for a pooling that kith doesn't know.
Pooling read_pooling(const Json& json, std::size_t width);

}  // namespace kith::encode
