#include "cli/hits.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cli/inputs.h"
#include "cli/measure.h"

namespace kith::cli {
namespace {

// Two queries with three places each; the second found two only.
Neighbours example() {
  Neighbours found(2, 3);
  const Id ids[] = {4, 7, 9, 7, 2, kNoId};
  const float distances[] = {0.1f, 0.2f, 0.3f, 0.0f, 0.5f, INFINITY};
  for (std::size_t i = 0; i < 6; ++i) {
    found.ids(i / 3, i % 3) = ids[i];
    found.distances(i / 3, i % 3) = distances[i];
  }
  return found;
}

TEST(Hits, LeaveOutPaddingAndTheQueryItself) {
  const RangeNeighbours hits = trim(example(), {7, 7}, 2);
  EXPECT_EQ(hits.ids, (std::vector<Id>{4, 9, 2}));
  EXPECT_EQ(hits.offsets, (std::vector<std::size_t>{0, 2, 3}));
}

TEST(Hits, KeepAtMostKWhenTheQueryIsNotAmongThem) {
  EXPECT_EQ(trim(example(), {1, 1}, 2).ids, (std::vector<Id>{4, 7, 7, 2}));
}

TEST(Hits, BecomeAPaddedMatrixOfCustomaryValues) {
  const Neighbours matrix = to_matrix(trim(example(), {}, 3), 3, Metric::cosine);
  EXPECT_FLOAT_EQ(matrix.distances(0, 0), 0.9f);
  EXPECT_EQ(matrix.ids(1, 2), kNoId);
  EXPECT_TRUE(std::isinf(matrix.distances(1, 2)));
}

TEST(Hits, AreShownUnderTheLabelsOfTheIndex) {
  const Labels labels(std::vector<std::uint64_t>{10, 11, 12, 13, 1234567, 15, 16, 17, 18, 19});
  const Table table = hits_table(trim(example(), {}, 1), {"a", "b"}, labels, Metric::l2, false);
  EXPECT_EQ(table.text(),
            "query  rank    label  squared distance\n"
            "a         1  1234567            0.1000\n"
            "b         1       17                 0\n");
}

TEST(Measure, MediansAreTakenOfEachFigureAlone) {
  const Rates rates = median({{1, 30, 5, 0}, {2, 10, 5, 0}, {3, 20, 5, 9}});
  EXPECT_EQ(rates.qps_cpu, 2);
  EXPECT_EQ(rates.qps_wall, 20);
  EXPECT_EQ(rates.p50_us, 5);
  EXPECT_EQ(rates.p99_us, 0);
  EXPECT_EQ(median({{1, 1, 1, 1}, {2, 2, 2, 2}}).qps_cpu, 1.5);
}

}  // namespace
}  // namespace kith::cli
