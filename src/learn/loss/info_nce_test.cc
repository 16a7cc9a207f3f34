#include "learn/loss/info_nce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

constexpr std::int64_t kBatch = 5, kEach = 2, kDim = 4;

Embedded embedded(std::uint64_t seed, std::int64_t each = kEach, std::int64_t batch = kBatch) {
  return {random_tensor({batch, kDim}, seed), random_tensor({batch, kDim}, seed + 1),
          each == 0 ? Tensor() : random_tensor({batch, each, kDim}, seed + 2)};
}

// Row i's candidates but its own positive, as (column, vector).
std::vector<std::pair<std::size_t, Row>> others(const Embedded& batch,
                                                const InfoNceOptions& options, std::size_t i) {
  const Rows positives = rows_of(batch.positives);
  const Rows negatives = batch.negatives.defined() ? rows_of(batch.negatives) : Rows{};
  const std::size_t each = negatives.size() / positives.size();
  std::vector<std::pair<std::size_t, Row>> found;
  std::size_t column = 0;
  for (std::size_t j = 0; j < positives.size(); ++j) {
    if (!options.in_batch && j != i) continue;
    if (j != i) found.emplace_back(column, positives[j]);
    ++column;
  }
  for (std::size_t j = 0; j < negatives.size(); ++j) {
    if (!(options.in_batch && options.others_negatives) && j / each != i) continue;
    found.emplace_back(column++, negatives[j]);
  }
  return found;
}

double plain(const Embedded& batch, const InfoNceOptions& options, const Rows& masked = {},
             const Row& weights = {}) {
  const auto like = [&](const Row& a, const Row& b) {
    return options.similarity == Similarity::cosine ? plain_cosine(a, b) : plain_dot(a, b);
  };
  const Rows queries = rows_of(batch.queries), positives = rows_of(batch.positives);
  double sum = 0, mass = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const double own = like(queries[i], positives[i]);
    double forward = 1, backward = 1;
    for (const auto& [column, vector] : others(batch, options, i)) {
      const double score = like(queries[i], vector);
      if (!masked.empty() && masked[i][column] != 0) continue;
      if (options.margin && score > own + *options.margin) continue;
      forward += std::exp((score - own) / options.temperature);
    }
    for (std::size_t j = 0; j < queries.size(); ++j) {
      const double score = like(queries[j], positives[i]);
      if (j == i || (!masked.empty() && masked[j][i] != 0)) continue;
      if (options.margin && score > own + *options.margin) continue;
      backward += std::exp((score - own) / options.temperature);
    }
    const double weight = weights.empty() ? 1 : weights[i];
    mass += weight;
    sum += weight *
           (options.symmetric ? (std::log(forward) + std::log(backward)) / 2 : std::log(forward));
  }
  return sum / mass;
}

std::vector<InfoNceOptions> settings() {
  return {{},
          {.temperature = 0.5, .others_negatives = false},
          {.in_batch = false},
          {.temperature = 1, .similarity = Similarity::dot},
          {.symmetric = true},
          {.margin = 0.1},
          {.temperature = 0.2, .symmetric = true, .margin = 0}};
}

TEST(InfoNce, EqualsThePlainSum) {
  for (const InfoNceOptions& options : settings()) {
    for (const std::int64_t each : {0, 1, 3}) {
      if (each == 0 && !options.in_batch) continue;
      const Embedded batch = embedded(7, each);
      const double expected = plain(batch, options);
      EXPECT_NEAR(value(info_nce(batch, options)), expected, 1e-12 * std::max(1.0, expected));
    }
  }
}

TEST(InfoNce, HasTheGradientThatIsMeasured) {
  for (const InfoNceOptions& options : settings()) {
    const Embedded batch = embedded(11);
    expect_gradients(
        [&](const std::vector<Tensor>& x) {
          return info_nce({x[0], x[1], x[2]}, options);
        },
        {batch.queries, batch.positives, batch.negatives});
  }
}

TEST(InfoNce, SumsOverTheCandidatesThatItShows) {
  for (const InfoNceOptions& options : settings()) {
    const Embedded batch = embedded(3);
    const Tensor scores = candidate_scores(batch, options);
    const std::int64_t columns = !options.in_batch          ? 1 + kEach
                                 : options.others_negatives ? kBatch * (1 + kEach)
                                                            : kBatch + kEach;
    EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{kBatch, columns}));
    if (options.symmetric || options.margin) continue;
    double sum = 0;
    const Rows rows = rows_of(scores / options.temperature);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sum -= std::log(plain_softmax(rows[i], options.in_batch ? i : 0));
    }
    EXPECT_NEAR(value(info_nce(batch, options)), sum / kBatch, 1e-12 * std::max(1.0, sum));
  }
}

TEST(InfoNce, LeavesOutWhatTheCallerMasks) {
  const Embedded batch = embedded(5);
  Tensor masked = random_tensor({kBatch, kBatch * (1 + kEach)}, 9) > 0.3;
  for (const bool symmetric : {false, true}) {
    const InfoNceOptions options{.symmetric = symmetric};
    const double loss = value(info_nce(batch, options, {.masked = masked}));
    EXPECT_NEAR(loss, plain(batch, options, rows_of(masked)), 1e-12 * std::max(1.0, loss));
  }
}

TEST(InfoNce, IsZeroWhenAllElseIsMaskedOrThereIsNothingElse) {
  Embedded batch = embedded(5);
  batch.queries.requires_grad_();
  const Tensor all = torch::ones({kBatch, kBatch * (1 + kEach)}, torch::kBool);
  const Tensor masked = info_nce(batch, {.symmetric = true}, {.masked = all});
  EXPECT_EQ(value(masked), 0);
  masked.backward();
  EXPECT_EQ(value(batch.queries.grad().abs().max()), 0);
  EXPECT_EQ(value(info_nce(embedded(5, 0, 1))), 0);
  EXPECT_EQ(value(info_nce({batch.queries, batch.positives, torch::empty({kBatch, 0, kDim})})),
            value(info_nce({batch.queries, batch.positives, {}})));
}

TEST(InfoNce, LetsAGuideJudgeInsteadOfItself) {
  const Embedded batch = embedded(5);
  const Tensor scores = candidate_scores(batch);
  EXPECT_EQ(value(info_nce(batch, {.margin = 0.1}, {.guide = scores})),
            value(info_nce(batch, {.margin = 0.1})));
  EXPECT_EQ(value(info_nce(batch, {}, {.guide = scores})), value(info_nce(batch, {.margin = 0})));
  EXPECT_EQ(value(info_nce(batch, {}, {.guide = torch::zeros_like(scores)})),
            value(info_nce(batch)));
}

TEST(InfoNce, WeighsRows) {
  const Embedded batch = embedded(5);
  const Row weights{1, 0, 2, 0.5, 3};
  for (const bool symmetric : {false, true}) {
    const InfoNceOptions options{.symmetric = symmetric};
    EXPECT_NEAR(value(info_nce(batch, options, {.weights = doubles(weights)})),
                plain(batch, options, {}, weights), 1e-12);
  }
  EXPECT_EQ(value(info_nce(batch, {}, {.weights = torch::zeros({kBatch})})), 0);
}

TEST(InfoNce, DoesNotDependOnTheOrderOfTheBatch) {
  const Embedded batch = embedded(5);
  const Tensor order = ids({3, 0, 4, 2, 1});
  const Embedded moved{batch.queries.index_select(0, order), batch.positives.index_select(0, order),
                       batch.negatives.index_select(0, order)};
  for (const InfoNceOptions& options : settings()) {
    EXPECT_NEAR(value(info_nce(moved, options)), value(info_nce(batch, options)), 1e-12);
  }
}

TEST(InfoNce, DoesNotDependOnLengthsUnderCosine) {
  const Embedded batch = embedded(5);
  const Tensor factors = random_tensor({kBatch, 1}, 8).exp();
  const Embedded scaled{batch.queries * factors, batch.positives * 3, batch.negatives * 0.5};
  EXPECT_NEAR(value(info_nce(scaled)), value(info_nce(batch)), 1e-12);
}

TEST(InfoNce, ApproachesZeroWherePositivesStandApart) {
  const Tensor apart = torch::eye(kBatch, torch::kDouble);
  EXPECT_LT(value(info_nce({apart, apart, {}})), 1e-7);
  EXPECT_GT(value(info_nce({apart, apart.roll(1, 0), {}})), 19);
}

TEST(InfoNce, IsTheLogOfTheirNumberWhereTextsAreEqual) {
  const Tensor same = torch::ones({kBatch, kDim}, torch::kDouble);
  EXPECT_NEAR(value(info_nce({same, same, {}})), std::log(double{kBatch}), 1e-12);
}

TEST(InfoNce, GivesZeroVectorsAZeroGradient) {
  Tensor queries = random_tensor({kBatch, kDim}, 1);
  queries[2].zero_();
  queries.requires_grad_();
  const Tensor loss = info_nce({queries, random_tensor({kBatch, kDim}, 2), {}});
  loss.backward();
  EXPECT_TRUE(std::isfinite(value(loss)));
  EXPECT_TRUE(torch::isfinite(queries.grad()).all().item<bool>());
  EXPECT_EQ(value(queries.grad()[2].abs().max()), 0);
}

TEST(InfoNce, RefusesWhatDoesNotFit) {
  const Embedded good = embedded(5);
  const Tensor q = good.queries, p = good.positives, n = good.negatives;
  const auto error = [](const Embedded& batch, const InfoNceOptions& options = {},
                        const InfoNceHints& hints = {}) {
    return error_of([&] { info_nce(batch, options, hints); });
  };
  EXPECT_EQ(error({q, p.narrow(0, 0, 3), {}}), "info_nce: positives: [3, 4], expected [5, 4]");
  EXPECT_EQ(error({q, p.narrow(1, 0, 3), {}}), "info_nce: positives: [5, 3], expected [5, 4]");
  EXPECT_EQ(error({q, {}, {}}), "info_nce: positives: undefined, expected [5, 4]");
  EXPECT_EQ(error({q.narrow(0, 0, 0), p.narrow(0, 0, 0), {}}),
            "info_nce: queries: [0, 4], expected [1 or more, 1 or more]");
  EXPECT_EQ(error({q, p, n.narrow(0, 0, 2)}),
            "info_nce: negatives: [2, 2, 4], expected [5, 1 or more, 4]");
  EXPECT_EQ(error(good, {.temperature = 0}),
            "info_nce: temperature: 0, expected a finite number above 0");
  for (const double bad : {-1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_NE(error(good, {.temperature = bad}), "") << bad;
  }
  EXPECT_NE(error(good, {.margin = std::nan("")}), "");
  EXPECT_EQ(error({q, p, {}}, {.in_batch = false}),
            "info_nce: 0 negatives each, expected 1 or more without in-batch candidates");
  EXPECT_NE(error(good, {.in_batch = false, .symmetric = true}), "");
  EXPECT_EQ(error(good, {}, {.weights = torch::ones({4})}), "info_nce: weights: [4], expected [5]");
  EXPECT_EQ(error(good, {}, {.guide = torch::ones({5, 5})}),
            "info_nce: guide: [5, 5], expected [5, 15]");
  EXPECT_EQ(error(good, {}, {.masked = torch::ones({5, 5})}),
            "info_nce: masked: [5, 5], expected [5, 15]");
  EXPECT_EQ(error(good, {}, {.masked = torch::ones({5, 15})}),
            "info_nce: masked is not of type bool");
}

}  // namespace
}  // namespace kith::learn
