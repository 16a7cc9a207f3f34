// What an inverted file promises beyond what every index does (index_test.cc).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/random.h"
#include "base/test_path.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

Matrix<float> clustered(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  constexpr std::size_t kCentres = 100;
  Random centre_random(99), random(seed);
  Matrix<float> centres(kCentres, dim), x(rows, dim);
  for (std::size_t c = 0; c < kCentres; ++c) {
    for (std::size_t j = 0; j < dim; ++j) {
      centres.row(c)[j] = static_cast<float>(centre_random.normal());
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const float* centre = centres.row(random.below(kCentres));
    for (std::size_t j = 0; j < dim; ++j) {
      x.row(i)[j] = centre[j] + 0.6f * static_cast<float>(random.normal());
    }
  }
  return x;
}

BuildOptions options(Metric metric) {
  BuildOptions options;
  options.index = "ivf";
  options.metric = metric;
  return options;
}

double recall_of(const Index& index, const Matrix<float>& base, const Matrix<float>& queries,
                 std::size_t beam) {
  ExactOptions exact;
  exact.k = 10;
  exact.metric = index.metric();
  SearchOptions search;
  search.beam = beam;
  return recall_at(index.search(queries, 10, search), exact_search(base, queries, exact), 10);
}

TEST(Ivf, FindsTheNeighboursUnderEveryMetric) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Matrix<float> base = clustered(6000, 24, seed), queries = clustered(200, 24, seed + 10);
      const Index index = Index::build(base, Labels(), options(metric));
      EXPECT_EQ(index.info().codec, "pq12+rot-lvq8");
      EXPECT_GE(recall_of(index, base, queries, 0), 0.92) << name(metric);
      EXPECT_GE(recall_of(index, base, queries, index.info().lists), 0.98) << name(metric);
    }
  }
}

TEST(Ivf, FindsThemByEveryKindOfRescoring) {
  const Matrix<float> base = clustered(6000, 24, 1), queries = clustered(200, 24, 11);
  for (const char* codec : {"f32", "lvq4", "rot-lvq4x4", "rot-lvq4x8", "rot-lvq8"}) {
    BuildOptions build = options(Metric::l2);
    build.codec = std::string("pq12+") + codec;
    const Index index = Index::build(base, Labels(), build);
    // Four bits alone tell fewer apart.
    const double least = std::string(codec) == "lvq4" ? 0.8 : 0.97;
    EXPECT_GE(recall_of(index, base, queries, index.info().lists), least) << codec;
  }
}

TEST(Ivf, BalancedListsAreShorterAndFindAsMuch) {
  Matrix<float> base = clustered(6000, 24, 1);
  for (std::size_t i = 0; i < base.rows(); ++i) {
    for (std::size_t j = 0; i % 2 == 0 && j < 24; ++j) base.row(i)[j] *= 0.2f;
  }
  const Matrix<float> queries = clustered(200, 24, 2);
  BuildOptions build = options(Metric::l2);
  const Index as_it_comes = Index::build(base, Labels(), build);
  build.balance = 2;
  const Index balanced = Index::build(base, Labels(), build);
  EXPECT_GT(as_it_comes.info().longest_list, 3);
  EXPECT_LT(balanced.info().longest_list, 2.5);
  EXPECT_GE(recall_of(balanced, base, queries, balanced.info().lists), 0.97);
}

TEST(Ivf, ManyListsAreFoundByAGraphThatTheFileHolds) {
  const std::string path = test_path("centre-graph.kith");
  const Matrix<float> base = clustered(9000, 24, 1), queries = clustered(200, 24, 2);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    BuildOptions build = options(metric);
    build.lists = 4500;
    const Index index = Index::build(base, Labels(), build);
    const auto has_graph = [](const Index& index) {
      const auto bytes = index.info().bytes;
      return std::any_of(bytes.begin(), bytes.end(),
                         [](const auto& part) { return part.first == "ivf.centre_graph"; });
    };
    EXPECT_TRUE(has_graph(index));
    SearchOptions search;
    search.beam = 32;
    const Neighbours found = index.search(queries, 10, search);
    index.save(path);
    const Index opened = Index::open(path);
    EXPECT_TRUE(has_graph(opened));
    const Neighbours again = opened.search(queries, 10, search);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      EXPECT_TRUE(std::equal(found.ids.row(q), found.ids.row(q) + 10, again.ids.row(q)));
    }
    EXPECT_GE(recall_of(index, base, queries, 32), 0.6) << name(metric);
    EXPECT_GE(recall_of(index, base, queries, 4500), 0.97) << name(metric);
  }
  std::filesystem::remove(path);
}

TEST(Ivf, RefusesABalanceThatCannotBe) {
  const Matrix<float> base = clustered(3000, 24, 1);
  BuildOptions build = options(Metric::l2);
  build.balance = 1;
  EXPECT_THROW(Index::build(base, Labels(), build), Error);
  build.balance = 2;
  build.index = "graph";
  EXPECT_THROW(Index::build(base, Labels(), build), Error);
}

TEST(Ivf, ProbingMoreListsFindsMore) {
  const Matrix<float> base = clustered(6000, 24, 1), queries = clustered(200, 24, 2);
  const Index index = Index::build(base, Labels(), options(Metric::l2));
  double before = 0;
  for (const std::size_t probes : {1, 2, 4, 8}) {
    const double recall = recall_of(index, base, queries, probes);
    EXPECT_GT(recall, before);
    before = recall;
  }
}

TEST(Ivf, AnswersABatchAsItAnswersItsQueriesOneByOne) {
  const Matrix<float> base = clustered(5000, 16, 3), queries = clustered(300, 16, 4);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const Index index = Index::build(base, Labels(), options(metric));
    for (const std::size_t threads : {1, 3}) {
      SearchOptions search;
      search.control.threads = threads;
      const Neighbours batch = index.search(queries, 10, search);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const Neighbours one = index.search(queries.view().slice(q, 1), 10, search);
        for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(one.ids(0, i), batch.ids(q, i));
      }
    }
  }
}

TEST(Ivf, IsTheSameForAnyNumberOfThreads) {
  const Matrix<float> base = clustered(4000, 16, 5);
  std::string files[2];
  for (const std::size_t threads : {1, 3}) {
    BuildOptions build = options(Metric::cosine);
    build.control.threads = threads;
    const std::string path = test_path("threads.kith");
    Index::build(base, Labels(), build).save(path);
    std::ifstream file(path, std::ios::binary);
    files[threads / 2].assign(std::istreambuf_iterator<char>(file), {});
    std::filesystem::remove(path);
  }
  EXPECT_TRUE(files[0] == files[1]);
}

TEST(Ivf, SavedOpenedAndAddedToItFindsWhatWasAdded) {
  const Matrix<float> base = clustered(3000, 20, 6), more = clustered(1500, 20, 7);
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    const std::string path = test_path("saved.kith");
    const Index built = Index::build(base, Labels(), options(metric));
    built.save(path);
    Index index = Index::open(path);
    const Matrix<float> queries = clustered(100, 20, 8);
    const Neighbours a = built.search(queries, 10), b = index.search(queries, 10);
    for (std::size_t q = 0; q < 100; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(a.ids(q, i), b.ids(q, i));
        EXPECT_EQ(a.distances(q, i), b.distances(q, i));
      }
    }
    index.add(more, Labels());
    Matrix<float> all(4500, 20);
    for (std::size_t i = 0; i < 4500; ++i) {
      std::copy_n(i < 3000 ? base.row(i) : more.row(i - 3000), 20, all.row(i));
    }
    EXPECT_GE(recall_of(index, all, queries, index.info().lists), 0.97);
    index.save(path);
    EXPECT_EQ(Index::open(path).size(), 4500u);
    std::filesystem::remove(path);
  }
}

TEST(Ivf, OfAFewVectorsIsExactUpToItsCodesAndCanBeReopened) {
  for (const std::size_t rows : {1, 2, 15, 40}) {
    const Matrix<float> base = clustered(rows, 8, 12);
    const std::string path = test_path("few.kith");
    BuildOptions build = options(Metric::l2);
    build.codec = "pq4+f32";
    Index::build(base, Labels(), build).save(path);
    const Index index = Index::open(path);
    EXPECT_EQ(recall_of(index, base, base, index.info().lists), 1) << rows;
    std::filesystem::remove(path);
  }
}

TEST(Ivf, RangeSearchFindsWhatLiesWithinTheRadius) {
  const Matrix<float> base = clustered(4000, 16, 9), queries = clustered(50, 16, 10);
  const Index index = Index::build(base, Labels(), options(Metric::l2));
  BuildOptions flat_options;
  flat_options.index = "flat";
  const Index flat = Index::build(base, Labels(), flat_options);
  SearchOptions all;
  all.beam = index.info().lists;
  const float radius = flat.search(queries, 20).distances(0, 19);
  const RangeNeighbours want = flat.range(queries, radius);
  const RangeNeighbours found = index.range(queries, radius, all);
  ASSERT_GT(want.ids.size(), 300u);
  EXPECT_NEAR(static_cast<double>(found.ids.size()) / static_cast<double>(want.ids.size()), 1,
              0.02);
}

TEST(Ivf, RefusesCodecsThatItCannotUse) {
  const Matrix<float> base = clustered(3000, 8, 11);
  for (const char* codec : {"pq4", "rot-pq4+f16", "pq9+f16", "pq0+f16", "rabitq4", "vq4x8",
                            "leanvec4-lvq8+f16", "signs8"}) {
    BuildOptions build = options(Metric::l2);
    build.codec = codec;
    EXPECT_THROW(Index::build(base, Labels(), build), Error) << codec;
  }
  BuildOptions graph;
  graph.index = "graph";
  graph.codec = "pq4+f16";
  EXPECT_THROW(Index::build(base, Labels(), graph), Error);
}

}  // namespace
}  // namespace kith
