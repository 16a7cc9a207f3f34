#include "index/intrinsic_dimension.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"
#include "kith/exact.h"

namespace kith {
namespace {

constexpr std::size_t kSample = 20000;
constexpr std::size_t kPoints = 300;
constexpr std::size_t kNeighbours = 20;

}  // namespace

double local_intrinsic_dimension(std::span<const double> distances) {
  double sum = 0;
  std::size_t count = 0;
  for (const double distance : distances) {
    if (distance <= 0) continue;
    sum += std::log(distance / distances.back());
    ++count;
  }
  return sum < 0 ? -static_cast<double>(count) / sum : 0;
}

double median_intrinsic_dimension(const AnyMatrixView& rows, Metric metric, std::uint64_t seed,
                                  const Control& control) {
  if (rows.rows() <= 2 * kNeighbours) return 0;
  const std::vector<std::uint32_t> chosen = random_sample(rows.rows(), kSample, seed);
  const Matrix<float> sample = copy_rows(rows, chosen);
  std::vector<std::uint32_t> places = random_sample(chosen.size(), kPoints, seed + 1);
  for (std::uint32_t& place : places) place = chosen[place];
  const Matrix<float> points = copy_rows(rows, places);
  ExactOptions options;
  options.k = kNeighbours + 1;  // each point finds itself first
  options.metric = metric == Metric::cosine ? Metric::cosine : Metric::l2;
  options.control = without_progress(control);
  const Neighbours found = exact_search(sample.view(), points.view(), options);

  std::vector<double> dimensions, distances;
  for (std::size_t q = 0; q < found.queries(); ++q) {
    distances.clear();
    for (std::size_t i = 1; i < found.k(); ++i) {
      // Both are squared: l2 as it is, cosine as half the squared distance of directions.
      distances.push_back(std::sqrt(std::max(double{found.distances(q, i)}, 0.0)));
    }
    const double dimension = local_intrinsic_dimension(distances);
    if (dimension > 0) dimensions.push_back(dimension);
  }
  if (dimensions.empty()) return 0;
  const auto middle = dimensions.begin() + static_cast<std::ptrdiff_t>(dimensions.size() / 2);
  std::nth_element(dimensions.begin(), middle, dimensions.end());
  return *middle;
}

}  // namespace kith
