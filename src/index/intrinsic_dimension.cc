#include "index/intrinsic_dimension.h"

#include <algorithm>
#include <cmath>

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

void neighbour_distances(const Neighbours& found, std::size_t row, Id self, std::size_t most,
                         std::vector<double>& distances) {
  distances.clear();
  for (std::size_t i = 0; i < found.k() && distances.size() < most; ++i) {
    const Id id = found.ids(row, i);
    const double squared = found.distances(row, i);
    if (id != kNoId && id != self && squared > 0) distances.push_back(std::sqrt(squared));
  }
}

double local_intrinsic_dimension(std::span<const double> distances) {
  double sum = 0;
  for (const double distance : distances) sum += std::log(distance / distances.back());
  return sum < 0 ? -static_cast<double>(distances.size()) / sum : 0;
}

double two_nearest_dimension(std::vector<float> ratios) {
  constexpr double kKept = 0.9;
  std::erase_if(ratios, [](float ratio) { return !(ratio >= 1); });
  std::sort(ratios.begin(), ratios.end());
  const auto count = static_cast<double>(ratios.size());
  // A line through the origin by least squares.
  double products = 0, squares = 0;
  for (std::size_t i = 0; static_cast<double>(i + 1) <= kKept * count; ++i) {
    const double x = std::log(double{ratios[i]});
    const double y = -std::log1p(-static_cast<double>(i + 1) / count);
    products += x * y;
    squares += x * x;
  }
  return squares > 0 ? products / squares : 0;
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
  options.k = kNeighbours + 1;  // each point finds itself, too
  options.metric = metric == Metric::cosine ? Metric::cosine : Metric::l2;
  options.control = without_progress(control);
  const Neighbours found = exact_search(sample.view(), points.view(), options);

  std::vector<double> dimensions, distances;
  for (std::size_t q = 0; q < found.queries(); ++q) {
    neighbour_distances(found, q, kNoId, kNeighbours, distances);
    const double dimension = local_intrinsic_dimension(distances);
    if (dimension > 0) dimensions.push_back(dimension);
  }
  if (dimensions.empty()) return 0;
  const auto middle = dimensions.begin() + static_cast<std::ptrdiff_t>(dimensions.size() / 2);
  std::nth_element(dimensions.begin(), middle, dimensions.end());
  return *middle;
}

}  // namespace kith
