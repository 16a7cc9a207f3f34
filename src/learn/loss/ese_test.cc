#include "learn/loss/ese.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/distillation.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/info_nce.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

constexpr std::int64_t kDim = 5, kKept = 2;

Embedded layer(std::uint64_t seed) {
  return {random_tensor({4, kDim}, seed), random_tensor({4, kDim}, seed + 1), {}};
}

Tensor base(const Embedded& x) { return info_nce(x, {.temperature = 0.5}); }

// The target as its words say: a softmax of products, then singular vectors one after the other, by
// powers of A A' from which those found before were taken.
Rows plain_target(const Rows& x, std::size_t kept) {
  const std::size_t dim = x[0].size();
  Rows a(dim, Row(dim)), square(dim, Row(dim)), target(x.size());
  for (std::size_t i = 0; i < dim; ++i) {
    Row products(dim);
    for (std::size_t j = 0; j < dim; ++j) {
      for (const Row& text : x) products[j] += text[i] * text[j] / std::sqrt(double(dim));
    }
    for (std::size_t j = 0; j < dim; ++j) a[i][j] = plain_softmax(products, j);
  }
  for (std::size_t i = 0; i < dim; ++i) {
    for (std::size_t j = 0; j < dim; ++j) square[i][j] = plain_dot(a[i], a[j]);
  }
  for (std::size_t k = 0; k < kept; ++k) {
    Row u{1, 0.7, -0.3, 0.2, 0.5};
    double eigenvalue = 0;
    for (int step = 0; step < 5000; ++step) {
      Row next;
      for (const Row& row : square) next.push_back(plain_dot(row, u));
      eigenvalue = std::sqrt(plain_dot(next, next));
      for (std::size_t i = 0; i < dim; ++i) u[i] = next[i] / eigenvalue;
    }
    for (std::size_t i = 0; i < dim; ++i) {
      for (std::size_t j = 0; j < dim; ++j) square[i][j] -= eigenvalue * u[i] * u[j];
    }
    double same = 0;
    for (const Row& text : x) same += plain_dot(text, u) * text[k];
    for (std::size_t i = 0; i < x.size(); ++i) {
      target[i].push_back((same < 0 ? -1 : 1) * plain_dot(x[i], u) * std::sqrt(eigenvalue));
    }
  }
  return target;
}

TEST(Ese, TargetEqualsThePlainDecomposition) {
  const Tensor x = random_tensor({7, kDim}, 1) * 0.5;
  const Rows found = rows_of(ese_target(x, kKept)), expected = plain_target(rows_of(x), kKept);
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (std::size_t j = 0; j < found[i].size(); ++j) {
      EXPECT_NEAR(found[i][j], expected[i][j], 1e-9);
    }
  }
}

double plain(const Embedded& x, double weight) {
  const Tensor leading = all_texts(x).narrow(1, 0, kKept), target = ese_target(all_texts(x), kKept);
  const Rows s = rows_of(leading), t = rows_of(target);
  double squares = 0, divergence = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    for (std::size_t j = 0; j < s[i].size(); ++j) {
      const double p = plain_softmax(t[i], j);
      squares += (s[i][j] - t[i][j]) * (s[i][j] - t[i][j]);
      divergence += p * std::log(p / plain_softmax(s[i], j));
    }
  }
  return value(base(x)) + weight * (squares / kKept + divergence) / static_cast<double>(s.size());
}

TEST(Ese, EqualsThePlainSum) {
  for (const double weight : {0.0, 1.0, 0.3}) {
    const double expected = plain(layer(7), weight) +
                            (plain(layer(1), weight) + plain(layer(3), weight) / (1 + std::log(2)) +
                             plain(layer(5), weight) / (1 + std::log(3))) /
                                3;
    EXPECT_NEAR(value(ese({layer(1), layer(3), layer(5), layer(7)}, base, {kKept, weight})),
                expected, 1e-11);
  }
}

TEST(Ese, HasTheGradientThatIsMeasuredBesideAConstantTarget) {
  const Embedded deep = layer(3);
  const Tensor x = random_tensor({4, kDim}, 1), y = random_tensor({4, kDim}, 2);
  const Tensor target = ese_target(torch::cat({x, y}), kKept);
  const auto held = [&](const std::vector<Tensor>& in) {
    const Tensor leading = torch::cat({in[0], in[1]}).narrow(1, 0, kKept);
    return base({in[0], in[1], {}}) + distil_mse(leading, target) + distil_softmax(leading, target);
  };
  expect_gradients(held, {x, y});

  const auto gradient = [&](const auto& loss) {
    const std::vector<Tensor> in{x.clone().requires_grad_(), y.clone().requires_grad_()};
    loss(in).backward();
    return torch::cat({in[0].grad(), in[1].grad()});
  };
  const Tensor found = gradient([&](const std::vector<Tensor>& in) {
    return ese({{in[0], in[1], {}}}, base, {kKept});
  });
  EXPECT_TRUE(found.allclose(gradient(held), 1e-10, 1e-12));
  expect_gradients(
      [&](const std::vector<Tensor>& in) {
        return ese({{in[0], in[1], {}}, deep}, base, {kKept, 0});
      },
      {x, y});
}

TEST(Ese, DoesNotDependOnTheOrderOfTheBatch) {
  const auto moved = [](const Embedded& x) {
    const Tensor order = ids({2, 0, 3, 1});
    return Embedded{x.queries.index_select(0, order), x.positives.index_select(0, order), {}};
  };
  EXPECT_NEAR(value(ese({moved(layer(1)), moved(layer(3))}, base, {kKept})),
              value(ese({layer(1), layer(3)}, base, {kKept})), 1e-11);
}

TEST(Ese, TakesBatchesOfOneAndEqualTexts) {
  const Tensor one = torch::ones({1, kDim}, torch::kDouble);
  EXPECT_TRUE(std::isfinite(value(ese({{one, one, {}}, {one, one, {}}}, base, {kKept}))));
}

TEST(Ese, RefusesWhatDoesNotFit) {
  const auto error = [](const std::vector<Embedded>& layers, const EseOptions& options = {kKept}) {
    return error_of([&] { ese(layers, base, options); });
  };
  EXPECT_EQ(error({}), "ese: no layers, expected 1 or more");
  EXPECT_EQ(error({layer(1)}, {}), "ese: width 128, expected 1 to 5");
  EXPECT_EQ(error({layer(1)}, {0}), "ese: width 0, expected 1 to 5");
  EXPECT_EQ(error({layer(1)}, {kKept, -1}),
            "ese: compression: -1, expected a finite number of at least 0");
  EXPECT_EQ(error({truncated(layer(1), 3, false), layer(3)}),
            "ese: queries of another layer: [4, 3], expected [4, 5]");
  EXPECT_NE(error_of([] { ese_target({}, kKept); }), "");
}

}  // namespace
}  // namespace kith::learn
