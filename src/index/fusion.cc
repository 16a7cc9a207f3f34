#include "kith/fusion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "index/implementation.h"
#include "kith/error.h"

namespace kith {
namespace {

using List = std::span<const Ranked>;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "fusion: " + message);
}

void check(std::size_t lists, const FusionOptions& options) {
  if (!options.weights.empty() && options.weights.size() != lists) {
    refuse(std::to_string(options.weights.size()) + " weights for " + std::to_string(lists) +
           " lists, expected one each");
  }
  for (const double weight : options.weights) {
    if (!(weight >= 0 && std::isfinite(weight))) {
      refuse("weight " + std::to_string(weight) + ", expected 0 or more");
    }
  }
  if (!(options.rrf_k > 0 && std::isfinite(options.rrf_k))) {
    refuse("rrf_k = " + std::to_string(options.rrf_k) + ", expected a number above 0");
  }
}

// What a list's scores go through: score * factor + offset, cut to [0, 1].
struct Line {
  double factor = 0, offset = 0;
};

Line between(double low, double high, double if_equal) {
  const double width = high - low;
  if (!(width > 0) || !std::isfinite(1 / width)) return {0, if_equal};
  return {1 / width, -low / width};
}

Line min_max_line(List list) {
  const auto [least, most] = std::minmax_element(
      list.begin(), list.end(), [](const Ranked& a, const Ranked& b) { return a.score < b.score; });
  return between(least->score, most->score, 1);
}

Line distribution_line(List list) {
  const double n = static_cast<double>(list.size());
  double mean = 0, variance = 0;
  for (const Ranked& hit : list) mean += hit.score / n;
  for (const Ranked& hit : list) variance += (hit.score - mean) * (hit.score - mean) / n;
  const double reach = 3 * std::sqrt(variance);
  return between(mean - reach, mean + reach, 0.5);
}

void add_list(List list, double weight, const FusionOptions& options, std::vector<Ranked>& all) {
  if (list.empty()) return;
  for (const Ranked& hit : list) {
    if (!std::isfinite(hit.score)) {
      refuse("id " + std::to_string(hit.id) + " has the score " + std::to_string(hit.score) +
             ", expected a number");
    }
  }
  if (options.method == Fusion::rrf) {
    double rank = 0;
    for (const Ranked& hit : list) all.push_back({hit.id, weight / (options.rrf_k + ++rank)});
    return;
  }
  const Line line =
      options.method == Fusion::min_max ? min_max_line(list) : distribution_line(list);
  for (const Ranked& hit : list) {
    const double score = std::clamp(hit.score * line.factor + line.offset, 0.0, 1.0);
    all.push_back({hit.id, weight * score});
  }
}

void check_distinct(List list) {
  std::vector<Id> ids;
  for (const Ranked& hit : list) ids.push_back(hit.id);
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) refuse("id " + std::to_string(*twice) + " stands twice in one list");
}

std::vector<Ranked> ranked(const Neighbours& result, std::size_t query) {
  std::vector<Ranked> list;
  for (std::size_t i = 0; i < result.k() && result.ids(query, i) != kNoId; ++i) {
    list.push_back({result.ids(query, i), -static_cast<double>(result.distances(query, i))});
  }
  return list;
}

}  // namespace

std::vector<Ranked> fuse(std::span<const List> lists, const FusionOptions& options) {
  check(lists.size(), options);
  std::vector<Ranked> all;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    check_distinct(lists[i]);
    add_list(lists[i], options.weights.empty() ? 1 : options.weights[i], options, all);
  }
  // Stable, so that what the lists give to one id is added in their order.
  std::stable_sort(all.begin(), all.end(),
                   [](const Ranked& a, const Ranked& b) { return a.id < b.id; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size();) {
    Ranked sum{all[i].id, 0};
    for (; i < all.size() && all[i].id == sum.id; ++i) sum.score += all[i].score;
    all[kept++] = sum;
  }
  all.resize(kept);
  std::stable_sort(all.begin(), all.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  if (options.k != 0 && all.size() > options.k) all.resize(options.k);
  return all;
}

namespace {

// Checks that the results belong together; returns the most hits that one has a query.
std::size_t longest(std::span<const Neighbours* const> results) {
  std::size_t k = 0;
  const std::size_t queries = results.front()->queries();
  for (const Neighbours* result : results) {
    if (result->queries() != queries) {
      refuse(std::to_string(result->queries()) + " queries beside " + std::to_string(queries) +
             ", expected as many");
    }
    if (result->distances.rows() != queries && queries != 0) refuse("results without distances");
    k = std::max(k, result->k());
  }
  return k;
}

}  // namespace

Neighbours fuse(std::span<const Neighbours* const> results, const FusionOptions& options) {
  check(results.size(), options);
  if (results.empty()) return {};
  const std::size_t most = longest(results), queries = results.front()->queries();
  const std::size_t k = options.k != 0 ? options.k : most;
  Neighbours fused(queries, k);
  for (std::size_t q = 0; q < queries; ++q) {
    std::vector<std::vector<Ranked>> own;
    for (const Neighbours* result : results) own.push_back(ranked(*result, q));
    const std::vector<List> lists(own.begin(), own.end());
    const std::vector<Ranked> hits = fuse(lists, options);
    for (std::size_t i = 0; i < k; ++i) {
      const bool present = i < hits.size();
      fused.ids(q, i) = present ? hits[i].id : kNoId;
      fused.distances(q, i) =
          present ? static_cast<float>(-hits[i].score) : std::numeric_limits<float>::infinity();
    }
  }
  return fused;
}

Neighbours merge(std::span<const Neighbours* const> results, std::size_t k,
                 std::span<const Id> first_ids) {
  if (!first_ids.empty() && first_ids.size() != results.size()) {
    refuse(std::to_string(first_ids.size()) + " first ids for " + std::to_string(results.size()) +
           " results, expected one each");
  }
  if (results.empty()) return {};
  const std::size_t most = longest(results), queries = results.front()->queries();
  if (k == 0) k = most;
  Neighbours merged(queries, k);
  std::vector<Hit> hits;
  for (std::size_t q = 0; q < queries; ++q) {
    hits.clear();
    for (std::size_t part = 0; part < results.size(); ++part) {
      const Neighbours& result = *results[part];
      const std::uint64_t first = first_ids.empty() ? 0 : first_ids[part];
      for (std::size_t i = 0; i < result.k(); ++i) {
        if (result.ids(q, i) == kNoId) continue;
        const std::uint64_t id = first + result.ids(q, i);
        if (id >= kMaxVectors) refuse("id " + std::to_string(id) + " among all, expected less");
        hits.push_back({result.distances(q, i), static_cast<Id>(id)});
      }
    }
    std::sort(hits.begin(), hits.end());
    put_hits(hits, q, merged);
  }
  return merged;
}

}  // namespace kith
