#include "learn/loss/maxsim.h"

#include <gmock/gmock.h>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"
#include "learn/threads.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

TokenSets sets(const Tensor& vectors, const std::vector<std::int64_t>& begin) {
  return {vectors, begin};
}

const std::vector<std::int64_t> kQueryBegin = {0, 2, 5, 6},
                                kDocumentBegin = {0, 3, 4, 8, 9, 12, 14};

// Set by set and vector by vector.
double plain_maxsim(const TokenSets& queries, std::int64_t q, const TokenSets& documents,
                    std::int64_t d) {
  const Rows a = rows_of(queries.vectors), b = rows_of(documents.vectors);
  double sum = 0;
  for (auto i = queries.begin[q]; i < queries.begin[q + 1]; ++i) {
    double best = -1e300;
    for (auto j = documents.begin[d]; j < documents.begin[d + 1]; ++j) {
      best =
          std::max(best, plain_dot(a[static_cast<std::size_t>(i)], b[static_cast<std::size_t>(j)]));
    }
    sum += best;
  }
  return sum;
}

class MaxSimOfSets : public testing::Test {
 protected:
  static void use(std::size_t threads) {
    set_threads({.threads = threads, .cancel = nullptr, .progress = {}});
  }
  void SetUp() override { use(2); }

  const TokenSets queries_ = sets(random_tensor({6, 5}, 1), kQueryBegin);
  const TokenSets documents_ = sets(random_tensor({14, 5}, 2), kDocumentBegin);
};

TEST_F(MaxSimOfSets, IsTheSumOfTheBestProducts) {
  const Tensor all = maxsim_scores(queries_, documents_);
  const Tensor own = own_maxsim_scores(queries_, documents_);
  ASSERT_EQ(all.sizes(), (std::vector<std::int64_t>{3, 6}));
  ASSERT_EQ(own.sizes(), (std::vector<std::int64_t>{3, 2}));
  for (std::int64_t q = 0; q < 3; ++q) {
    for (std::int64_t d = 0; d < 6; ++d) {
      const double wanted = plain_maxsim(queries_, q, documents_, d);
      EXPECT_NEAR(all[q][d].item<double>(), wanted, 1e-12);
      if (d / 2 == q) {
        EXPECT_NEAR(own[q][d % 2].item<double>(), wanted, 1e-12);
      }
    }
  }
}

TEST_F(MaxSimOfSets, HasTheSlopesThatAreMeasuredOnAnyNumberOfThreads) {
  const Tensor weights = random_tensor({3, 6}, 3), own_weights = random_tensor({3, 2}, 4);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    use(threads);
    expect_gradients(
        [&](const std::vector<Tensor>& x) {
          const TokenSets q = sets(x[0], kQueryBegin), d = sets(x[1], kDocumentBegin);
          return (maxsim_scores(q, d) * weights).sum() +
                 (own_maxsim_scores(q, d) * own_weights).square().sum();
        },
        {queries_.vectors, documents_.vectors});
  }
}

TEST_F(MaxSimOfSets, OfSetsOfOneVectorGiveInfoNceOfVectors) {
  const Tensor q = random_tensor({4, 5}, 1), p = random_tensor({4, 5}, 2),
               n = random_tensor({8, 5}, 3);
  const auto single = [](const Tensor& x) {
    TokenSets all{.vectors = unit(x)};
    for (std::int64_t i = 1; i <= x.size(0); ++i) all.begin.push_back(i);
    return all;
  };
  const EmbeddedSets of_sets{single(q), single(p), single(n)};
  const Embedded of_vectors{.queries = q, .positives = p, .negatives = n.view({4, 2, 5})};
  for (const auto& [in_batch, others] : {std::pair(true, true), {true, false}, {false, false}}) {
    const InfoNceOptions options{.in_batch = in_batch, .others_negatives = others};
    EXPECT_LT((candidate_scores(of_sets, options) - candidate_scores(of_vectors, options))
                  .abs()
                  .max()
                  .item<double>(),
              1e-12);
  }
}

TEST_F(MaxSimOfSets, ScoresOfCandidatesAreOfAQuerysVector) {
  const EmbeddedSets batch{queries_, documents_.slice(0, 3), documents_.slice(3, 3)};
  const Tensor scores = candidate_scores(batch);
  ASSERT_EQ(scores.sizes(), (std::vector<std::int64_t>{3, 6}));
  EXPECT_NEAR(scores[1][4].item<double>(), plain_maxsim(queries_, 1, documents_, 4) / 3, 1e-12);
}

TEST_F(MaxSimOfSets, RefusesWhatIsNoSet) {
  const auto error = [&](const TokenSets& q, const TokenSets& d) {
    return error_of([&] { maxsim_scores(q, d); });
  };
  EXPECT_THAT(error(queries_, sets(random_tensor({3, 4}, 1), {0, 3})),
              HasSubstr("documents: [3, 4], expected [1 or more, 5]"));
  EXPECT_THAT(error(sets(random_tensor({3, 5}, 1), {0, 2, 2, 3}), documents_),
              HasSubstr("queries: set 1 is empty"));
  EXPECT_THAT(error(sets(random_tensor({3, 5}, 1), {0, 2}), documents_),
              HasSubstr("sets of 2 vectors, but there are 3"));
  EXPECT_THAT(error(queries_, {}), HasSubstr("no sets"));
  EXPECT_THAT(error_of([&] { own_maxsim_scores(queries_, documents_.slice(0, 4)); }),
              HasSubstr("4 documents of 3 queries"));
}

}  // namespace
}  // namespace kith::learn
