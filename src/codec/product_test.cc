#include "codec/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "kith/error.h"

namespace kith {
namespace {

Matrix<float> normal_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) x.row(i)[j] = static_cast<float>(random.normal());
  }
  return x;
}

double squared(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) sum += (double{a[j]} - b[j]) * (double{a[j]} - b[j]);
  return sum;
}

TEST(ProductQuantiser, NoOtherCodeIsNearer) {
  const Matrix<float> rows = normal_rows(600, 10, 1);
  ProductQuantiser quantiser(10, 4);  // parts of 2 and 3 dimensions
  quantiser.train(rows, 1, {});
  std::vector<std::uint8_t> code(4);
  std::vector<float> decoded(10);
  for (std::size_t i = 0; i < 50; ++i) {
    quantiser.encode(rows.row(i), code.data());
    quantiser.decode(code.data(), decoded.data());
    const double distance = squared(rows.row(i), decoded.data(), 10);
    for (std::size_t part = 0; part < 4; ++part) {
      const std::uint8_t chosen = code[part];
      for (code[part] = 0; code[part] < 16; ++code[part]) {
        quantiser.decode(code.data(), decoded.data());
        EXPECT_GE(squared(rows.row(i), decoded.data(), 10), distance - 1e-5);
      }
      code[part] = chosen;
    }
  }
}

TEST(ProductQuantiser, MorePartsLeaveLessError) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Matrix<float> rows = normal_rows(3000, 24, seed);
    double before = 24;
    for (const std::size_t parts : {3, 6, 12, 24}) {
      ProductQuantiser quantiser(24, parts);
      quantiser.train(rows, seed, {});
      std::vector<std::uint8_t> code(parts);
      std::vector<float> decoded(24);
      double error = 0;
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        quantiser.encode(rows.row(i), code.data());
        quantiser.decode(code.data(), decoded.data());
        error += squared(rows.row(i), decoded.data(), 24) / static_cast<double>(rows.rows());
      }
      EXPECT_LT(error, 0.95 * before) << parts;
      before = error;
    }
    EXPECT_LT(before, 24 * 0.02);  // 16 levels of a normal variable leave about 1 %
  }
}

TEST(ProductQuantiser, BlocksGiveBackTheCodesPutIn) {
  for (const std::size_t parts : {1, 3, 4, 5, 13}) {
    const ProductQuantiser quantiser(16, parts);
    std::vector<std::uint8_t> block(simd::block_bytes(quantiser.padded_parts())), code(parts);
    Random random(7);
    std::vector<std::vector<std::uint8_t>> codes(32, std::vector<std::uint8_t>(parts));
    for (auto& one : codes) {
      for (std::uint8_t& nibble : one) nibble = static_cast<std::uint8_t>(random.below(16));
    }
    for (std::size_t slot = 0; slot < 32; ++slot) {
      quantiser.put(codes[slot].data(), slot, block.data());
    }
    for (std::size_t slot = 0; slot < 32; ++slot) {
      quantiser.get(block.data(), slot, code.data());
      EXPECT_EQ(code, codes[slot]);
    }
  }
}

TEST(ProductQuantiser, TablesEstimateTheProductWithTheDecodedVector) {
  const Matrix<float> rows = normal_rows(1000, 30, 1), queries = normal_rows(20, 30, 2);
  for (const std::size_t parts : {5, 15, 30}) {
    ProductQuantiser quantiser(30, parts);
    quantiser.train(rows, 1, {});
    std::vector<std::uint8_t> block(simd::block_bytes(quantiser.padded_parts())), code(parts);
    for (std::size_t slot = 0; slot < 32; ++slot) {
      quantiser.encode(rows.row(slot), code.data());
      quantiser.put(code.data(), slot, block.data());
    }
    ProductQuantiser::Tables tables;
    std::vector<float> decoded(30), estimates(32);
    std::vector<std::uint32_t> places(32);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      quantiser.prepare(queries.row(q), -2, tables);
      ASSERT_EQ(simd::scan_blocks(tables.query, {block.data(), 32}, 1e9f, estimates.data(),
                                  places.data()),
                32u);
      for (std::size_t slot = 0; slot < 32; ++slot) {
        quantiser.get(block.data(), slot, code.data());
        quantiser.decode(code.data(), decoded.data());
        double product = 0;
        for (std::size_t j = 0; j < 30; ++j) product += double{queries.row(q)[j]} * decoded[j];
        // Each part's entry is rounded to half a step.
        const double bound = static_cast<double>(parts) * tables.query.scale / 2 + 1e-4;
        EXPECT_NEAR(estimates[slot], -2 * product, bound);
      }
    }
  }
}

TEST(ProductQuantiser, RefusesMorePartsThanDimensions) {
  EXPECT_THROW(ProductQuantiser(8, 9), Error);
  EXPECT_THROW(ProductQuantiser(8, 0), Error);
}

}  // namespace
}  // namespace kith
