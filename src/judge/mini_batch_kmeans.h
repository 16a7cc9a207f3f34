// Mini-batch k-means (Sculley, "Web-scale k-means clustering", 2010) with the settings by which
// MTEB runs scikit-learn's MiniBatchKMeans: one greedy k-means++ start on three batches of rows,
// centres that move as running means, centres with few rows started again, an end once the smoothed
// inertia hasn't fallen for ten batches.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kith/control.h"
#include "kith/label_metrics.h"

namespace kith::judge {

using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct MiniBatchOptions {
  std::size_t clusters = 0;
  std::size_t batch = 512;
  std::size_t rounds = 100;   // as many batches as so many passes over the rows have
  std::size_t patience = 10;  // batches without progress
  double reassignment_ratio =
      0.01;  // centres with a smaller share of the largest's rows start again
  std::uint64_t seed = 1;
  Control control = {};  // for cancellation; runs on the calling thread
};

// The cluster of each row. Throws invalid_argument for no clusters or fewer rows than clusters.
std::vector<Label> mini_batch_kmeans(const FloatRows& rows, const MiniBatchOptions& options);

}  // namespace kith::judge
