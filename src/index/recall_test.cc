#include <gtest/gtest.h>

#include "kith/error.h"
#include "kith/exact.h"

namespace kith {
namespace {

Neighbours lists(const std::vector<std::vector<Id>>& ids,
                 const std::vector<std::vector<float>>& distances = {}) {
  Neighbours result;
  result.ids = Matrix<Id>(ids.size(), ids[0].size());
  if (!distances.empty()) result.distances = Matrix<float>(ids.size(), ids[0].size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < ids[i].size(); ++j) {
      result.ids(i, j) = ids[i][j];
      if (!distances.empty()) result.distances(i, j) = distances[i][j];
    }
  }
  return result;
}

TEST(RecallAt, CountsTheShareOfTrueNeighboursReturned) {
  const Neighbours truth = lists({{1, 2, 3}, {4, 5, 6}});
  const Neighbours found = lists({{3, 1, 9}, {4, 5, 6}});
  EXPECT_DOUBLE_EQ(recall_at(found, truth, 3), (2.0 / 3 + 1) / 2);
  EXPECT_DOUBLE_EQ(recall_at(found, truth, 1), 0.5);
}

TEST(RecallAt, AcceptsVectorsThatTieForTheLastPlace) {
  const Neighbours truth = lists({{1, 2, 3, 4}}, {{0.5f, 1, 1.000001f, 2}});
  EXPECT_DOUBLE_EQ(recall_at(lists({{1, 3}}), truth, 2), 1);
  EXPECT_DOUBLE_EQ(recall_at(lists({{2, 3}}), truth, 2), 1);
  EXPECT_DOUBLE_EQ(recall_at(lists({{1, 4}}), truth, 2), 0.5);
}

TEST(RecallAt, TiesAreFoundAmongNegativeDistancesToo) {
  const Neighbours truth = lists({{1, 2, 3}}, {{-3, -2, -2}});
  EXPECT_DOUBLE_EQ(recall_at(lists({{1, 3}}), truth, 2), 1);
}

TEST(RecallAt, WithoutDistancesOnlyTheFirstKCount) {
  EXPECT_DOUBLE_EQ(recall_at(lists({{1, 3}}), lists({{1, 2, 3}}), 2), 0.5);
}

TEST(RecallAt, CountsARepeatedIdOnce) {
  EXPECT_DOUBLE_EQ(recall_at(lists({{1, 1}}), lists({{1, 2}}), 2), 0.5);
}

TEST(RecallAt, ShortTruthIsMeasuredByItsOwnLength) {
  const Neighbours truth = lists({{7, kNoId, kNoId}});
  EXPECT_DOUBLE_EQ(recall_at(lists({{7, kNoId, kNoId}}), truth, 3), 1);
  EXPECT_DOUBLE_EQ(recall_at(lists({{8, kNoId, kNoId}}), truth, 3), 0);
}

TEST(RecallAt, CountsWhatIsRightAmongMoreCandidates) {
  const Neighbours truth = lists({{1, 2, 3}}), found = lists({{9, 2, 8, 1}});
  EXPECT_DOUBLE_EQ(recall_at(found, truth, 2), 0.5);
  EXPECT_DOUBLE_EQ(recall_at(found, truth, 2, 3), 0.5);
  EXPECT_DOUBLE_EQ(recall_at(found, truth, 2, 4), 1);
}

TEST(RecallAt, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(recall_at(lists({{1, 2}}), lists({{1, 2}}), 2, 1), Error);
  EXPECT_THROW(recall_at(lists({{1, 2}}), lists({{1, 2}}), 2, 3), Error);
  EXPECT_THROW(recall_at(lists({{1}}), lists({{1}}), 0), Error);
  EXPECT_THROW(recall_at(lists({{1}}), lists({{1}, {2}}), 1), Error);
  EXPECT_THROW(recall_at(lists({{1}}), lists({{1, 2}}), 2), Error);
  EXPECT_THROW(recall_at(lists({{1, 2}}), lists({{1}}), 2), Error);
}

}  // namespace
}  // namespace kith
