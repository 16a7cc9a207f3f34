#include "kith/maxsim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>

#include "base/test_error.h"
#include "base/test_rows.h"
#include "index/test_sets.h"

namespace kith {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MaxSim, IsTheSumOfTheLargestProducts) {
  const bool held = rc::check("", [] {
    const std::size_t dim = *rc::gen::elementOf(std::vector<std::size_t>{1, 5, 64, 128, 300});
    const std::size_t m = *rc::gen::inRange<std::size_t>(1, 70);
    const std::size_t n = *rc::gen::inRange<std::size_t>(1, 60);
    const Matrix<float> query = normal_rows(m, dim, 1), document = normal_rows(n, dim, 2);
    const double expected = slow_maxsim(query, document);
    RC_ASSERT(std::abs(maxsim(query, document) - expected) < 1e-5 * static_cast<double>(m * dim));
  });
  EXPECT_TRUE(held);
}

TEST(MaxSim, OfHalfFloatsIsThatOfTheirValues) {
  const Matrix<float> query = normal_rows(9, 40, 1), document = normal_rows(21, 40, 2);
  Matrix<Half> half(21, 40);
  Matrix<float> same(21, 40);
  for (std::size_t i = 0; i < 21; ++i) {
    for (std::size_t j = 0; j < 40; ++j) {
      half(i, j) = Half(document(i, j));
      same(i, j) = static_cast<float>(half(i, j));
    }
  }
  EXPECT_EQ(maxsim(query, half), maxsim(query, same));
}

TEST(MaxSim, NeedNotBeSymmetric) {
  Matrix<float> one(1, 2), two(2, 2);
  one(0, 0) = two(0, 0) = 1;
  two(1, 1) = 1;
  EXPECT_EQ(maxsim(one, two), 1);
  EXPECT_EQ(maxsim(two, one), 1);
  one(0, 1) = -1;
  EXPECT_EQ(maxsim(one, two), 1);
  EXPECT_EQ(maxsim(two, one), 0);
}

TEST(ExactMaxSim, FindsWhatScoringEveryPairFinds) {
  const VectorSetRows base = random_sets(200, 1, 40, 24, 1),
                      queries = random_sets(30, 1, 50, 24, 2);
  const Neighbours found = exact_maxsim(base, queries, {.k = 10});
  for (std::size_t q = 0; q < found.queries(); ++q) {
    std::vector<std::pair<double, Id>> all;
    for (std::size_t i = 0; i < 200; ++i) {
      all.emplace_back(-slow_maxsim(queries.view().set(q), base.view().set(i)), i);
    }
    std::sort(all.begin(), all.end());
    for (std::size_t r = 0; r < 10; ++r) {
      EXPECT_NEAR(found.distances(q, r), all[r].first, 1e-3) << q << ", " << r;
      EXPECT_NEAR(-slow_maxsim(queries.view().set(q), base.view().set(found.ids(q, r))),
                  all[r].first, 1e-3);
    }
  }
}

TEST(ExactMaxSim, ParallelAndGroupedQueriesGiveTheSameBits) {
  const VectorSetRows base = random_sets(150, 1, 30, 100, 1);
  const VectorSetRows queries = random_sets(60, 20, 40, 100, 2);  // of several blocks
  const Neighbours one = exact_maxsim(base, queries, {.k = 5, .control = on_threads(1)});
  const Neighbours many = exact_maxsim(base, queries, {.k = 5, .control = on_threads(4)});
  for (std::size_t q = 0; q < one.queries(); ++q) {
    const Neighbours alone = exact_maxsim(base, queries.view().slice(q, 1), {.k = 5});
    for (std::size_t r = 0; r < 5; ++r) {
      EXPECT_EQ(one.ids(q, r), many.ids(q, r));
      EXPECT_EQ(one.distances(q, r), many.distances(q, r));
      EXPECT_EQ(one.ids(q, r), alone.ids(0, r));
      EXPECT_EQ(one.distances(q, r), alone.distances(0, r));
    }
  }
}

TEST(ExactMaxSim, EqualSetsTieById) {
  VectorSetRows base = random_sets(1, 3, 3, 8, 1);
  Matrix<float> twice(6, 8);
  for (std::size_t i = 0; i < 6; ++i) std::copy_n(base.vectors.row(i % 3), 8, twice.row(i));
  base.vectors = std::move(twice);
  base.offsets = {0, 3, 6};
  const Neighbours found = exact_maxsim(base, random_sets(1, 2, 2, 8, 2), {.k = 3});
  EXPECT_EQ(found.ids(0, 0), 0u);
  EXPECT_EQ(found.ids(0, 1), 1u);
  EXPECT_EQ(found.ids(0, 2), kNoId);
}

TEST(ExactMaxSim, RefusesWhatIsNoSetWithItsName) {
  const VectorSetRows base = random_sets(3, 2, 2, 8, 1), queries = random_sets(2, 2, 2, 8, 2);
  VectorSetRows broken = random_sets(3, 2, 2, 8, 1);
  broken.offsets = {0, 2, 2, 6};
  EXPECT_EQ(error_of([&] { exact_maxsim(base, broken); }),
            "query set 1 is empty, expected a vector");
  broken.offsets = {0, 4, 2, 6};
  EXPECT_EQ(error_of([&] { exact_maxsim(broken, queries); }),
            "base set 1 would be vectors 4 to 2 of 6, expected offsets that ascend");
  broken.offsets = {0, 2, 4, 7};
  EXPECT_THAT(error_of([&] { exact_maxsim(broken, queries); }), HasSubstr("vectors 4 to 7 of 6"));
  broken.offsets = {0, 2, 4, 6};
  broken.vectors(5, 3) = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of([&] { exact_maxsim(broken, queries); }),
              HasSubstr("base row 5, column 3: inf, expected a finite number"));
  EXPECT_THAT(error_of([&] { exact_maxsim({}, queries); }), HasSubstr("the base is empty"));
  EXPECT_EQ(error_of([&] { exact_maxsim(base, random_sets(2, 2, 2, 7, 2)); }),
            "queries: 7 dimensions, but the base has 8");
}

TEST(Carve, GroupsWhatIsNearTheFirstLeftAndAddsItUp) {
  Matrix<float> x(4, 2);
  x(0, 0) = 1;                     // takes row 2
  x(1, 1) = 1;                     // takes row 3
  x(2, 0) = 0.8f, x(2, 1) = 0.6f;  // near row 0, and no less near row 1
  x(3, 0) = -0.6f, x(3, 1) = 0.8f;
  const std::vector<std::uint64_t> offsets{0, 4};
  const VectorSetRows carved = carve({offsets, x}, 0.7f);
  EXPECT_THAT(carved.offsets, ElementsAre(0, 2));
  EXPECT_FLOAT_EQ(carved.vectors(0, 0), 1.8f);
  EXPECT_FLOAT_EQ(carved.vectors(0, 1), 0.6f);
  EXPECT_FLOAT_EQ(carved.vectors(1, 0), -0.6f);
  EXPECT_FLOAT_EQ(carved.vectors(1, 1), 1.8f);
}

TEST(Carve, KeepsTheSumOfEverySet) {
  const bool held = rc::check("", [] {
    const float threshold = *rc::gen::elementOf(std::vector<float>{-2, 0, 0.3f, 0.7f, 2});
    const VectorSetRows sets = random_sets(5, 1, 20, 6, 3);
    const VectorSetRows carved = carve(sets, threshold);
    RC_ASSERT(carved.view().size() == 5u);
    for (std::size_t i = 0; i < 5; ++i) {
      RC_ASSERT(carved.view().length(i) <= sets.view().length(i));
      for (std::size_t j = 0; j < 6; ++j) {
        double before = 0, after = 0;
        for (std::size_t r = sets.offsets[i]; r < sets.offsets[i + 1]; ++r) {
          before += sets.vectors(r, j);
        }
        for (std::size_t r = carved.offsets[i]; r < carved.offsets[i + 1]; ++r) {
          after += carved.vectors(r, j);
        }
        RC_ASSERT(std::abs(before - after) < 1e-4);
      }
    }
  });
  EXPECT_TRUE(held);
}

TEST(Carve, AThresholdBeyondEveryProductChangesNothing) {
  const VectorSetRows sets = random_sets(4, 1, 9, 6, 3), carved = carve(sets, 1e9f);
  EXPECT_EQ(carved.offsets, sets.offsets);
  for (std::size_t i = 0; i < sets.vectors.rows(); ++i) {
    for (std::size_t j = 0; j < 6; ++j) EXPECT_EQ(carved.vectors(i, j), sets.vectors(i, j));
  }
}

}  // namespace
}  // namespace kith
