#include "codec/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/test_path.h"
#include "base/test_rows.h"
#include "codec/learned_rotation.h"
#include "codec/rotation.h"
#include "kith/error.h"

namespace kith {
namespace {

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

// Directions of very different variance, mixed by a rotation: what one part can't code well.
Matrix<float> mixed_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Matrix<float> x = normal_rows(rows, dim, seed);
  const Rotation rotation(dim, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) x(i, j) *= std::pow(0.8f, static_cast<float>(j));
    rotation.apply(x.row(i));
  }
  return x;
}

double decoding_error(const ProductQuantiser& quantiser, const Matrix<float>& rows) {
  std::vector<std::uint8_t> code(quantiser.parts());
  std::vector<float> decoded(rows.cols());
  double error = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    quantiser.encode(rows.row(i), code.data());
    quantiser.decode(code.data(), decoded.data());
    error += squared(rows.row(i), decoded.data(), rows.cols());
  }
  return error;
}

TEST(OptimisedProductQuantiser, ErrsLessOnMixedDirections) {
  const Matrix<float> rows = mixed_rows(2000, 24, 3), others = mixed_rows(500, 24, 4);
  ProductQuantiser plain(24, 6), turned(24, 6, ProductQuantiser::Turn::learned);
  plain.train(rows, 1, {});
  turned.train(rows, 1, {});
  EXPECT_LT(decoding_error(turned, others), 0.8 * decoding_error(plain, others));
}

TEST(OptimisedProductQuantiser, LearnsAnOrthogonalRotationOfAnySample) {
  const Matrix<float> few = normal_rows(5, 12, 1);  // singular vectors are not unique
  const Matrix<float> constant(100, 12);
  for (const Matrix<float>* sample : {&few, &constant}) {
    const Matrix<float> rotations[] = {allocate_directions(*sample, 5, {}),
                                       procrustes(*sample, *sample, {})};
    for (const Matrix<float>& rotation : rotations) {
      for (std::size_t i = 0; i < 12; ++i) {
        for (std::size_t j = 0; j < 12; ++j) {
          double product = 0;
          for (std::size_t k = 0; k < 12; ++k) product += double{rotation(i, k)} * rotation(j, k);
          EXPECT_NEAR(product, i == j ? 1 : 0, 1e-5);
        }
      }
    }
  }
}

TEST(OptimisedProductQuantiser, ProcrustesFindsTheRotationThatWasApplied) {
  const Matrix<float> rows = normal_rows(200, 16, 1);
  Matrix<float> turned = rows.clone();
  const Rotation truth(16, 9);
  for (std::size_t i = 0; i < turned.rows(); ++i) truth.apply(turned.row(i));
  const Matrix<float> found = procrustes(rows, turned, {});
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < 16; ++j) {
      double value = 0;
      for (std::size_t k = 0; k < 16; ++k) value += double{found(j, k)} * rows(i, k);
      EXPECT_NEAR(value, turned(i, j), 1e-4);
    }
  }
}

TEST(OptimisedProductQuantiser, EstimatesAndFilesGoThroughTheRotation) {
  const Matrix<float> rows = mixed_rows(1000, 20, 1), queries = normal_rows(10, 20, 2);
  ProductQuantiser quantiser(20, 10, ProductQuantiser::Turn::learned), loaded;
  quantiser.train(rows, 1, {});
  const std::string path = test_path("product.kith");
  KithFileWriter writer;
  Meta meta;
  quantiser.save(writer, meta, "ivf");
  writer.add_text("meta", meta.text());
  writer.write(path, {});
  const KithFileReader reader = KithFileReader::open(path, true);
  loaded.load(reader, reader.meta(), "ivf", 20);
  std::filesystem::remove(path);

  std::vector<std::uint8_t> block(simd::block_bytes(loaded.padded_parts())), code(10), again(10);
  for (std::size_t slot = 0; slot < 32; ++slot) {
    quantiser.encode(rows.row(slot), code.data());
    loaded.encode(rows.row(slot), again.data());
    EXPECT_EQ(code, again);
    loaded.put(code.data(), slot, block.data());
  }
  ProductQuantiser::Tables tables;
  std::vector<float> decoded(20), estimates(32);
  std::vector<std::uint32_t> places(32);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    loaded.prepare(queries.row(q), -2, tables);
    simd::scan_blocks(tables.query, {block.data(), 32}, 1e9f, estimates.data(), places.data());
    for (std::size_t slot = 0; slot < 32; ++slot) {
      loaded.get(block.data(), slot, code.data());
      loaded.decode(code.data(), decoded.data());
      double product = 0;
      for (std::size_t j = 0; j < 20; ++j) product += double{queries(q, j)} * decoded[j];
      EXPECT_NEAR(estimates[slot], -2 * product, 10 * tables.query.scale / 2 + 1e-4);
    }
  }
}

TEST(OptimisedProductQuantiser, IsTheSameForAnyNumberOfThreads) {
  const Matrix<float> rows = mixed_rows(3000, 70, 1);
  std::vector<std::uint8_t> first(35), code(35);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    ProductQuantiser quantiser(70, 35, ProductQuantiser::Turn::learned);
    Control control;
    control.threads = threads;
    quantiser.train(rows, 1, control);
    quantiser.encode(rows.row(17), threads == 1 ? first.data() : code.data());
    if (threads > 1) {
      EXPECT_EQ(code, first) << threads;
    }
  }
}

TEST(ProductQuantiser, RefusesMorePartsThanDimensions) {
  EXPECT_THROW(ProductQuantiser(8, 9), Error);
  EXPECT_THROW(ProductQuantiser(8, 0), Error);
}

}  // namespace
}  // namespace kith
