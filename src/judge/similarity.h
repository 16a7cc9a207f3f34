// Similarities of two vectors, in double: larger is nearer.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "kith/matrix.h"

namespace kith::judge {

// The four by which MTEB compares pairs.
struct PairSimilarities {
  std::vector<double> cosine, dot, manhattan, euclidean;  // the last two are negated distances
};

// Of row i with row i. A zero vector is as near to anything as what it is at right angles to.
inline PairSimilarities pair_similarities(const Matrix<float>& a, const Matrix<float>& b) {
  PairSimilarities result;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    double dot = 0, of_a = 0, of_b = 0, absolute = 0, squared = 0;
    for (std::size_t j = 0; j < a.cols(); ++j) {
      const double x = a(i, j), y = b(i, j);
      dot += x * y;
      of_a += x * x;
      of_b += y * y;
      absolute += std::abs(x - y);
      squared += (x - y) * (x - y);
    }
    const bool none = of_a == 0 || of_b == 0;
    result.cosine.push_back(none ? 0 : dot / std::sqrt(of_a) / std::sqrt(of_b));
    result.dot.push_back(dot);
    result.manhattan.push_back(-absolute);
    result.euclidean.push_back(-std::sqrt(squared));
  }
  return result;
}

}  // namespace kith::judge
