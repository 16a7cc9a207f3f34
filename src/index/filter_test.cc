// What filtered searches promise, whatever the index.
#include "kith/filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "index/test_data.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

constexpr std::size_t kRows = 6000, kDim = 24, kK = 10;

// The true neighbours among the allowed rows, ascending ids.
Neighbours truth_among(const Matrix<float>& base, const std::vector<Id>& ids,
                       const AnyMatrixView& queries) {
  Matrix<float> rows(ids.size(), kDim);
  for (std::size_t i = 0; i < ids.size(); ++i) std::copy_n(base.row(ids[i]), kDim, rows.row(i));
  ExactOptions exact;
  exact.k = kK;
  Neighbours truth = exact_search(rows, queries, exact);
  for (std::size_t q = 0; q < truth.queries(); ++q) {
    for (std::size_t i = 0; i < kK; ++i) {
      if (truth.ids(q, i) != kNoId) truth.ids(q, i) = ids[truth.ids(q, i)];
    }
  }
  return truth;
}

std::vector<Id> random_ids(double share, std::uint64_t seed) {
  Random random(seed);
  std::vector<Id> ids;
  for (Id id = 0; id < kRows; ++id) {
    if (random.uniform() < share) ids.push_back(id);
  }
  return ids;
}

class FilteredSearch : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  FilteredSearch() : index_(build()) {}

  static Index build() {
    BuildOptions options;
    options.index = std::get<0>(GetParam());
    options.codec = std::get<1>(GetParam());
    return Index::build(clustered(kRows, kDim, 1), Labels(), options);
  }

  double recall(const Filter& filter, const Neighbours& truth) const {
    SearchOptions options;
    options.filter = filter;
    return recall_at(index_.search(queries_, kK, options), truth, kK);
  }

  const Matrix<float> base_ = clustered(kRows, kDim, 1);
  const Matrix<float> queries_ = clustered(100, kDim, 2);
  const Index index_;
};

TEST_P(FilteredSearch, ReturnsOnlyWhatIsAllowedAndFindsItAtEveryShare) {
  ExactOptions exact;
  exact.k = kK;
  const double unfiltered = recall({}, exact_search(base_, queries_, exact));
  for (const double share : {1.0, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001}) {
    const std::vector<Id> ids = random_ids(share, 3);
    SearchOptions options;
    options.filter = Filter::ids(ids);
    const Neighbours found = index_.search(queries_, kK, options);
    for (std::size_t q = 0; q < found.queries(); ++q) {
      for (std::size_t i = 0; i < kK; ++i) {
        const Id id = found.ids(q, i);
        EXPECT_TRUE(id == kNoId || std::binary_search(ids.begin(), ids.end(), id)) << id;
      }
    }
    EXPECT_GE(recall_at(found, truth_among(base_, ids, queries_), kK), unfiltered - 0.02) << share;
  }
}

TEST_P(FilteredSearch, FindsWhatIsAllowedNearTheQueriesAndFarFromThem) {
  ExactOptions exact;
  exact.k = kK;
  const double unfiltered = recall({}, exact_search(base_, queries_, exact));
  constexpr std::size_t kQueries = 20;
  exact.k = kRows;
  const Neighbours by_distance = exact_search(base_, queries_.view().slice(0, kQueries), exact);
  for (const double share : {0.3, 0.1, 0.02}) {
    const auto count = static_cast<std::size_t>(share * kRows);
    for (const bool near : {true, false}) {
      double sum = 0;
      for (std::size_t q = 0; q < kQueries; ++q) {
        const AnyMatrixView one = queries_.view().slice(q, 1);
        const Id* first = by_distance.ids.row(q) + (near ? 0 : kRows - count);
        const std::vector<Id> ids(first, first + count);
        SearchOptions options;
        options.filter = Filter::ids(ids);
        sum += recall_at(index_.search(one, kK, options), truth_among(base_, ids, one), kK);
      }
      EXPECT_GE(sum / kQueries, unfiltered - 0.03) << share << (near ? " near" : " far");
    }
  }
}

TEST_P(FilteredSearch, IdsBitsAndPredicatesAreTheSameFilter) {
  const std::vector<Id> ids = random_ids(0.3, 4);
  std::vector<std::uint64_t> words((kRows + 63) / 64);
  for (Id id : ids) words[id / 64] |= std::uint64_t{1} << (id % 64);
  const auto search = [&](const Filter& filter) {
    SearchOptions options;
    options.filter = filter;
    return index_.search(queries_, kK, options);
  };
  const Neighbours found = search(Filter::ids(ids));
  const Neighbours by_bits = search(Filter::bits(words));
  const Neighbours by_predicate = search(
      Filter::predicate([&](Id id) { return std::binary_search(ids.begin(), ids.end(), id); }));
  std::size_t same = 0;
  for (std::size_t q = 0; q < queries_.rows(); ++q) {
    for (std::size_t i = 0; i < kK; ++i) {
      EXPECT_EQ(found.ids(q, i), by_bits.ids(q, i));
      // Its share is estimated, so the walk may be a little broader or narrower.
      same += found.ids(q, i) == by_predicate.ids(q, i) ? 1 : 0;
    }
  }
  EXPECT_GE(same, 980u);
}

TEST_P(FilteredSearch, NothingAllowedFindsNothing) {
  SearchOptions options;
  for (const Filter& filter : {Filter::ids({}), Filter::predicate([](Id) { return false; }),
                               Filter::ids(std::vector<Id>{kRows + 5})}) {
    options.filter = filter;
    const Neighbours found = index_.search(queries_, kK, options);
    EXPECT_TRUE(
        std::all_of(found.ids.row(7), found.ids.row(7) + kK, [](Id id) { return id == kNoId; }));
    EXPECT_TRUE(index_.range(queries_, 20.0f, options).ids.empty());
  }
}

TEST_P(FilteredSearch, ARangeHoldsTheAllowedHitsOfTheUnfilteredOne) {
  const std::vector<Id> ids = random_ids(0.4, 5);
  const float radius = 12.0f;
  std::vector<Id> expected;
  for (const Id id : index_.range(queries_, radius).ids) {
    if (std::binary_search(ids.begin(), ids.end(), id)) expected.push_back(id);
  }
  ASSERT_GT(expected.size(), 100u);
  SearchOptions options;
  options.filter = Filter::ids(ids);
  EXPECT_EQ(index_.range(queries_, radius, options).ids, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, FilteredSearch,
    testing::Values(std::tuple("flat", "f32"), std::tuple("flat", "rot-lvq4+f16"),
                    std::tuple("graph", "f32"), std::tuple("graph", "rot-lvq4x8"),
                    std::tuple("ivf", "pq12+rot-lvq4x8"), std::tuple("ivf", "rot-lvq4x8"),
                    std::tuple("ivf", "f32")),
    [](const auto& info) {
      std::string name = std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
      std::replace_if(
          name.begin(), name.end(), [](char c) { return c == '-' || c == '+'; }, '_');
      return name;
    });

TEST(FlatIndex, AFilterIsExactForFewAndForManyQueries) {
  const Matrix<float> base = clustered(kRows, kDim, 6), queries = clustered(300, kDim, 7);
  BuildOptions build;
  build.index = "flat";
  const Index index = Index::build(base, Labels(), build);
  for (const double share : {0.6, 0.05, 0.004}) {
    const std::vector<Id> ids = random_ids(share, 8);
    SearchOptions options;
    options.filter = Filter::ids(ids);
    for (const std::size_t count : {1, 300}) {
      const AnyMatrixView some = queries.view().slice(0, count);
      const Neighbours found = index.search(some, kK, options);
      const Neighbours truth = truth_among(base, ids, some);
      for (std::size_t q = 0; q < count; ++q) {
        for (std::size_t i = 0; i < kK; ++i) ASSERT_EQ(found.ids(q, i), truth.ids(q, i)) << share;
      }
    }
  }
}

// Of so many rows that walks are quicker than scans where much is allowed.
TEST(GraphIndex, FindsWhatIsAllowedWhereverItLies) {
  constexpr std::size_t kMany = 40'000, kQueries = 60;
  const Matrix<float> base = clustered(kMany, kDim, 9), queries = clustered(kQueries, kDim, 10);
  BuildOptions build;
  build.index = "graph";
  build.codec = "rot-lvq4+f32";  // of those far away, many are equally far
  const Index index = Index::build(base, Labels(), build);
  ExactOptions exact;
  exact.k = kMany;
  const Neighbours by_distance = exact_search(base, queries, exact);
  // Of the rows in the order of their distance from a query.
  using Chooses = std::function<bool(std::size_t place, Random & random)>;
  const auto recall = [&](const Chooses& chooses) {
    Random random(11);
    double sum = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      std::vector<Id> ids;
      for (std::size_t place = 0; place < kMany; ++place) {
        if (chooses(place, random)) ids.push_back(by_distance.ids(q, place));
      }
      const AnyMatrixView one = queries.view().slice(q, 1);
      SearchOptions options;
      options.filter = Filter::ids(ids);
      sum += recall_at(index.search(one, kK, options), truth_among(base, ids, one), kK);
    }
    return sum / kQueries;
  };
  const double all = recall([](std::size_t, Random&) { return true; });
  for (const double share : {0.7, 0.4, 0.2, 0.1, 0.03}) {
    const auto last = static_cast<std::size_t>(share * kMany);
    EXPECT_GE(recall([&](std::size_t, Random& random) { return random.uniform() < share; }),
              all - 0.02)
        << share << " anywhere";
    EXPECT_GE(recall([&](std::size_t place, Random&) { return place < last; }), all - 0.02)
        << share << " near";
    EXPECT_GE(recall([&](std::size_t place, Random&) { return place >= kMany - last; }), all - 0.02)
        << share << " far";
    EXPECT_GE(recall([&](std::size_t place, Random& random) {
                return place > 40 && random.uniform() < share;
              }),
              all - 0.02)
        << share << " beyond the nearest";
  }
}

TEST(Filter, RefusesWhatIsNoFilter) {
  EXPECT_THROW(Filter::predicate(nullptr), Error);
  EXPECT_THROW(Filter::ids(std::vector<Id>{kNoId}), Error);
}

}  // namespace
}  // namespace kith
