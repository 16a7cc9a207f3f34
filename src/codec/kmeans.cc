#include "codec/kmeans.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/copy_rows.h"
#include "base/groups.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/centres.h"
#include "kith/error.h"
#include "simd/kernels.h"

namespace kith {
namespace {

// Each next centre is a row drawn with probability in proportion to its squared distance to the
// nearest centre so far. A few rows a centre are enough to draw from.
Matrix<float> spread_start(MatrixView<const float> rows, const KMeansOptions& options) {
  constexpr std::size_t kRowsPerCentre = 8;
  const std::vector<std::uint32_t> chosen =
      random_sample(rows.rows(), kRowsPerCentre * options.clusters, options.seed + 1);
  const Matrix<float> pool = copy_rows(rows, chosen);
  const std::size_t n = pool.rows(), dim = pool.cols();
  Matrix<float> centres(options.clusters, dim);
  std::vector<float> nearest(n, std::numeric_limits<float>::infinity()), distances(n);
  Random random(options.seed + 2);
  std::size_t next = random.below(n);
  const simd::ManyFn l2 = simd::float_query_kernels(ElementType::f32, simd::Op::l2).many;
  constexpr std::size_t kGrain = 1024;
  for (std::size_t c = 0; c < options.clusters; ++c) {
    std::copy_n(pool.row(next), dim, centres.row(c));
    parallel_for(options.control, n, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      l2(centres.row(c), pool.row(begin), pool.stride_bytes(), end - begin, dim, &distances[begin]);
      for (std::size_t i = begin; i < end; ++i) nearest[i] = std::min(nearest[i], distances[i]);
    });
    const double total = std::accumulate(nearest.begin(), nearest.end(), 0.0);
    double left = random.uniform() * total;
    next = random.below(n);  // when every row has a centre at no distance
    for (std::size_t i = 0; i < n && total > 0; ++i) {
      left -= nearest[i];
      if (nearest[i] > 0) next = i;
      if (left < 0) break;
    }
  }
  return centres;
}

Matrix<float> means(MatrixView<const float> rows, const Groups& members, std::size_t clusters,
                    const Control& control) {
  Matrix<float> centres(clusters, rows.cols());
  parallel_for(control, clusters, 8, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<double> sum(rows.cols());
    for (std::size_t c = begin; c < end; ++c) {
      const std::span<const std::uint32_t> own = members.of(c);
      if (own.empty()) continue;
      std::fill(sum.begin(), sum.end(), 0.0);
      for (std::uint32_t i : own) {
        const float* x = rows.row(i);
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += x[j];
      }
      for (std::size_t j = 0; j < sum.size(); ++j) {
        centres.row(c)[j] = static_cast<float>(sum[j] / static_cast<double>(own.size()));
      }
    }
  });
  return centres;
}

// Every empty cluster starts again at a row of those farthest from their centres.
void fill_empty(MatrixView<const float> rows, const Groups& members,
                std::span<const float> distances, Matrix<float>& centres) {
  std::vector<std::size_t> empty;
  for (std::size_t c = 0; c < centres.rows(); ++c) {
    if (members.of(c).empty()) empty.push_back(c);
  }
  std::vector<std::uint32_t> far(distances.size());
  std::iota(far.begin(), far.end(), 0u);
  std::partial_sort(far.begin(), far.begin() + static_cast<std::ptrdiff_t>(empty.size()), far.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      return distances[a] > distances[b] || (distances[a] == distances[b] && a < b);
                    });
  for (std::size_t i = 0; i < empty.size(); ++i) {
    std::copy_n(rows.row(far[i]), rows.cols(), centres.row(empty[i]));
  }
}

// Centres for the rows assigned so.
Matrix<float> refitted(MatrixView<const float> rows, const Groups& members,
                       std::span<const float> distances, const KMeansOptions& options) {
  Matrix<float> centres = means(rows, members, options.clusters, options.control);
  fill_empty(rows, members, distances, centres);
  return centres;
}

// Splits the clusters that are too large in two: the centres of the smallest move to where those
// are, and both stand a little to either side. Returns how many moved.
std::size_t split_large(MatrixView<const float> rows, const Groups& members, double most,
                        Random& random, Matrix<float>& centres) {
  constexpr float kAside = 0.1f;  // of the way to one of the rows
  const auto size_of = [&](std::uint32_t c) { return static_cast<double>(members.of(c).size()); };
  std::vector<std::uint32_t> by_size(centres.rows());
  std::iota(by_size.begin(), by_size.end(), 0u);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return size_of(a) < size_of(b); });
  std::size_t moved = 0;
  for (auto large = by_size.rbegin(); large != by_size.rend(); ++large) {
    const std::uint32_t small = by_size[moved];
    if (size_of(*large) <= most || 2 * size_of(small) >= size_of(*large)) break;
    const std::span<const std::uint32_t> own = members.of(*large);
    const float* const row = rows.row(own[random.below(own.size())]);
    float *const centre = centres.row(*large), *const other = centres.row(small);
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      const float aside = kAside * (row[j] - centre[j]);
      other[j] = centre[j] + aside;
      centre[j] -= aside;
    }
    ++moved;
  }
  return moved;
}

// Splits and takes means by turns until no cluster is too large; the best of what it met.
Matrix<float> balanced(MatrixView<const float> rows, const KMeansOptions& options,
                       Matrix<float> centres) {
  constexpr std::size_t kRounds = 30;
  const double most = options.most_of_mean * static_cast<double>(rows.rows()) /
                      static_cast<double>(options.clusters);
  Progress progress(options.control, "balance", kRounds);
  Random random(options.seed + 3);
  Matrix<float> best(options.clusters, rows.cols());
  std::size_t least = rows.rows() + 1;
  std::vector<std::uint32_t> assigned(rows.rows());
  std::vector<float> distances(rows.rows());
  for (std::size_t round = 0; round < kRounds; ++round) {
    throw_if_cancelled(options.control);
    const Centres current(std::move(centres));
    current.nearest(rows, options.control, assigned, distances);
    const Groups members(assigned, options.clusters);
    std::size_t longest = 0;
    for (std::size_t c = 0; c < options.clusters; ++c) {
      longest = std::max(longest, members.of(c).size());
    }
    if (longest < least) {
      least = longest;
      for (std::size_t c = 0; c < options.clusters; ++c) {
        std::copy_n(current.matrix().row(c), rows.cols(), best.row(c));
      }
    }
    if (static_cast<double>(longest) <= most) break;
    centres = refitted(rows, members, distances, options);
    if (split_large(rows, members, most, random, centres) == 0) break;
    progress.add(1);
  }
  return best;
}

}  // namespace

Matrix<float> kmeans(MatrixView<const float> rows, const KMeansOptions& options) {
  if (rows.rows() == 0 || options.clusters == 0) {
    throw Error(ErrorCode::invalid_argument, "k-means of " + std::to_string(rows.rows()) +
                                                 " rows into " + std::to_string(options.clusters) +
                                                 " clusters, expected at least one of each");
  }
  if (rows.rows() <= options.clusters) {
    Matrix<float> centres(options.clusters, rows.cols());
    for (std::size_t c = 0; c < options.clusters; ++c) {
      std::copy_n(rows.row(c % rows.rows()), rows.cols(), centres.row(c));
    }
    return centres;
  }
  Matrix<float> sampled;
  const std::size_t most = options.clusters * options.rows_per_cluster;
  if (rows.rows() > most) {
    sampled = copy_rows(rows, random_sample(rows.rows(), most, options.seed));
    rows = sampled.view();
  }
  Progress progress(options.control, "k-means", options.iterations);
  Matrix<float> centres = spread_start(rows, options);
  std::vector<std::uint32_t> assigned(rows.rows());
  std::vector<float> distances(rows.rows());
  for (std::size_t i = 0; i < options.iterations; ++i) {
    throw_if_cancelled(options.control);
    Centres(std::move(centres)).nearest(rows, options.control, assigned, distances);
    const Groups members(assigned, options.clusters);
    centres = refitted(rows, members, distances, options);
    progress.add(1);
  }
  return options.most_of_mean > 0 ? balanced(rows, options, std::move(centres))
                                  : std::move(centres);
}

}  // namespace kith
