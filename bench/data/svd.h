// Truncated singular value decomposition of a large sparse matrix by randomised subspace iteration
// (Halko, Martinsson and Tropp, 2011, algorithm 4.4 and 5.1).
#pragma once

#include <cstddef>
#include <cstdint>

#include "bench/data/sparse.h"
#include "kith/control.h"

namespace kith::bench {

struct SvdOptions {
  std::size_t rank = 256;
  std::size_t oversampling = 32;  // extra directions, for accuracy
  std::size_t iterations = 3;     // power iterations: two products each
  std::uint64_t seed = 1;
  Control control;
};

// U * S: row i is row i of `matrix` in the space of its `rank` strongest right singular vectors,
// strongest first. The result depends on the seed, not on the number of threads.
Dense truncated_svd_rows(const Sparse& matrix, const SvdOptions& options);

}  // namespace kith::bench
