// What fixed dimensional encodings are compared with: the single-vector heuristic and PLAID.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "index/plaid.h"
#include "index/test_sets.h"
#include "index/token_candidates.h"
#include "kith/exact.h"
#include "kith/maxsim.h"

namespace kith {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Neighbours nearest_vectors(const VectorSetRows& base, const VectorSetRows& queries, std::size_t k) {
  ExactOptions options;
  options.k = k;
  options.metric = Metric::ip;
  return exact_search(base.vectors, queries.vectors, options);
}

TEST(TokenCandidates, AreTheSetsOfTheNearestVectorsRankByRank) {
  const std::vector<std::uint64_t> offsets{0, 2, 3, 6};  // sets of 2, 1 and 3 vectors
  const std::vector<std::uint64_t> one_query{0, 2};
  Matrix<float> unused(2, 4);
  const VectorSetsView queries{one_query, unused};
  Neighbours nearest(2, 3);
  const Id ids[2][3] = {{5, 0, 4}, {2, 1, kNoId}};
  const float distances[2][3] = {{-3, -2, -1}, {-4, -2, 0}};
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      nearest.ids(i, j) = ids[i][j];
      nearest.distances(i, j) = distances[i][j];
    }
  }
  const RangeNeighbours once = token_candidates(nearest, queries, offsets);
  EXPECT_THAT(once.ids, ElementsAre(1, 2, 0));
  EXPECT_THAT(once.distances, ElementsAre(-4, -3, -2));
  EXPECT_THAT(once.offsets, ElementsAre(0, 3));
  EXPECT_THAT(token_candidates(nearest, queries, offsets, false).ids, ElementsAre(1, 2, 0, 0, 2));
}

TEST(TokenCandidates, OfAllVectorsAreAllSets) {
  const VectorSetRows base = random_sets(20, 1, 5, 8, 1), queries = random_sets(6, 1, 4, 8, 2);
  const Neighbours nearest = nearest_vectors(base, queries, base.vectors.rows());
  const RangeNeighbours found = token_candidates(nearest, queries, base.offsets);
  for (std::size_t q = 0; q < 6; ++q) EXPECT_EQ(found.offsets[q + 1] - found.offsets[q], 20u);
}

TEST(TokenCandidates, ShapesThatDoNotFitAreRefused) {
  const VectorSetRows base = random_sets(20, 2, 5, 8, 1), queries = random_sets(6, 2, 4, 8, 2);
  const Neighbours nearest = nearest_vectors(base, queries, 3);
  EXPECT_THAT(error_of([&] { token_candidates(nearest, base, base.offsets); }),
              HasSubstr("lists of neighbours"));
  const std::vector<std::uint64_t> few{0, 1};
  EXPECT_THAT(error_of([&] { token_candidates(nearest, queries, few); }),
              HasSubstr("but the sets have 1"));
}

TEST(Plaid, LookingAtEverythingGivesMaxSimOfWhatIsStored) {
  const VectorSetRows base = random_sets(120, 2, 9, 16, 1), queries = random_sets(9, 1, 6, 16, 2);
  const auto tokens = TokenStore::build(base.vectors, {.codec = "residual4", .centroids = 32});
  VectorSetRows stored = random_sets(120, 2, 9, 16, 1);
  tokens->load(0, stored.vectors.rows(), stored.vectors.data(),
               stored.vectors.stride_bytes() / sizeof(float));
  PlaidOptions options;
  options.probes = 32;
  options.threshold = -1e9f;
  options.candidates = 4 * 120;
  const Neighbours found = Plaid(*tokens, base.offsets).search(queries, 7, options);
  const Neighbours truth = exact_maxsim(stored, queries, {.k = 7});
  for (std::size_t q = 0; q < 9; ++q) {
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(found.ids(q, i), truth.ids(q, i));
      EXPECT_EQ(found.distances(q, i), truth.distances(q, i));
    }
  }
}

TEST(Plaid, CandidatesAreRankedByTheMaxSimOfTheirCentroids) {
  const VectorSetRows base = random_sets(60, 2, 9, 16, 1), queries = random_sets(4, 1, 6, 16, 2);
  const auto tokens = TokenStore::build(base.vectors, {.codec = "residual2", .centroids = 20});
  VectorSetRows centroids = random_sets(60, 2, 9, 16, 1);
  const Residual& residual = *tokens->residual();
  for (std::size_t t = 0; t < centroids.vectors.rows(); ++t) {
    std::copy_n(residual.centroids().row(residual.centroid_of(t)), 16, centroids.vectors.row(t));
  }
  PlaidOptions options;
  options.probes = 20;
  options.threshold = -1e9f;
  options.candidates = 4 * 60;
  const RangeNeighbours found = Plaid(*tokens, base.offsets).candidates(queries, options);
  for (std::size_t q = 0; q < 4; ++q) {
    ASSERT_EQ(found.offsets[q + 1] - found.offsets[q], 60u);
    for (std::size_t i = found.offsets[q]; i < found.offsets[q + 1]; ++i) {
      const AnyMatrixView set = centroids.view().set(found.ids[i]);
      EXPECT_NEAR(-found.distances[i], slow_maxsim(queries.view().set(q), set), 1e-4);
    }
  }
}

TEST(Plaid, ParallelSearchesGiveTheSameBits) {
  const VectorSetRows base = random_sets(200, 2, 9, 16, 1), queries = random_sets(20, 3, 6, 16, 2);
  const auto tokens = TokenStore::build(base.vectors, {.codec = "residual2"});
  const Plaid plaid(*tokens, base.offsets);
  PlaidOptions options;
  options.control = on_threads(1);
  const Neighbours one = plaid.search(queries, 5, options);
  options.control = on_threads(4);
  const Neighbours many = plaid.search(queries, 5, options);
  for (std::size_t q = 0; q < 20; ++q) {
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(one.ids(q, i), many.ids(q, i));
  }
}

TEST(Plaid, TokensWithoutCentroidsAreRefused) {
  const VectorSetRows base = random_sets(10, 2, 9, 16, 1);
  const auto tokens = TokenStore::build(base.vectors, {.codec = "lvq8"});
  EXPECT_EQ(error_of([&] { Plaid(*tokens, base.offsets); }),
            "plaid: vectors are stored as lvq8, expected centroids and residuals: residual4 or "
            "residual2");
}

}  // namespace
}  // namespace kith
