#include "index/flat_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/topk.h"

namespace kith {
namespace {

Matrix<float> random_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> m(rows, cols);
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) m(i, j) = static_cast<float>(random.below(9)) - 3;
  }
  return m;
}

Control threads(std::size_t count) {
  Control control;
  control.threads = count;
  return control;
}

// Range search must be the prefix of the complete ranking that lies within the radius.
TEST(FlatSearch, RangeFindsAllWithinTheRadiusAndNothingElse) {
  const Matrix<float> base = random_matrix(900, 12, 1), queries = random_matrix(90, 12, 2);
  for (const auto& [metric, radius] : {std::pair{Metric::l2, 110.0f}, std::pair{Metric::ip, -40.0f},
                                       std::pair{Metric::cosine, 0.5f}}) {
    const FlatSearch flat(base, metric);
    const Neighbours all = flat.search(queries, base.rows(), threads(1));
    for (std::size_t count : {1, 2, 3}) {
      const RangeNeighbours batch = flat.range(queries, radius, threads(count));
      ASSERT_EQ(batch.offsets.size(), queries.rows() + 1);
      EXPECT_GT(batch.ids.size(), 0u);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<Hit> expected, found, alone;
        for (std::size_t j = 0; j < base.rows() && all.distances(q, j) <= radius; ++j) {
          expected.push_back({all.distances(q, j), all.ids(q, j)});
        }
        for (std::size_t j = batch.offsets[q]; j < batch.offsets[q + 1]; ++j) {
          found.push_back({batch.distances[j], batch.ids[j]});
        }
        const RangeNeighbours single =
            flat.range(queries.view().slice(q, 1), radius, threads(count));
        for (std::size_t j = 0; j < single.ids.size(); ++j) {
          alone.push_back({single.distances[j], single.ids[j]});
        }
        ASSERT_EQ(found, expected) << name(metric) << " query " << q;
        ASSERT_EQ(alone, expected) << name(metric) << " query " << q;
      }
    }
  }
}

TEST(FlatSearch, RadiusThatNothingReachesGivesEmptyRows) {
  const Matrix<float> base = random_matrix(50, 12, 1), queries = random_matrix(3, 12, 2);
  const RangeNeighbours none = FlatSearch(base, Metric::l2).range(queries, -1, threads(1));
  EXPECT_EQ(none.offsets, (std::vector<std::size_t>{0, 0, 0, 0}));
  EXPECT_TRUE(none.ids.empty());
}

TEST(FlatSearch, NormsFromOutsideGiveTheSameAnswer) {
  const Matrix<float> base = random_matrix(300, 12, 1), queries = random_matrix(60, 12, 2);
  std::vector<float> norms;
  for (std::size_t i = 0; i < base.rows(); ++i) {
    double squared = 0;
    for (std::size_t j = 0; j < base.cols(); ++j) squared += base(i, j) * base(i, j);
    norms.push_back(static_cast<float>(std::sqrt(squared)));
  }
  const Neighbours own = FlatSearch(base, Metric::cosine).search(queries, 9, threads(1));
  const Neighbours given = FlatSearch(base, Metric::cosine, norms).search(queries, 9, threads(1));
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    for (std::size_t j = 0; j < 9; ++j) ASSERT_EQ(own.ids(q, j), given.ids(q, j));
  }
}

}  // namespace
}  // namespace kith
