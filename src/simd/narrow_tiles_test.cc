// Narrow products at every instruction set that this processor has, against plain sums.
#include "simd/narrow_tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "kith/half.h"
#include "kith/matrix.h"

namespace kith::simd {
namespace {

constexpr std::size_t kWordCounts[] = {16, 32, 96, 192};
constexpr std::size_t kRowCounts[] = {1, 7, 8, 16, 17, 32};

class EveryLevelOfTiles : public testing::TestWithParam<Level> {
 protected:
  const NarrowKernels kernels_ = narrow_kernels(GetParam());
  const NarrowSession session_{kernels_};
  const NarrowRowKernels& around_ = narrow_row_kernels(GetParam());
};

// A panel of the words that `word_of(output, word)` gives.
template <class WordOf>
Matrix<std::uint32_t> panel_of(std::size_t words, const WordOf& word_of) {
  Matrix<std::uint32_t> panel(1, kTileOutputs * words);
  for (std::size_t j = 0; j < kTileOutputs; ++j) {
    for (std::size_t w = 0; w < words; ++w) panel.data()[panel_place(j, w)] = word_of(j, w);
  }
  return panel;
}

Matrix<std::uint32_t> random_words(std::size_t rows, std::size_t words, Random& random) {
  Matrix<std::uint32_t> all(rows, words);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t w = 0; w < words; ++w) {
      all(i, w) = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32));
    }
  }
  return all;
}

std::int64_t byte_product(const std::uint32_t* x, const std::uint32_t* weights, std::size_t words) {
  std::int64_t sum = 0;
  for (std::size_t w = 0; w < words; ++w) {
    for (int b = 0; b < 4; ++b) {
      const auto a = static_cast<std::uint8_t>(x[w] >> (8 * b));
      const auto c = static_cast<std::int8_t>(static_cast<std::uint8_t>(weights[w] >> (8 * b)));
      sum += a * c;
    }
  }
  return sum;
}

TEST_P(EveryLevelOfTiles, BytesAreMultipliedExactly) {
  Random random(1);
  for (const std::size_t words : kWordCounts) {
    const Matrix<std::uint32_t> x = random_words(kTileRows, words, random);
    const Matrix<std::uint32_t> weights = random_words(kTileOutputs, words, random);
    const Matrix<std::uint32_t> panel =
        panel_of(words, [&](std::size_t j, std::size_t w) { return weights(j, w); });
    for (const std::size_t rows : kRowCounts) {
      Matrix<std::int32_t> sums(kTileRows, kTileOutputs);
      kernels_.bytes(x.data(), x.stride_bytes(), rows, panel.data(), words, sums.data());
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < kTileOutputs; ++j) {
          ASSERT_EQ(sums(i, j), byte_product(x.row(i), weights.row(j), words))
              << rows << " rows, " << words << " words: " << i << ", " << j;
        }
      }
    }
  }
}

TEST_P(EveryLevelOfTiles, TheLargestBytesDoNotOverflow) {
  constexpr std::size_t kWords = 3072;
  Matrix<std::uint32_t> x(kTileRows, kWords);
  for (std::size_t w = 0; w < kWords; ++w) x(0, w) = 0xffffffffu;
  const Matrix<std::uint32_t> panel = panel_of(
      kWords, [](std::size_t j, std::size_t) { return j % 2 == 0 ? 0x7f7f7f7fu : 0x80808080u; });
  Matrix<std::int32_t> sums(kTileRows, kTileOutputs);
  kernels_.bytes(x.data(), x.stride_bytes(), 1, panel.data(), kWords, sums.data());
  EXPECT_EQ(sums(0, 0), 4 * static_cast<int>(kWords) * 255 * 127);
  EXPECT_EQ(sums(0, 31), 4 * static_cast<int>(kWords) * 255 * -128);
}

std::uint32_t bf16_word(float low, float high) {
  return BFloat16(low).bits | static_cast<std::uint32_t>(BFloat16(high).bits) << 16;
}

double value_of(std::uint32_t word, int half) {
  BFloat16 value;
  value.bits = static_cast<std::uint16_t>(word >> (16 * half));
  return static_cast<double>(static_cast<float>(value));
}

TEST_P(EveryLevelOfTiles, Bfloat16SumsAreThoseOfDoubleUpToFloatsRounding) {
  Random random(2);
  const auto word = [&] {
    return bf16_word(static_cast<float>(random.normal()), static_cast<float>(random.normal()));
  };
  for (const std::size_t words : kWordCounts) {
    Matrix<std::uint32_t> x(kTileRows, words), weights(kTileOutputs, words);
    for (Matrix<std::uint32_t>* matrix : {&x, &weights}) {
      for (std::size_t i = 0; i < matrix->rows(); ++i) {
        for (std::size_t w = 0; w < words; ++w) (*matrix)(i, w) = word();
      }
    }
    const Matrix<std::uint32_t> panel =
        panel_of(words, [&](std::size_t j, std::size_t w) { return weights(j, w); });
    for (const std::size_t rows : kRowCounts) {
      Matrix<float> sums(kTileRows, kTileOutputs);
      kernels_.bf16(x.data(), x.stride_bytes(), rows, panel.data(), words, sums.data());
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < kTileOutputs; ++j) {
          double sum = 0, size = 0;
          for (std::size_t w = 0; w < words; ++w) {
            for (const int half : {0, 1}) {
              const double product = value_of(x(i, w), half) * value_of(weights(j, w), half);
              sum += product;
              size += std::fabs(product);
            }
          }
          ASSERT_NEAR(sums(i, j), sum, 2e-6 * size) << rows << " rows, " << words << " words";
        }
      }
    }
  }
}

// A sum is the same to the bit whatever stands in the tile's other rows, and how many are asked
// for.
TEST_P(EveryLevelOfTiles, Bfloat16SumsDependOnTheirRowAlone) {
  constexpr std::size_t kWords = 96;
  Random random(3);
  Matrix<std::uint32_t> x(kTileRows, kWords);
  for (std::size_t i = 0; i < kTileRows; ++i) {
    for (std::size_t w = 0; w < kWords; ++w) {
      x(i, w) = bf16_word(static_cast<float>(random.normal()), static_cast<float>(random.normal()));
    }
  }
  const Matrix<std::uint32_t> panel = panel_of(kWords, [&](std::size_t, std::size_t) {
    return bf16_word(static_cast<float>(random.normal()), static_cast<float>(random.normal()));
  });
  Matrix<float> all(kTileRows, kTileOutputs), one(kTileRows, kTileOutputs);
  kernels_.bf16(x.data(), x.stride_bytes(), kTileRows, panel.data(), kWords, all.data());
  for (const std::size_t i : {0, 5, 16, 31}) {
    Matrix<std::uint32_t> alone(kTileRows, kWords);
    std::copy_n(x.row(i), kWords, alone.row(0));
    kernels_.bf16(alone.data(), alone.stride_bytes(), 1, panel.data(), kWords, one.data());
    for (std::size_t j = 0; j < kTileOutputs; ++j) ASSERT_EQ(one(0, j), all(i, j)) << i;
  }
}

TEST_P(EveryLevelOfTiles, BytesStandForTheirRowUpToHalfAStep) {
  Random random(4);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t n = 1 + random.below(100);
    const double spread = std::exp(4 * random.normal()), middle = 2 * random.normal();
    std::vector<float> x(n);
    for (float& value : x) {
      value = static_cast<float>(spread * (random.normal() + middle));
      if (random.below(10) == 0) value = 0;
    }
    std::vector<std::uint8_t> bytes(n + 1, 77);
    const ByteScale scale = around_.to_bytes(x.data(), n, bytes.data());
    EXPECT_EQ(bytes[n], 77);  // nothing behind the row is touched
    EXPECT_EQ(scale.zero, std::round(scale.zero));
    for (std::size_t i = 0; i < n; ++i) {
      const double decoded = static_cast<double>(scale.scale) * (bytes[i] - scale.zero);
      ASSERT_NEAR(decoded, x[i], 0.505 * scale.scale) << i << " of " << n;
      if (x[i] == 0) {
        ASSERT_EQ(decoded, 0);
      }
    }
  }
}

TEST_P(EveryLevelOfTiles, RowsOfZerosStayZerosAndBadValuesShow) {
  std::vector<std::uint8_t> bytes(40, 1);
  const ByteScale zeros = around_.to_bytes(std::vector<float>(40).data(), 40, bytes.data());
  EXPECT_EQ(zeros.scale * (static_cast<float>(bytes[3]) - zeros.zero), 0);
  std::vector<float> bad(40, 1);
  bad[20] = INFINITY;
  EXPECT_TRUE(std::isnan(around_.to_bytes(bad.data(), 40, bytes.data()).scale));
}

TEST_P(EveryLevelOfTiles, SumsBecomeValues) {
  Random random(5);
  Matrix<std::int32_t> sums(kTileRows, kTileOutputs);
  Matrix<float> scales(1, kTileOutputs), totals(1, kTileOutputs), bias(1, kTileOutputs);
  std::vector<ByteScale> rows(kTileRows);
  for (ByteScale& row : rows) {
    row = {static_cast<float>(random.uniform()), static_cast<float>(random.below(256))};
  }
  for (std::size_t j = 0; j < kTileOutputs; ++j) {
    scales(0, j) = static_cast<float>(random.uniform());
    totals(0, j) = static_cast<float>(random.below(1000)) - 500;
    bias(0, j) = static_cast<float>(random.normal());
    for (std::size_t i = 0; i < kTileRows; ++i) {
      sums(i, j) = static_cast<std::int32_t>(random.below(2000000)) - 1000000;
    }
  }
  Matrix<float> y(kTileRows, kTileOutputs + 3);
  around_.finish_bytes(sums.data(), 5, rows.data(), scales.data(), totals.data(), bias.data(),
                       y.data(), y.stride_bytes() / sizeof(float));
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < kTileOutputs; ++j) {
      const double whole = sums(i, j) - static_cast<double>(rows[i].zero) * totals(0, j);
      const double wanted = static_cast<double>(rows[i].scale) * scales(0, j) * whole + bias(0, j);
      ASSERT_NEAR(y(i, j), wanted, 1e-6 * (1 + std::fabs(wanted)));
    }
    EXPECT_EQ(y(i, kTileOutputs), 0);
  }
  EXPECT_EQ(y(5, 0), 0);
}

TEST_P(EveryLevelOfTiles, RowsBecomeTheNearestBfloat16AndSayWhatWasLost) {
  Random random(6);
  for (const std::size_t n : {1, 2, 15, 16, 33, 100}) {
    std::vector<float> x(n);
    for (float& value : x) value = static_cast<float>(std::exp(9 * random.normal()) - 3);
    x[0] = 1.00390625f;  // between two: the even one
    std::vector<std::uint32_t> words(n / 2 + 2, 0x77777777u);
    const float lost = around_.to_bf16(x.data(), n, words.data());
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto bits = static_cast<std::uint16_t>(words[i / 2] >> (i % 2 * 16));
      ASSERT_EQ(bits, BFloat16(x[i]).bits) << x[i];
      const double left = x[i] - value_of(words[i / 2], static_cast<int>(i % 2));
      sum += left * left;
    }
    EXPECT_NEAR(lost, sum, 1e-5 * sum);
    EXPECT_EQ(words[(n + 1) / 2], 0x77777777u);  // nothing behind the row is touched
    if (n % 2 == 1) {
      EXPECT_EQ(words[n / 2] >> 16, 0u);
    }
  }
}

TEST(PackPanel, PutsEachWordWhereTilesReadIt) {
  Random random(7);
  for (const std::size_t words : kWordCounts) {
    const Matrix<std::uint32_t> rows = random_words(kTileOutputs, words, random);
    const Matrix<std::uint32_t> expected =
        panel_of(words, [&](std::size_t j, std::size_t w) { return rows(j, w); });
    Matrix<std::uint32_t> panel(1, kTileOutputs * words);
    pack_panel(rows, panel.data());
    for (std::size_t i = 0; i < panel.cols(); ++i) {
      ASSERT_EQ(panel.data()[i], expected.data()[i]) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Simd, EveryLevelOfTiles, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace kith::simd
