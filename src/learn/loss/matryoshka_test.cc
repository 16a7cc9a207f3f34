#include "learn/loss/matryoshka.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/info_nce.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

Embedded batch() {
  return {random_tensor({4, 6}, 1), random_tensor({4, 6}, 2), random_tensor({4, 2, 6}, 3)};
}

Tensor base(const Embedded& x) { return info_nce(x, {.temperature = 0.5}); }

// Mean over rows of query times positive, of leading components, each divided by its length.
double plain(const Embedded& x, std::size_t width) {
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    Row q = rows_of(x.queries)[i], p = rows_of(x.positives)[i];
    q.resize(width);
    p.resize(width);
    sum += plain_cosine(q, p);
  }
  return sum / 4;
}

TEST(Matryoshka, EqualsThePlainSum) {
  const EmbeddingLoss products = [](const Embedded& x) {
    return (x.queries * x.positives).sum(1).mean();
  };
  const Embedded x = batch();
  EXPECT_NEAR(value(matryoshka(x, products, {.dims = {2, 6}})), plain(x, 2) + plain(x, 6), 1e-12);
  EXPECT_NEAR(value(matryoshka(x, products, {.dims = {3, 1, 6}, .weights = {0.5, 0, 2}})),
              0.5 * plain(x, 3) + 2 * plain(x, 6), 1e-12);
}

TEST(Matryoshka, HasTheGradientThatIsMeasured) {
  const Embedded x = batch();
  for (const bool normalise : {true, false}) {
    const MatryoshkaOptions options{{2, 4, 6}, {1, 0.5, 2}, normalise};
    expect_gradients(
        [&](const std::vector<Tensor>& in) {
          return matryoshka({in[0], in[1], in[2]}, base, options);
        },
        {x.queries, x.positives, x.negatives});
  }
}

TEST(Matryoshka, OfTheFullWidthIsTheBase) {
  EXPECT_NEAR(value(matryoshka(batch(), base, {.dims = {6}})), value(base(batch())), 1e-12);
  EXPECT_EQ(value(matryoshka(batch(), base, {{6}, {}, false})), value(base(batch())));
}

TEST(Matryoshka, LooksAtListedComponentsAlone) {
  Embedded x = batch();
  const double loss = value(matryoshka(x, base, {.dims = {2, 4}}));
  for (Tensor* part : {&x.queries, &x.positives, &x.negatives}) part->narrow(-1, 4, 2).fill_(7);
  EXPECT_EQ(value(matryoshka(x, base, {.dims = {2, 4}})), loss);
  x.queries.requires_grad_();
  matryoshka(x, base, {.dims = {2, 4}}).backward();
  EXPECT_EQ(value(x.queries.grad().narrow(1, 4, 2).abs().max()), 0);
}

TEST(Matryoshka, DoesNotDependOnTheOrderOfDimsOrRows) {
  const Embedded x = batch();
  const Tensor order = ids({2, 0, 3, 1});
  const Embedded moved{x.queries.index_select(0, order), x.positives.index_select(0, order),
                       x.negatives.index_select(0, order)};
  const double loss = value(matryoshka(x, base, {.dims = {2, 4, 6}}));
  EXPECT_NEAR(value(matryoshka(moved, base, {.dims = {6, 2, 4}})), loss, 1e-12);
  const Embedded longer{x.queries * 3, x.positives * 0.1, x.negatives * 9};
  EXPECT_NEAR(value(matryoshka(longer, base, {.dims = {2, 4, 6}})), loss, 1e-12);
}

TEST(Matryoshka, TakesBatchesOfOneWithoutNegatives) {
  const Embedded one{random_tensor({1, 6}, 1), random_tensor({1, 6}, 2), {}};
  EXPECT_EQ(value(matryoshka(one, base, {.dims = {2, 6}})), 0);
}

TEST(Matryoshka, RefusesWhatDoesNotFit) {
  const auto error = [](const MatryoshkaOptions& options) {
    return error_of([&] { matryoshka(batch(), base, options); });
  };
  EXPECT_EQ(error({}), "matryoshka: no dims, expected 1 or more");
  EXPECT_EQ(error({{2, 7}}), "matryoshka: width 7, expected 1 to 6");
  EXPECT_EQ(error({{0}}), "matryoshka: width 0, expected 1 to 6");
  EXPECT_EQ(error({{2, 4, 2}}), "matryoshka: width 2 repeats");
  EXPECT_EQ(error({{2, 4}, {1}}), "matryoshka: 1 weights, expected 2, one a dimension");
  EXPECT_EQ(error({{2}, {-1}}), "matryoshka: weight: -1, expected a finite number of at least 0");
  EXPECT_NE(error({{2}, {NAN}}), "");
  EXPECT_NE(error_of([] { matryoshka({}, base, {.dims = {2}}); }), "");
}

}  // namespace
}  // namespace kith::learn
