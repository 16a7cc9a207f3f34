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

// Throws corrupt when the file says that nothing is pooled, unsupported for a pooling that kith
// doesn't know.
Pooling read_pooling(const Json& json);

// Throws corrupt when a module's file says that it takes vectors of another width than the model's.
void expect_width(const Json& json, std::size_t width);

// The mean of at least one row, summed in double since texts may be long.
void mean_of(MatrixView<const float> rows, float* out);

}  // namespace kith::encode
