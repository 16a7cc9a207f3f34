#include "kith/depth.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/groups.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "kith/correlation.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr double kSupremum = 2;  // of both distances

// Rows as directions: unit vectors.
class Directions {
 public:
  Directions(const AnyMatrixView& rows, const char* corpus) : units_(rows.rows(), rows.dim()) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      float* const row = units_.row(i);
      rows.copy_row(i, row);
      double squares = 0;
      for (std::size_t j = 0; j < rows.dim(); ++j) squares += double{row[j]} * row[j];
      if (!std::isfinite(squares) || squares == 0) {
        throw Error(ErrorCode::invalid_argument,
                    std::string(corpus) + " row " + std::to_string(i) +
                        (squares == 0 ? " is zero, which has no direction" : " isn't finite"));
      }
      const double norm = std::sqrt(squares);
      for (std::size_t j = 0; j < rows.dim(); ++j) row[j] = static_cast<float>(row[j] / norm);
    }
  }

  std::size_t size() const { return units_.rows(); }
  std::size_t dim() const { return units_.cols(); }
  const float* operator[](std::size_t i) const { return units_.row(i); }

  std::vector<double> sum() const {
    std::vector<double> total(dim(), 0);
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < dim(); ++j) total[j] += units_(i, j);
    }
    return total;
  }

 private:
  Matrix<float> units_;
};

template <class A, class B>
double dot(const A& a, const B& b, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) sum += static_cast<double>(a[j]) * b[j];
  return sum;
}

void check_rows(std::size_t rows, std::size_t least, const char* corpus) {
  if (rows >= least) return;
  throw Error(ErrorCode::invalid_argument, std::string(corpus) + " has " + std::to_string(rows) +
                                               " rows, expected " + std::to_string(least) +
                                               " or more");
}

void check_dimensions(const AnyMatrixView& corpus, const AnyMatrixView& rows) {
  if (corpus.dim() == rows.dim()) return;
  throw Error(ErrorCode::invalid_argument, std::to_string(rows.dim()) +
                                               " dimensions, but the corpus has " +
                                               std::to_string(corpus.dim()));
}

// The mean over a corpus of 1 - cos is 1 - the product with the corpus' mean direction.
std::vector<double> cosine_depths(const Directions& corpus, const Directions& rows, bool own) {
  const std::vector<double> sum = corpus.sum();
  const auto size = static_cast<double>(corpus.size());
  std::vector<double> result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double product = dot(sum, rows[i], rows.dim());
    const double self = own ? dot(rows[i], rows[i], rows.dim()) : 0;  // 1 but for rounding
    const double mean = own ? 1 - (product - self) / (size - 1) : 1 - product / size;
    result.push_back(kSupremum - mean);
  }
  return result;
}

std::vector<double> chord_depths(const Directions& corpus, const Directions& rows, bool own,
                                 const DepthOptions& options) {
  constexpr std::size_t kPiece = 16;
  const std::size_t wanted = options.sample == 0 ? corpus.size() : options.sample;
  const std::vector<std::uint32_t> among = random_sample(corpus.size(), wanted, options.seed);
  std::vector<double> result(rows.size());
  Progress progress(options.control, "depths", rows.size());
  parallel_for(options.control, rows.size(), kPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t i = begin; i < end; ++i) {
                   double total = 0;
                   std::size_t count = 0;
                   for (const std::uint32_t other : among) {
                     if (own && other == i) continue;
                     const double cosine = dot(rows[i], corpus[other], rows.dim());
                     total += std::sqrt(std::max(0.0, 2 - 2 * cosine));
                     ++count;
                   }
                   const double mean = total / static_cast<double>(std::max<std::size_t>(count, 1));
                   result[i] = kSupremum - mean;
                 }
                 progress.add(end - begin);
               });
  return result;
}

std::vector<double> depths_of(const Directions& corpus, const Directions& rows, bool own,
                              const DepthOptions& options) {
  if (options.distance == DepthDistance::cosine) return cosine_depths(corpus, rows, own);
  return chord_depths(corpus, rows, own, options);
}

// Shares of `ascending` at most (or strictly below) each value, averaged.
template <class Bound>
double mean_share(const std::vector<double>& ascending, std::span<const double> values,
                  const Bound& bound) {
  double sum = 0;
  for (const double value : values) {
    sum +=
        static_cast<double>(bound(ascending.begin(), ascending.end(), value) - ascending.begin());
  }
  return sum / static_cast<double>(ascending.size() * values.size());
}

}  // namespace

std::vector<double> depths(const AnyMatrixView& corpus, const DepthOptions& options) {
  check_rows(corpus.rows(), 2, "corpus");
  const Directions directions(corpus, "corpus");
  return depths_of(directions, directions, /*own=*/true, options);
}

std::vector<double> depths_in(const AnyMatrixView& corpus, const AnyMatrixView& rows,
                              const DepthOptions& options) {
  check_rows(corpus.rows(), 1, "corpus");
  check_dimensions(corpus, rows);
  return depths_of(Directions(corpus, "corpus"), Directions(rows, "other"), /*own=*/false, options);
}

double mean_resultant_length(const AnyMatrixView& corpus) {
  check_rows(corpus.rows(), 1, "corpus");
  const std::vector<double> sum = Directions(corpus, "corpus").sum();
  return std::sqrt(dot(sum, sum, sum.size())) / static_cast<double>(corpus.rows());
}

RankSum rank_sum(std::span<const double> f, std::span<const double> g) {
  check_rows(f.size(), 1, "first sample");
  check_rows(g.size(), 1, "second sample");
  std::vector<double> pooled(f.begin(), f.end());
  pooled.insert(pooled.end(), g.begin(), g.end());
  const std::vector<double> ranks = average_ranks(pooled);
  const auto m = static_cast<double>(f.size()), n = static_cast<double>(g.size());
  const double sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(f.size()), 0.0);
  RankSum result;
  result.z = (sum - m * (m + n + 1) / 2) / std::sqrt(m * n * (m + n + 1) / 12);
  result.p_value = std::erfc(result.z / std::sqrt(2.0)) / 2;
  return result;
}

DepthTest depth_test(const AnyMatrixView& f, const AnyMatrixView& g, const DepthOptions& options) {
  check_rows(f.rows(), 2, "corpus");
  check_rows(g.rows(), 2, "other");
  check_dimensions(f, g);
  const Directions corpus(f, "corpus"), others(g, "other");
  const std::vector<double> of_f = depths_of(corpus, corpus, /*own=*/true, options);
  const std::vector<double> of_g = depths_of(corpus, others, /*own=*/false, options);
  std::vector<double> sorted = of_f;
  std::sort(sorted.begin(), sorted.end());
  const auto at_most = [](auto begin, auto end, double value) {
    return std::upper_bound(begin, end, value);
  };
  const auto below = [](auto begin, auto end, double value) {
    return std::lower_bound(begin, end, value);
  };
  DepthTest result;
  result.f = of_f.size();
  result.g = of_g.size();
  result.q = mean_share(sorted, of_g, at_most);
  sorted.insert(sorted.end(), of_g.begin(), of_g.end());
  std::sort(sorted.begin(), sorted.end());
  result.q_pooled = mean_share(sorted, of_g, below);
  result.test = rank_sum(of_f, of_g);
  return result;
}

std::vector<std::uint32_t> deepest(const AnyMatrixView& corpus, std::size_t k,
                                   std::span<const std::uint32_t> labels,
                                   const DepthOptions& options) {
  const std::vector<std::uint32_t> one(labels.empty() ? corpus.rows() : 0, 0);
  if (labels.empty()) labels = one;
  if (labels.size() != corpus.rows()) {
    throw Error(ErrorCode::invalid_argument, std::to_string(labels.size()) + " labels for " +
                                                 std::to_string(corpus.rows()) + " rows");
  }
  check_rows(corpus.rows(), 1, "corpus");
  const std::size_t kinds = *std::max_element(labels.begin(), labels.end()) + std::size_t{1};
  const Groups groups(labels, kinds);
  std::vector<std::uint32_t> chosen;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    const std::span<const std::uint32_t> members = groups.of(kind);
    std::vector<std::uint32_t> order(members.begin(), members.end());
    if (members.size() > 1) {
      Matrix<float> own(members.size(), corpus.dim());
      for (std::size_t i = 0; i < members.size(); ++i) corpus.copy_row(members[i], own.row(i));
      const std::vector<double> found = depths(own, options);
      std::vector<std::uint32_t> places(members.size());
      std::iota(places.begin(), places.end(), 0u);
      std::stable_sort(places.begin(), places.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return found[a] > found[b]; });
      for (std::size_t i = 0; i < places.size(); ++i) order[i] = members[places[i]];
    }
    order.resize(std::min(k, order.size()));
    chosen.insert(chosen.end(), order.begin(), order.end());
  }
  return chosen;
}

}  // namespace kith
