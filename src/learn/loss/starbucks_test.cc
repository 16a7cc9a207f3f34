#include "learn/loss/starbucks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/info_nce.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

Embedded layer(std::uint64_t seed) {
  return {random_tensor({3, 6}, seed), random_tensor({3, 6}, seed + 1),
          random_tensor({3, 2, 6}, seed + 2)};
}

std::vector<StarbucksLayer> layers() { return {{layer(1), 2}, {layer(4), 4}, {layer(7), 6}}; }

std::vector<StarbucksLayer> layers_of(const std::vector<Tensor>& x) {
  std::vector<StarbucksLayer> result = layers();
  for (std::size_t k = 0; k < x.size() / 3; ++k) {
    result[k].embedded = {x[3 * k], x[3 * k + 1], x[3 * k + 2]};
  }
  return result;
}

// Queries, positives and negatives of the first `count` layers.
std::vector<Tensor> inputs(std::size_t count) {
  std::vector<Tensor> found;
  for (std::size_t k = 0; k < count; ++k) {
    const Embedded x = layers()[k].embedded;
    found.insert(found.end(), {x.queries, x.positives, x.negatives});
  }
  return found;
}

Tensor base(const Embedded& x) { return info_nce(x, {.temperature = 0.5}); }

double plain_kl(const Row& student, const Row& teacher) {
  double sum = 0;
  for (std::size_t j = 0; j < student.size(); ++j) {
    const double p = plain_softmax(teacher, j);
    sum += p * std::log(p / plain_softmax(student, j));
  }
  return sum;
}

Rows plain_scores(const StarbucksLayer& at, const StarbucksOptions& options) {
  Rows scores;
  const auto cut = [&](Row row) {
    row.resize(static_cast<std::size_t>(at.width));
    return row;
  };
  for (const Row& query : rows_of(at.embedded.queries)) {
    Row row;
    for (const Tensor& passages : {at.embedded.positives, at.embedded.negatives}) {
      for (const Row& passage : rows_of(passages)) {
        const Row q = cut(query), p = cut(passage);
        const bool cosine = options.similarity == Similarity::cosine;
        row.push_back((cosine ? plain_cosine(q, p) : plain_dot(q, p)) / options.temperature);
      }
    }
    scores.push_back(row);
  }
  return scores;
}

TEST(Starbucks, EqualsThePlainSumForRetrieval) {
  for (const StarbucksOptions& options :
       {StarbucksOptions{}, StarbucksOptions{0.5, Similarity::cosine, 2},
        StarbucksOptions{.alignment = 0}}) {
    double sum = 0;
    const Rows full = plain_scores(layers()[2], options);
    for (const StarbucksLayer& at : layers()) {
      const Rows scores = plain_scores(at, options);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        sum -= std::log(plain_softmax(scores[i], i)) / 3;
        sum += options.alignment * plain_kl(scores[i], full[i]) / 3;  // 0 for the full size
      }
    }
    EXPECT_NEAR(value(starbucks_retrieval(layers(), options)), sum, 1e-11);
  }
}

TEST(Starbucks, EqualsThePlainSumForPairs) {
  const auto at = layers();
  double bases = 0, divergence = 0;
  for (const auto& [embedded, width] : at) {
    bases += value(base(truncated(embedded, width, true)));
    const Rows teacher = rows_of(all_texts(truncated(at.back().embedded, width, false)));
    const Rows student = rows_of(all_texts(truncated(embedded, width, false)));
    for (std::size_t i = 0; i < student.size(); ++i) {
      divergence += plain_kl(student[i], teacher[i]) / static_cast<double>(student.size());
    }
  }
  EXPECT_NEAR(value(starbucks_pairs(at, base)), bases + 0.3 * divergence, 1e-11);
  EXPECT_NEAR(value(starbucks_pairs(at, base, 2)), bases + 2 * divergence, 1e-11);
  EXPECT_NEAR(value(starbucks_pairs(at, base, 0)), bases, 1e-11);
}

TEST(Starbucks, HasTheGradientThatIsMeasured) {
  expect_gradients([](const std::vector<Tensor>& x) { return starbucks_pairs(layers_of(x), base); },
                   inputs(3));
  expect_gradients(
      [](const std::vector<Tensor>& x) {
        return starbucks_retrieval(layers_of(x), {.alignment = 0});
      },
      inputs(3));
  // The full size is a constant to the divergence, so only the others are measured beside it.
  expect_gradients([](const std::vector<Tensor>& x) { return starbucks_retrieval(layers_of(x)); },
                   inputs(2));
}

TEST(Starbucks, GivesTheFullSizeNoGradientFromTheDivergence) {
  const auto gradient = [](double alignment) {
    auto at = layers();
    at.back().embedded.queries.requires_grad_();
    starbucks_retrieval(at, {.alignment = alignment}).backward();
    return at.back().embedded.queries.grad();
  };
  EXPECT_TRUE(gradient(1).allclose(gradient(0)));
}

TEST(Starbucks, OfOneSizeIsTheBase) {
  const std::vector<StarbucksLayer> one{{layer(1), 6}};
  EXPECT_NEAR(value(starbucks_pairs(one, base)), value(base(layer(1))), 1e-12);
  EXPECT_NEAR(value(starbucks_retrieval(one)),
              value(info_nce(layer(1), {.temperature = 1, .similarity = Similarity::dot})), 1e-12);
}

TEST(Starbucks, DoesNotDependOnTheOrderOfTheBatch) {
  auto moved = layers();
  for (StarbucksLayer& at : moved) {
    for (Tensor* x : {&at.embedded.queries, &at.embedded.positives, &at.embedded.negatives}) {
      *x = x->index_select(0, ids({2, 0, 1}));
    }
  }
  EXPECT_NEAR(value(starbucks_retrieval(moved)), value(starbucks_retrieval(layers())), 1e-12);
  EXPECT_NEAR(value(starbucks_pairs(moved, base)), value(starbucks_pairs(layers(), base)), 1e-12);
}

TEST(Starbucks, IsZeroForRetrievalFromABatchOfOneWithoutNegatives) {
  const Embedded one{random_tensor({1, 6}, 1), random_tensor({1, 6}, 2), {}};
  EXPECT_EQ(value(starbucks_retrieval({{one, 2}, {one, 6}})), 0);
}

TEST(Starbucks, RefusesWhatDoesNotFit) {
  const auto error = [](const std::vector<StarbucksLayer>& at,
                        const StarbucksOptions& options = {}) {
    return error_of([&] { starbucks_retrieval(at, options); });
  };
  EXPECT_EQ(error({}), "starbucks: no layers, expected 1 or more");
  EXPECT_EQ(error({{layer(1), 4}, {layer(4), 2}, {layer(7), 6}}),
            "starbucks: width 2 after 4, expected ascending ones");
  EXPECT_EQ(error({{layer(1), 2}, {layer(4), 4}}),
            "starbucks: last width 4, expected the full one, 6");
  EXPECT_EQ(error({{layer(1), 0}, {layer(4), 6}}), "starbucks: width 0, expected 1 to 6");
  EXPECT_EQ(error({{truncated(layer(1), 4, false), 2}, {layer(4), 6}}),
            "starbucks: queries of another layer: [3, 4], expected [3, 6]");
  EXPECT_EQ(error(layers(), {.temperature = 0}),
            "starbucks: temperature: 0, expected a finite number above 0");
  EXPECT_EQ(error(layers(), {.alignment = -1}),
            "starbucks: alignment: -1, expected a finite number of at least 0");
  EXPECT_NE(error_of([] { starbucks_pairs({}, base); }), "");
  EXPECT_NE(error_of([] { starbucks_pairs(layers(), base, NAN); }), "");
}

TEST(Starbucks, TakesAscendingSizesThatEndWithTheFullOne) {
  const auto error = [](const std::vector<StarbucksSize>& sizes) {
    return error_of([&] { expect_sizes(sizes, 12, 768); });
  };
  EXPECT_EQ(error({{2, 32}, {4, 64}, {6, 128}, {8, 256}, {10, 512}, {12, 768}}), "");
  EXPECT_EQ(error({{6, 32}, {6, 64}, {12, 64}, {12, 768}}), "");
  EXPECT_EQ(error({}), "starbucks: no sizes, expected 1 or more");
  EXPECT_EQ(error({{2, 32}, {2, 32}, {12, 768}}),
            "starbucks: size 2:32, expected ascending layers and widths from 1:1");
  EXPECT_NE(error({{4, 32}, {2, 64}, {12, 768}}), "");
  EXPECT_NE(error({{2, 64}, {4, 32}, {12, 768}}), "");
  EXPECT_NE(error({{0, 64}, {12, 768}}), "");
  EXPECT_NE(error({{2, 0}, {12, 768}}), "");
  EXPECT_EQ(error({{2, 32}, {12, 512}}),
            "starbucks: last size 12:512, expected the full one, 12:768");
}

}  // namespace
}  // namespace kith::learn
