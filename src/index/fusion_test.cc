#include "kith/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "kith/error.h"

namespace kith {
namespace {

using List = std::span<const Ranked>;
using testing::ElementsAre;

std::vector<Id> ids_of(const std::vector<Ranked>& list) {
  std::vector<Id> ids;
  for (const Ranked& hit : list) ids.push_back(hit.id);
  return ids;
}

const std::vector<Ranked> kDense = {{4, 0.9}, {2, 0.8}, {7, 0.1}};
const std::vector<Ranked> kSparse = {{2, 30}, {9, 20}, {4, 10}};
const List kBoth[] = {kDense, kSparse};

TEST(Fusion, ReciprocalRanksAddUp) {
  const std::vector<Ranked> fused = fuse(kBoth);
  EXPECT_THAT(ids_of(fused), ElementsAre(2, 4, 9, 7));
  EXPECT_DOUBLE_EQ(fused[0].score, 1.0 / 62 + 1.0 / 61);
  EXPECT_DOUBLE_EQ(fused[1].score, 1.0 / 61 + 1.0 / 63);
  EXPECT_DOUBLE_EQ(fused[2].score, 1.0 / 62);
  EXPECT_DOUBLE_EQ(fuse(kBoth, {.rrf_k = 1})[2].score, 1.0 / 3);
}

TEST(Fusion, MinMaxMovesEachListToZeroAndOne) {
  const std::vector<Ranked> fused = fuse(kBoth, {.method = Fusion::min_max});
  EXPECT_THAT(ids_of(fused), ElementsAre(2, 4, 9, 7));
  EXPECT_DOUBLE_EQ(fused[0].score, 0.7 / 0.8 + 1);
  EXPECT_DOUBLE_EQ(fused[1].score, 1);
  EXPECT_DOUBLE_EQ(fused[2].score, 0.5);
  EXPECT_DOUBLE_EQ(fused[3].score, 0);
}

TEST(Fusion, DistributionMovesMeanAndThreeDeviations) {
  const List sparse[] = {kSparse};
  const std::vector<Ranked> fused = fuse(sparse, {.method = Fusion::distribution});
  const double deviation = std::sqrt(200.0 / 3);
  EXPECT_THAT(ids_of(fused), ElementsAre(2, 9, 4));
  EXPECT_NEAR(fused[0].score, 0.5 + 10 / (6 * deviation), 1e-12);
  EXPECT_NEAR(fused[1].score, 0.5, 1e-12);
  EXPECT_NEAR(fused[2].score, 0.5 - 10 / (6 * deviation), 1e-12);
}

TEST(Fusion, EqualScoresGiveTheirListsFixedShare) {
  const std::vector<Ranked> one = {{5, 3}};
  const List lists[] = {one};
  EXPECT_EQ(fuse(lists, {.method = Fusion::min_max})[0].score, 1);
  EXPECT_EQ(fuse(lists, {.method = Fusion::distribution})[0].score, 0.5);
}

TEST(Fusion, WeightsFavourAList) {
  for (const Fusion method : {Fusion::rrf, Fusion::min_max, Fusion::distribution}) {
    EXPECT_EQ(fuse(kBoth, {.method = method, .weights = {1, 0}})[0].id, 4u);
    EXPECT_EQ(fuse(kBoth, {.method = method, .weights = {0, 1}})[0].id, 2u);
  }
}

TEST(Fusion, TiesGoToTheSmallerIdAndKCuts) {
  const std::vector<Ranked> a = {{8, 1}}, b = {{3, 1}};
  const List lists[] = {a, b};
  EXPECT_THAT(ids_of(fuse(lists)), ElementsAre(3, 8));
  EXPECT_THAT(ids_of(fuse(lists, {.k = 1})), ElementsAre(3));
  EXPECT_TRUE(fuse(std::span<const List>{}).empty());
}

TEST(Fusion, RefusesWhatMakesNoSense) {
  const std::vector<Ranked> twice = {{1, 2}, {1, 1}}, infinite = {{1, INFINITY}};
  const List repeats[] = {twice}, unbounded[] = {infinite};
  EXPECT_THROW(fuse(repeats), Error);
  EXPECT_THROW(fuse(unbounded), Error);
  EXPECT_THROW(fuse(kBoth, {.weights = {1}}), Error);
  EXPECT_THROW(fuse(kBoth, {.weights = {1, -1}}), Error);
  EXPECT_THROW(fuse(kBoth, {.rrf_k = 0}), Error);
}

TEST(Fusion, TheOrderOfListsMattersNotWhatIsFound) {
  rc::check("fusing is symmetric", [](const std::vector<double>& scores) {
    std::vector<Ranked> a, b;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (!std::isfinite(scores[i])) return;
      a.push_back({static_cast<Id>(i), scores[i]});
      b.push_back({static_cast<Id>(2 * i), -scores[i]});
    }
    const List forth[] = {a, b}, back[] = {b, a};
    for (const Fusion method : {Fusion::rrf, Fusion::min_max, Fusion::distribution}) {
      const auto x = fuse(forth, {.method = method}), y = fuse(back, {.method = method});
      RC_ASSERT(x == y);  // of two lists sums are the same in either order
    }
  });
}

TEST(Fusion, ResultsOfSearchesFuseQueryByQuery) {
  Neighbours dense(1, 3), sparse(1, 2);
  const Id dense_ids[] = {4, 2, 7}, sparse_ids[] = {2, kNoId};
  for (std::size_t i = 0; i < 3; ++i) {
    dense.ids(0, i) = dense_ids[i];
    dense.distances(0, i) = static_cast<float>(i);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    sparse.ids(0, i) = sparse_ids[i];
    sparse.distances(0, i) = i == 0 ? -5.0f : INFINITY;
  }
  const Neighbours* const results[] = {&dense, &sparse};
  const Neighbours fused = fuse(results);
  EXPECT_EQ(fused.ids(0, 0), 2u);
  EXPECT_EQ(fused.ids(0, 1), 4u);
  EXPECT_EQ(fused.ids(0, 2), 7u);
  EXPECT_FLOAT_EQ(fused.distances(0, 0), static_cast<float>(-1.0 / 62 - 1.0 / 61));
  EXPECT_EQ(fuse(results, {.k = 4}).ids(0, 3), kNoId);
}

}  // namespace
}  // namespace kith
