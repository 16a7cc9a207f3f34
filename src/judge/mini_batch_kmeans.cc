#include "judge/mini_batch_kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith::judge {
namespace {

using Index = Eigen::Index;

Index draw(Random& random, Index count) {
  return static_cast<Index>(random.below(static_cast<std::uint64_t>(count)));
}

FloatRows draw_rows(const FloatRows& rows, std::size_t count, Random& random) {
  FloatRows drawn(static_cast<Index>(count), rows.cols());
  for (Index i = 0; i < drawn.rows(); ++i) drawn.row(i) = rows.row(draw(random, rows.rows()));
  return drawn;
}

// A number with probability in proportion to its weight.
Index draw_weighted(const Eigen::VectorXd& weights, double total, Random& random) {
  double left = random.uniform() * total;
  for (Index i = 0; i < weights.size(); ++i) {
    left -= weights(i);
    if (left < 0) return i;
  }
  return weights.size() - 1;
}

Eigen::VectorXd distances_to(const FloatRows& rows, Index row) {
  return (rows.rowwise() - rows.row(row)).rowwise().squaredNorm().cast<double>();
}

// k-means++ (Arthur and Vassilvitskii, 2007) that tries a few rows each time and takes the one that
// leaves least.
FloatRows start_centres(const FloatRows& rows, std::size_t clusters, Random& random) {
  const auto trials = 2 + static_cast<std::size_t>(
                              std::log(static_cast<double>(std::max<std::size_t>(clusters, 1))));
  FloatRows centres(static_cast<Index>(clusters), rows.cols());
  const Index first = draw(random, rows.rows());
  centres.row(0) = rows.row(first);
  Eigen::VectorXd nearest = distances_to(rows, first);
  for (Index c = 1; c < centres.rows(); ++c) {
    Index best = 0;
    Eigen::VectorXd best_nearest;
    for (std::size_t trial = 0; trial < trials; ++trial) {
      const Index candidate = draw_weighted(nearest, nearest.sum(), random);
      Eigen::VectorXd with = nearest.cwiseMin(distances_to(rows, candidate));
      if (trial > 0 && with.sum() >= best_nearest.sum()) continue;
      best = candidate;
      best_nearest = std::move(with);
    }
    centres.row(c) = rows.row(best);
    nearest = std::move(best_nearest);
  }
  return centres;
}

struct Assignment {
  std::vector<Label> clusters;
  double inertia = 0;  // sum of squared distances to the nearest centres
};

Assignment assign(const FloatRows& rows, const FloatRows& centres) {
  constexpr Index kBlock = 1024;
  const Eigen::RowVectorXf norms = centres.rowwise().squaredNorm().transpose();
  Assignment result;
  for (Index begin = 0; begin < rows.rows(); begin += kBlock) {
    const auto block = rows.middleRows(begin, std::min(kBlock, rows.rows() - begin));
    FloatRows distances = block * centres.transpose();
    distances = (distances * -2.0f).rowwise() + norms;
    for (Index i = 0; i < distances.rows(); ++i) {
      Index nearest = 0;
      const double least = distances.row(i).minCoeff(&nearest);
      result.clusters.push_back(static_cast<Label>(nearest));
      result.inertia += std::max(0.0, least + static_cast<double>(block.row(i).squaredNorm()));
    }
  }
  return result;
}

class MiniBatch {
 public:
  MiniBatch(const FloatRows& rows, const MiniBatchOptions& options)
      : rows_(rows), options_(options), random_(options.seed) {
    const std::size_t start = std::max(3 * options.batch, options.clusters);
    const bool all = start >= static_cast<std::size_t>(rows.rows());
    centres_ = all ? start_centres(rows, options.clusters, random_)
                   : start_centres(draw_rows(rows, start, random_), options.clusters, random_);
    counts_ = Eigen::VectorXd::Zero(centres_.rows());
  }

  std::vector<Label> run() {
    const std::size_t rows = static_cast<std::size_t>(rows_.rows());
    const std::size_t batch = std::min(options_.batch, rows);
    const std::size_t steps = options_.rounds * rows / batch;
    for (std::size_t step = 0; step < steps; ++step) {
      throw_if_cancelled(options_.control);
      const FloatRows drawn = draw_rows(rows_, batch, random_);
      const Assignment assignment = assign(drawn, centres_);
      move(drawn, assignment.clusters);
      since_restart_ += batch;
      if (counts_.minCoeff() == 0 || since_restart_ >= 10 * options_.clusters) restart_small(drawn);
      // The first batch only sees the start.
      if (step > 0 && settled(assignment.inertia / static_cast<double>(batch), batch)) break;
    }
    return assign(rows_, centres_).clusters;
  }

 private:
  // Each centre is the mean of all rows that it ever took.
  void move(const FloatRows& drawn, const std::vector<Label>& clusters) {
    FloatRows sums = FloatRows::Zero(centres_.rows(), centres_.cols());
    Eigen::VectorXd taken = Eigen::VectorXd::Zero(centres_.rows());
    for (Index i = 0; i < drawn.rows(); ++i) {
      const auto cluster = static_cast<Index>(clusters[static_cast<std::size_t>(i)]);
      sums.row(cluster) += drawn.row(i);
      taken(cluster) += 1;
    }
    for (Index c = 0; c < centres_.rows(); ++c) {
      if (taken(c) == 0) continue;
      const double before = counts_(c);
      counts_(c) += taken(c);
      centres_.row(c) = centres_.row(c) * static_cast<float>(before / counts_(c)) +
                        sums.row(c) / static_cast<float>(counts_(c));
    }
  }

  // Centres that took few rows move to random ones of the batch: at most half as many as it has.
  void restart_small(const FloatRows& drawn) {
    since_restart_ = 0;
    const double least = options_.reassignment_ratio * counts_.maxCoeff();
    std::vector<Index> small;
    for (Index c = 0; c < counts_.size(); ++c) {
      if (counts_(c) < least) small.push_back(c);
    }
    std::sort(small.begin(), small.end(), [&](Index a, Index b) {
      return std::pair(counts_(a), a) < std::pair(counts_(b), b);
    });
    small.resize(std::min(small.size(), static_cast<std::size_t>(drawn.rows()) / 2));
    if (small.empty()) return;
    double smallest_kept = counts_.maxCoeff();
    for (Index c = 0; c < counts_.size(); ++c) {
      const bool kept = std::find(small.begin(), small.end(), c) == small.end();
      if (kept) smallest_kept = std::min(smallest_kept, counts_(c));
    }
    const auto places =
        random_sample(static_cast<std::size_t>(drawn.rows()), small.size(), random_.next());
    for (std::size_t i = 0; i < small.size(); ++i) {
      centres_.row(small[i]) = drawn.row(static_cast<Index>(places[i]));
      counts_(small[i]) = smallest_kept;
    }
  }

  // Whether the smoothed inertia has stopped falling.
  bool settled(double inertia, std::size_t batch) {
    const double share =
        std::min(1.0, 2 * static_cast<double>(batch) / (static_cast<double>(rows_.rows()) + 1));
    smoothed_ = std::isnan(smoothed_) ? inertia : smoothed_ * (1 - share) + inertia * share;
    if (smoothed_ < best_) {
      best_ = smoothed_;
      idle_ = 0;
      return false;
    }
    return ++idle_ >= options_.patience;
  }

  const FloatRows& rows_;
  const MiniBatchOptions& options_;
  Random random_;
  FloatRows centres_;
  Eigen::VectorXd counts_;
  std::size_t since_restart_ = 0, idle_ = 0;
  double smoothed_ = std::numeric_limits<double>::quiet_NaN();
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::vector<Label> mini_batch_kmeans(const FloatRows& rows, const MiniBatchOptions& options) {
  if (options.clusters == 0 || static_cast<std::size_t>(rows.rows()) < options.clusters) {
    throw Error(ErrorCode::invalid_argument, std::to_string(options.clusters) + " clusters of " +
                                                 std::to_string(rows.rows()) +
                                                 " rows, expected from 1 to as many as rows");
  }
  return MiniBatch(rows, options).run();
}

}  // namespace kith::judge
