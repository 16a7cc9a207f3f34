#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kith/error.h"
#include "kith/exact.h"

namespace kith {
namespace {

constexpr double kTieTolerance = 1e-5;  // relative to the k-th true distance

void check_shapes(const Neighbours& found, const Neighbours& truth, std::size_t k,
                  std::size_t among) {
  if (k == 0) throw Error(ErrorCode::invalid_argument, "k = 0: recall needs at least 1");
  if (found.queries() != truth.queries()) {
    throw Error(ErrorCode::invalid_argument, "found has " + std::to_string(found.queries()) +
                                                 " queries, but the truth has " +
                                                 std::to_string(truth.queries()));
  }
  if (among < k) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(among) + " candidates, but recall@" + std::to_string(k) +
                    " counts what is right among at least " + std::to_string(k));
  }
  for (const auto& [what, columns, needed] :
       {std::tuple{"found has ", found.k(), among}, std::tuple{"the truth has ", truth.k(), k}}) {
    if (columns < needed) {
      throw Error(ErrorCode::invalid_argument,
                  what + std::to_string(columns) + " neighbours a query, but recall@" +
                      std::to_string(k) + " needs " + std::to_string(needed));
    }
  }
}

// The ids that count as right for query q, ascending: the first k and what ties with the k-th.
// `wanted` is how many a perfect answer holds.
std::vector<Id> right_ids(const Neighbours& truth, std::size_t q, std::size_t k,
                          std::size_t& wanted) {
  const Id* ids = truth.ids.row(q);
  wanted = 0;
  while (wanted < k && ids[wanted] != kNoId) ++wanted;
  std::size_t accepted = wanted;
  if (truth.distances.rows() == truth.queries() && truth.distances.cols() == truth.k() &&
      wanted > 0) {
    const float* distances = truth.distances.row(q);
    const double kth = distances[wanted - 1];
    const double limit = kth + kTieTolerance * std::abs(kth);
    while (accepted < truth.k() && ids[accepted] != kNoId && distances[accepted] <= limit) {
      ++accepted;
    }
  }
  std::vector<Id> right(ids, ids + accepted);
  std::sort(right.begin(), right.end());
  return right;
}

}  // namespace

double recall_at(const Neighbours& found, const Neighbours& truth, std::size_t k,
                 std::size_t among) {
  if (among == 0) among = k;
  check_shapes(found, truth, k, among);
  double sum = 0;
  std::size_t counted = 0;
  for (std::size_t q = 0; q < found.queries(); ++q) {
    std::size_t wanted = 0;
    const std::vector<Id> right = right_ids(truth, q, k, wanted);
    if (wanted == 0) continue;  // a query without neighbours has nothing to miss
    std::vector<Id> returned(found.ids.row(q), found.ids.row(q) + among);
    std::sort(returned.begin(), returned.end());
    returned.erase(std::unique(returned.begin(), returned.end()), returned.end());
    const auto hits = std::count_if(returned.begin(), returned.end(), [&](Id id) {
      return std::binary_search(right.begin(), right.end(), id);
    });
    sum += std::min(1.0, static_cast<double>(hits) / static_cast<double>(wanted));
    ++counted;
  }
  return counted == 0 ? 1.0 : sum / static_cast<double>(counted);
}

}  // namespace kith
