// Sets of vectors that tests make up, and MaxSim by its definition.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"
#include "base/test_rows.h"
#include "kith/control.h"
#include "kith/vector_sets.h"

namespace kith {

// Of `least` to `most` vectors of length about 1.
inline VectorSetRows random_sets(std::size_t sets, std::size_t least, std::size_t most,
                                 std::size_t dim, std::uint64_t seed) {
  VectorSetRows result;
  Random random(seed);
  for (std::size_t i = 0; i < sets; ++i) {
    result.offsets.push_back(result.offsets.back() + least + random.below(most - least + 1));
  }
  result.vectors =
      normal_rows(result.offsets.back(), dim, seed + 1, 1 / std::sqrt(static_cast<double>(dim)));
  return result;
}

inline Control on_threads(std::size_t threads) {
  Control control;
  control.threads = threads;
  return control;
}

inline double slow_maxsim(const AnyMatrixView& query, const AnyMatrixView& document) {
  std::vector<float> q(query.dim()), p(query.dim());
  double sum = 0;
  for (std::size_t i = 0; i < query.rows(); ++i) {
    query.copy_row(i, q.data());
    double best = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < document.rows(); ++j) {
      document.copy_row(j, p.data());
      double product = 0;
      for (std::size_t k = 0; k < q.size(); ++k) product += static_cast<double>(q[k]) * p[k];
      best = std::max(best, product);
    }
    sum += best;
  }
  return sum;
}

}  // namespace kith
