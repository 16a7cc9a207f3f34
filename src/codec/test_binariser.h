// A binariser with random weights, every part of which counts.
#pragma once

#include <string>

#include "base/test_rows.h"
#include "codec/binariser.h"

namespace kith {

inline Binariser made_up_binariser(std::size_t dim, std::size_t dims, int bits, std::size_t hidden,
                                   std::uint64_t seed = 1) {
  const auto block = [&](std::size_t inputs, std::size_t outputs) {
    const auto numbers = [&](std::size_t count) {
      const Matrix<float> row = normal_rows(1, count, ++seed, 0.1);
      return std::vector<float>(row.row(0), row.row(0) + count);
    };
    BinariserBlock made;
    made.skip = normal_rows(outputs, inputs, ++seed);
    made.bias = numbers(outputs);
    made.hidden = normal_rows(hidden, inputs, ++seed);
    made.hidden_bias = numbers(hidden);
    made.out = normal_rows(outputs, hidden, ++seed);
    return made;
  };
  Binariser own;
  own.dim = dim;
  own.dims = dims;
  own.bits = bits;
  for (int i = 0; i < bits; ++i) {
    own.binarise.push_back(block(dim, dims));
    if (i + 1 < bits) own.reconstruct.push_back(block(dims, dim));
  }
  own.seal();
  return own;
}

}  // namespace kith
