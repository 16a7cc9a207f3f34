#include "kith/explanation.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kith/error.h"

namespace kith {
namespace {

double square_of(std::span<const float> vector) {
  double sum = 0;
  for (const float x : vector) sum += double{x} * x;
  return sum;
}

// The largest of them, with their shares of `whole`; equal ones by dimension.
void keep_largest(std::vector<Contribution>& all, std::size_t most, double whole) {
  const std::size_t kept = std::min(most, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    [](const Contribution& a, const Contribution& b) {
                      return a.value > b.value || (a.value == b.value && a.dimension < b.dimension);
                    });
  all.resize(kept);
  for (Contribution& each : all) each.share = each.value / whole;
}

}  // namespace

Explanation explain(std::span<const float> query, std::span<const float> hit, std::size_t most) {
  constexpr double kLacks = 0.1;
  if (query.size() != hit.size()) {
    throw Error(ErrorCode::invalid_argument, "explain: vectors of " + std::to_string(query.size()) +
                                                 " and " + std::to_string(hit.size()) +
                                                 " dimensions, expected as many");
  }
  Explanation why;
  const double query_square = square_of(query), hit_square = square_of(hit);
  const double scale = hit_square > 0 ? std::sqrt(query_square / hit_square) : 0;
  for (std::size_t j = 0; j < query.size(); ++j) {
    const double x = query[j], y = hit[j];
    why.inner_product += x * y;
    if (x * y > 0) why.shared.push_back({j, x * y, 0});
    if (x > 0 && scale * y < kLacks * x) why.missing.push_back({j, x * x, 0});
  }
  keep_largest(why.shared, most, why.inner_product);
  keep_largest(why.missing, most, query_square);
  return why;
}

}  // namespace kith
