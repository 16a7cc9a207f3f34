#include "index/list_trial.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/centres.h"
#include "codec/kmeans.h"
#include "codec/stage.h"
#include "kith/exact.h"

namespace kith {
namespace {

constexpr std::size_t kQueries = 200;
constexpr std::size_t kK = 10;
constexpr std::size_t kRowsPerList = 20;
constexpr std::size_t kIterations = 3;
constexpr std::size_t kSizeRowsPerList = 8;  // others, that show how long the lists would be
// Lists are probed until this much of the neighbours is in them; codes lose some more.
constexpr double kWithin = 0.96;

// True neighbours of a few rows: whose each is, and in which list it would be.
struct Wanted {
  std::vector<std::uint32_t> queries, neighbours, of, lists;
};

Wanted wanted_neighbours(const AnyMatrixView& rows, Metric metric, const Centres& centres,
                         std::uint64_t seed, const Control& control) {
  Wanted wanted;
  wanted.queries = random_sample(rows.rows(), kQueries, seed);
  ExactOptions exact;
  exact.k = std::min(kK + 1, rows.rows());  // each finds itself too
  exact.metric = metric;
  exact.control = control;
  const Neighbours truth = exact_search(rows, copy_rows(rows, wanted.queries).view(), exact);
  for (std::uint32_t q = 0; q < wanted.queries.size(); ++q) {
    for (std::size_t i = 0; i < truth.k(); ++i) {
      if (truth.ids(q, i) == wanted.queries[q]) continue;
      wanted.neighbours.push_back(truth.ids(q, i));
      wanted.of.push_back(q);
    }
  }
  wanted.lists.resize(wanted.neighbours.size());
  centres.nearest(load_rows(rows, wanted.neighbours, metric), control, wanted.lists);
  return wanted;
}

// How many of a query's nearest lists must be probed to find kWithin of what is wanted. `order` has
// all lists for each query, nearest first.
std::size_t probes_for(const Wanted& wanted, std::span<const std::uint32_t> order,
                       std::size_t lists) {
  std::vector<std::uint32_t> rank(lists), ranks;
  for (std::size_t i = 0; i < wanted.of.size(); ++i) {
    if (i == 0 || wanted.of[i] != wanted.of[i - 1]) {
      for (std::uint32_t r = 0; r < lists; ++r) rank[order[wanted.of[i] * lists + r]] = r;
    }
    ranks.push_back(rank[wanted.lists[i]]);
  }
  if (ranks.empty()) return 0;
  const auto place = static_cast<std::ptrdiff_t>(kWithin * static_cast<double>(ranks.size()));
  std::nth_element(ranks.begin(), ranks.begin() + place, ranks.end());
  return ranks[static_cast<std::size_t>(place)] + 1;
}

}  // namespace

double lookups_by_lists(const AnyMatrixView& rows, Metric metric, std::size_t lists,
                        std::size_t parts, std::uint64_t seed, const Control& control) {
  const Control silent = without_progress(control);
  KMeansOptions means;
  means.clusters = lists;
  means.iterations = kIterations;
  means.seed = seed;
  means.control = silent;
  const Centres centres(kmeans(
      load_rows(rows, random_sample(rows.rows(), lists * kRowsPerList, seed), metric), means));
  const Wanted wanted = wanted_neighbours(rows, metric, centres, seed + 1, silent);

  const std::vector<std::uint32_t> others =
      random_sample(rows.rows(), lists * kSizeRowsPerList, seed + 2);
  std::vector<std::uint32_t> list_of(others.size()), sizes(lists);
  centres.nearest(load_rows(rows, others, metric), silent, list_of);
  for (const std::uint32_t list : list_of) ++sizes[list];

  std::vector<std::uint32_t> order(wanted.queries.size() * lists);
  std::vector<float> scores(order.size());
  const auto by = metric == Metric::ip ? Centres::By::product : Centres::By::distance;
  centres.nearest_few(load_rows(rows, wanted.queries, metric), lists, by, silent, order, scores);
  const std::size_t probes = probes_for(wanted, order, lists);
  double scanned = 0;  // of `others`, by all queries together
  for (std::size_t q = 0; q < wanted.queries.size(); ++q) {
    for (std::size_t r = 0; r < probes; ++r) scanned += sizes[order[q * lists + r]];
  }
  return scanned / static_cast<double>(wanted.queries.size() * others.size()) *
         static_cast<double>(rows.rows() * parts);
}

}  // namespace kith
