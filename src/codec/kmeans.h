// k-means (Lloyd, "Least squares quantization in PCM", 1982) from a k-means++ start (Arthur and
// Vassilvitskii, 2007). Deterministic for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

struct KMeansOptions {
  std::size_t clusters = 0;
  std::size_t iterations = 10;  // FAISS: 10 for a coarse level, 25 by default
  // More rows than this per cluster are sampled down: they change the centres little.
  std::size_t rows_per_cluster = 128;
  // No cluster should have more rows than this times the mean; 0: as it comes. Centres of the
  // smallest clusters move into the largest ones, so that assigning rows to their nearest centre
  // stays all there is to it. Many equal rows can't be shared out.
  double most_of_mean = 0;
  std::uint64_t seed = 1;
  Control control;
};

// The centres, `clusters` x dim. A cluster that loses all its rows starts again at the row
// farthest from its centre. Fewer rows than clusters: the rows, then copies of them. Throws
// invalid_argument without rows or clusters.
Matrix<float> kmeans(MatrixView<const float> rows, const KMeansOptions& options);

}  // namespace kith
