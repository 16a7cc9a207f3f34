#include "papers/peers/graphs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "kith/exact.h"
#include "papers/common/test_rows.h"

namespace kith::papers {
namespace {

TEST(Graphs, FindRowsByTheirNumbersWhateverTheOrder) {
  const Matrix<float> base = unit_rows(1200, 16, 1), queries = unit_rows(100, 16, 2);
  ExactOptions exact;
  exact.k = 10;
  exact.metric = Metric::cosine;
  const Neighbours truth = exact_search(base, queries, exact);
  BuildOptions floats;
  floats.codec = "f32";
  const std::vector<Id> order = random_permutation(base.rows(), 7);
  for (const GraphEngine& engine :
       {hnswlib_engine(16, 64), faiss_engine(16, 64), kith_engine("kith", floats)}) {
    const auto graph = engine.build(base, order, 3);
    const Neighbours found = graph->search(queries, 10, 100);
    std::size_t right = 0;
    for (std::size_t q = 0; q < 100; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        right += std::count(truth.ids.row(q), truth.ids.row(q) + 10, found.ids(q, i)) > 0 ? 1 : 0;
      }
    }
    EXPECT_GT(right, 950u) << engine.name;
  }
}

TEST(Graphs, OfOnePeerDifferByTheOrder) {
  const Matrix<float> base = unit_rows(600, 16, 1);
  std::vector<Id> up(600);
  std::iota(up.begin(), up.end(), Id{0});
  const std::vector<Id> down(up.rbegin(), up.rend());
  for (const GraphEngine& engine : {hnswlib_engine(8, 32), faiss_engine(8, 32)}) {
    const auto one = engine.build(base, up, 3)->edges(), same = engine.build(base, up, 3)->edges();
    EXPECT_EQ(one, same) << engine.name;
    EXPECT_NE(one, engine.build(base, down, 3)->edges()) << engine.name;
    EXPECT_EQ(one.size(), 600u);
    for (const auto& edges : one) EXPECT_LE(edges.size(), 16u);
  }
}

TEST(Graphs, PathLengthCountsShortestPathsToWhatCanBeReached) {
  // A ring of five: 1 + 2 + 3 + 4 steps from every node.
  const std::vector<std::vector<Id>> ring = {{1}, {2}, {3}, {4}, {0}};
  EXPECT_DOUBLE_EQ(mean_path_length(ring, 5, 1), 2.5);
  const std::vector<std::vector<Id>> star = {{1, 2, 3}, {0}, {0}, {0}};
  EXPECT_DOUBLE_EQ(mean_path_length(star, 4, 1), (3 * 1.0 + 3 * (1 + 2 + 2)) / 12);
  const std::vector<std::vector<Id>> apart = {{1}, {0}, {}};
  EXPECT_DOUBLE_EQ(mean_path_length(apart, 3, 1), 1);
  EXPECT_EQ(mean_path_length({}, 3, 1), 0);
}

}  // namespace
}  // namespace kith::papers
