#include "learn/nn/product_code.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "learn/loss/test_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

Codebooks some_codebooks(std::size_t dim, std::size_t parts, int bits) {
  Codebooks codebooks(dim, parts, bits);
  Random random(7);
  std::vector<float> values(dim * codebooks.words());
  for (float& value : values) value = static_cast<float>(random.normal());
  codebooks.set(std::move(values));
  return codebooks;
}

std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

// Of codewords in double, for slopes.
ProductCode in_double(const Codebooks& codebooks) {
  ProductCode code(codebooks);
  at::Tensor words = code.parameters()["words"];
  words.set_data(words.to(torch::kDouble));
  return code;
}

TEST(ProductCode, QuantisesToWhatItsCodebooksDecode) {
  for (const auto& [dim, parts] : {std::pair<std::size_t, std::size_t>{12, 3}, {13, 5}, {4, 4}}) {
    const Codebooks codebooks = some_codebooks(dim, parts, 4);
    const at::Tensor x = random_tensor({50, static_cast<std::int64_t>(dim)}, 3).to(torch::kFloat32);
    const Matrix<float> rows = matrix_of(x), got = matrix_of(ProductCode(codebooks).quantise(x));
    std::vector<std::uint32_t> code(parts);
    std::vector<float> wanted(dim);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      codebooks.encode(rows.row(i), code.data());
      codebooks.decode(code.data(), wanted.data());
      for (std::size_t j = 0; j < dim; ++j) EXPECT_EQ(got(i, j), wanted[j]) << i << ' ' << j;
    }
  }
}

TEST(ProductCode, GivesBackTheCodebooksItBeganWith) {
  const Codebooks codebooks = some_codebooks(13, 5, 3);
  const Codebooks again = ProductCode(codebooks).codebooks();
  EXPECT_EQ(copy_of(again.values()), copy_of(codebooks.values()));
  EXPECT_EQ(again.parts(), 5u);
}

// sum of g out, with the choice onehot(chosen) - p0 + p: what the straight-through estimate takes
// for the loss near x0 and w0.
double estimate(const at::Tensor& x, const at::Tensor& words, const at::Tensor& w0,
                const std::vector<std::int64_t>& begin, const at::Tensor& chosen,
                const at::Tensor& g, double temperature) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    for (std::int64_t m = 0; m < words.size(0); ++m) {
      const std::int64_t from = begin[m], width = begin[m + 1] - from;
      const at::Tensor part = x[i].narrow(0, from, width), slope = g[i].narrow(0, from, width);
      Row minus;
      for (std::int64_t k = 0; k < words.size(1); ++k) {
        minus.push_back(-value((part - words[m][k].narrow(0, 0, width)).square().sum()) /
                        temperature);
      }
      const std::int64_t own = chosen[i][m].item<std::int64_t>();
      sum += value((slope * words[m][own].narrow(0, 0, width)).sum());
      for (std::size_t k = 0; k < minus.size(); ++k) {
        const at::Tensor word = w0[m][static_cast<std::int64_t>(k)].narrow(0, 0, width);
        sum += plain_softmax(minus, k) * value((slope * word).sum());
      }
    }
  }
  return sum;
}

TEST(ProductCode, LearnsByTheStraightThroughEstimate) {
  constexpr double kStep = 1e-5, kTemperature = 0.7;
  for (const std::size_t parts : {2, 3}) {  // of 5 dimensions: two widths
    const Codebooks codebooks = some_codebooks(5, parts, 2);
    const ProductCode code = in_double(codebooks);
    const at::Tensor words = code.parameters()["words"], w0 = words.detach().clone();
    at::Tensor x = random_tensor({3, 5}, 5).requires_grad_();
    const at::Tensor g = random_tensor({3, 5}, 6);
    (code.quantise(x, kTemperature) * g).sum().backward();
    const at::Tensor x_slope = x.grad(), words_slope = words.grad();

    const torch::NoGradGuard constant;
    std::vector<std::int64_t> begin;
    for (std::size_t m = 0; m <= parts; ++m) {
      begin.push_back(static_cast<std::int64_t>(codebooks.begin(m)));
    }
    const Matrix<float> rows = matrix_of(x);
    const at::Tensor chosen = torch::zeros({3, static_cast<std::int64_t>(parts)}, torch::kLong);
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<std::uint32_t> own(parts);
      codebooks.encode(rows.row(i), own.data());
      for (std::size_t m = 0; m < parts; ++m) {
        chosen[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(m)] =
            static_cast<std::int64_t>(own[m]);
      }
    }
    const auto expect_slopes = [&](at::Tensor& values, const at::Tensor& slopes) {
      ASSERT_TRUE(slopes.defined());
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        double& place = values.data_ptr<double>()[i];
        const double kept = place;
        const auto at = [&](double moved) {
          place = kept + moved;
          const double sum = estimate(x, words, w0, begin, chosen, g, kTemperature);
          place = kept;
          return sum;
        };
        const double wanted = (at(kStep) - at(-kStep)) / (2 * kStep);
        EXPECT_NEAR(slopes.contiguous().data_ptr<double>()[i], wanted, 1e-6) << i;
      }
    };
    at::Tensor now = words;
    expect_slopes(x, x_slope);
    expect_slopes(now, words_slope);
  }
}

TEST(ProductCode, WhoseCodewordsAreConstantTeachesVectorsAlone) {
  const ProductCode code(some_codebooks(6, 3, 3));
  at::Tensor x = random_tensor({4, 6}, 2).to(torch::kFloat32).requires_grad_();
  code.constant().quantise(x).square().sum().backward();
  EXPECT_FALSE(code.parameters()["words"].grad().defined());
  EXPECT_GT(value(x.grad().abs().sum()), 0);
}

TEST(ProductCode, WithEqualCodewordsHasNoGradientThatIsNoNumber) {
  Codebooks same(4, 2, 2);
  same.set(std::vector<float>(4 * same.words(), 0.5F));
  const ProductCode code(same);
  at::Tensor x = torch::full({2, 4}, 0.5F).requires_grad_();
  code.quantise(x, 1e-4).sum().backward();
  EXPECT_TRUE(torch::isfinite(x.grad()).all().item<bool>());
  EXPECT_TRUE(torch::isfinite(code.parameters()["words"].grad()).all().item<bool>());
}

}  // namespace
}  // namespace kith::learn
