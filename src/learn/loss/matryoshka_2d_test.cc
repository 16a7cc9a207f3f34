#include "learn/loss/matryoshka_2d.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/info_nce.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

constexpr SizeDraw kDrawn{.layer = 3, .width = 2, .last_width = 4};

Embedded layer(std::uint64_t seed) {
  return {random_tensor({3, 6}, seed), random_tensor({3, 6}, seed + 1),
          random_tensor({3, 1, 6}, seed + 2)};
}

Tensor base(const Embedded& x) { return info_nce(x, {.temperature = 0.5}); }

double base_at(const Embedded& x, std::int64_t width) {
  return value(base(truncated(x, width, true)));
}

double plain_alignment(const Embedded& last, const Embedded& shallow, double temperature) {
  const Rows teacher = rows_of(all_texts(last) / temperature);
  const Rows student = rows_of(all_texts(shallow) / temperature);
  double sum = 0;
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    for (std::size_t j = 0; j < teacher[i].size(); ++j) {
      const double p = plain_softmax(teacher[i], j);
      sum += p * std::log(p / plain_softmax(student[i], j));
    }
  }
  return sum / static_cast<double>(teacher.size());
}

TEST(Matryoshka2d, EqualsThePlainSum) {
  const Embedded last = layer(1), shallow = layer(5);
  const double deep = base_at(last, 6) + base_at(last, 4);
  const double early = base_at(shallow, 6) + base_at(shallow, 2);
  Matryoshka2dOptions warm;
  warm.temperature = 2;
  EXPECT_NEAR(value(matryoshka_2d(last, shallow, kDrawn, base)),
              deep + early + plain_alignment(last, shallow, 1), 1e-12);
  EXPECT_NEAR(value(matryoshka_2d(last, shallow, kDrawn, base, warm)),
              deep + early + 4 * plain_alignment(last, shallow, 2), 1e-12);
  EXPECT_NEAR(value(matryoshka_2d(last, shallow, kDrawn, base, revised_2d())),
              deep + early / 3 + plain_alignment(last, shallow, 1), 1e-12);
  EXPECT_NEAR(
      value(matryoshka_2d(last, shallow, kDrawn, base, adaptive_2d())),
      base_at(last, 4) + base_at(shallow, 2) / 3 + 0.3 * plain_alignment(last, shallow, 0.3),
      1e-12);
  EXPECT_NEAR(value(matryoshka_2d(last, shallow, kDrawn, base, {.alignment = 0})), deep + early,
              1e-12);
}

TEST(Matryoshka2d, HasTheGradientThatIsMeasured) {
  const Embedded last = layer(1), shallow = layer(5);
  for (const Matryoshka2dOptions& options : {Matryoshka2dOptions{}, revised_2d(), adaptive_2d()}) {
    expect_gradients(
        [&](const std::vector<Tensor>& x) {
          return matryoshka_2d({x[0], x[1], x[2]}, {x[3], x[4], x[5]}, kDrawn, base, options);
        },
        {last.queries, last.positives, last.negatives, shallow.queries, shallow.positives,
         shallow.negatives});
  }
}

// The gradient of the last layer's queries.
Tensor teacher_gradient(const Matryoshka2dOptions& options) {
  Embedded last = layer(1);
  last.queries.requires_grad_();
  matryoshka_2d(last, layer(5), kDrawn, base, options).backward();
  return last.queries.grad();
}

TEST(Matryoshka2d, KeepsTheTeacherFromLearningWhereDetached) {
  const Tensor unaligned = teacher_gradient({.alignment = 0});
  EXPECT_TRUE(teacher_gradient({.detach_teacher = true}).allclose(unaligned));
  EXPECT_FALSE(teacher_gradient({}).allclose(unaligned));
  const Embedded last = layer(1), shallow = layer(5);
  expect_gradients(
      [&](const std::vector<Tensor>& x) {
        return matryoshka_2d(last, {x[0], x[1], x[2]}, kDrawn, base, {.detach_teacher = true});
      },
      {shallow.queries, shallow.positives, shallow.negatives});
}

TEST(Matryoshka2d, IsAlignedWhereLayersAreEqual) {
  const Embedded same = layer(1);
  EXPECT_NEAR(value(matryoshka_2d(same, same, {1, 2, 2}, base)),
              2 * (base_at(same, 6) + base_at(same, 2)), 1e-12);
}

TEST(Matryoshka2d, DoesNotDependOnTheOrderOfTheBatch) {
  const auto moved = [](const Embedded& x) {
    const Tensor order = ids({2, 0, 1});
    return Embedded{x.queries.index_select(0, order), x.positives.index_select(0, order),
                    x.negatives.index_select(0, order)};
  };
  EXPECT_NEAR(value(matryoshka_2d(moved(layer(1)), moved(layer(5)), kDrawn, base)),
              value(matryoshka_2d(layer(1), layer(5), kDrawn, base)), 1e-12);
}

TEST(Matryoshka2d, TakesBatchesOfOneWithoutNegatives) {
  const auto one = [](std::uint64_t seed) {
    return Embedded{random_tensor({1, 6}, seed), random_tensor({1, 6}, seed + 1), {}};
  };
  EXPECT_NEAR(value(matryoshka_2d(one(1), one(3), kDrawn, base)),
              plain_alignment(one(1), one(3), 1), 1e-12);
}

TEST(Matryoshka2d, DrawsEveryLayerButTheLastAndEveryWidthAlike) {
  Random random(1);
  const SizeSampler sampler{.layers = 5, .widths = doubling_widths(64)};
  std::map<std::int64_t, int> layers, widths;
  constexpr int kDraws = 6000;
  for (int i = 0; i < kDraws; ++i) {
    const SizeDraw drawn = sampler.draw(random);
    ++layers[drawn.layer];
    ++widths[drawn.width];
    EXPECT_EQ(drawn.width, drawn.last_width);
  }
  const auto expect_alike = [](const std::map<std::int64_t, int>& counts,
                               const std::vector<std::int64_t>& expected) {
    ASSERT_EQ(counts.size(), expected.size());
    for (const std::int64_t key : expected) {  // within five standard deviations
      const double share = 1.0 / static_cast<double>(expected.size());
      EXPECT_NEAR(counts.at(key), kDraws * share, 5 * std::sqrt(kDraws * share * (1 - share)));
    }
  };
  expect_alike(layers, {1, 2, 3, 4});  // not 0, the embedding layer, nor 5
  expect_alike(widths, {8, 16, 32});   // not 64, the full width
}

TEST(Matryoshka2d, DrawsWidthsApartWhereAsked) {
  Random random(1), again(1);
  const SizeSampler sampler{.layers = 2, .widths = {4, 8}, .separate_widths = true};
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (int i = 0; i < 100; ++i) {
    const SizeDraw drawn = sampler.draw(random), same = sampler.draw(again);
    EXPECT_EQ(drawn.layer, 1);
    EXPECT_EQ(drawn.width, same.width);
    seen.emplace(drawn.width, drawn.last_width);
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST(Matryoshka2d, DoublesWidthsFromEight) {
  EXPECT_EQ(doubling_widths(768), (std::vector<std::int64_t>{8, 16, 32, 64, 128, 256, 512}));
  EXPECT_EQ(doubling_widths(8), (std::vector<std::int64_t>{}));
}

TEST(Matryoshka2d, RefusesWhatDoesNotFit) {
  const Embedded x = layer(1);
  const auto error = [&](const Embedded& shallow, const SizeDraw& drawn,
                         const Matryoshka2dOptions& options = {}) {
    return error_of([&] { matryoshka_2d(x, shallow, drawn, base, options); });
  };
  EXPECT_EQ(error(x, {0, 2, 2}), "matryoshka_2d: layer 0, expected 1 or more");
  EXPECT_EQ(error(x, {1, 7, 2}), "matryoshka_2d: width 7, expected 1 to 6");
  EXPECT_EQ(error(x, {1, 2, 0}), "matryoshka_2d: width 0, expected 1 to 6");
  EXPECT_EQ(error({x.queries, x.positives, {}}, kDrawn),
            "matryoshka_2d: 0 negatives each at another layer, expected 1");
  EXPECT_EQ(error(truncated(x, 5, false), kDrawn),
            "matryoshka_2d: queries of another layer: [3, 5], expected [3, 6]");
  EXPECT_NE(error({}, kDrawn), "");
  EXPECT_NE(error(x, kDrawn, {.alignment = -1}), "");
  EXPECT_NE(error(x, kDrawn, {.temperature = 0}), "");
  EXPECT_NE(error(x, kDrawn, {.power = NAN}), "");
}

TEST(Matryoshka2d, RefusesToDrawFromNothing) {
  Random random(1);
  const auto error = [&](const SizeSampler& sampler) {
    return error_of([&] { sampler.draw(random); });
  };
  EXPECT_EQ(error({1, {8}}), "matryoshka_2d: 1 layers, expected 2 or more");
  EXPECT_EQ(error({2, {}}), "matryoshka_2d: no widths to draw from");
  EXPECT_EQ(error({2, {8, 0}}), "matryoshka_2d: width: 0, expected a finite number above 0");
}

}  // namespace
}  // namespace kith::learn
