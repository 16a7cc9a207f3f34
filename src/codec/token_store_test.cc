#include "codec/token_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <filesystem>

#include "base/test_error.h"
#include "base/test_path.h"
#include "base/test_rows.h"

namespace kith {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCodecs[] = {"f32", "f16", "lvq8", "lvq4", "residual4", "residual2"};

// Rows around few centres, as tokens of one word are.
Matrix<float> clustered(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  const Matrix<float> centres = normal_rows(7, dim, seed);
  Matrix<float> x = normal_rows(rows, dim, seed + 1, 0.2);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) x(i, j) += centres(i % 7, j);
  }
  return x;
}

double squared_error(const TokenStore& store, const Matrix<float>& rows) {
  std::vector<float> x(rows.cols());
  double sum = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    store.load(i, 1, x.data(), x.size());
    for (std::size_t j = 0; j < x.size(); ++j) {
      sum += (x[j] - rows(i, j)) * static_cast<double>(x[j] - rows(i, j));
    }
  }
  return sum / static_cast<double>(rows.rows() * rows.cols());
}

TEST(TokenStore, LoadsAnyRunOfRowsAtAnyStride) {
  const Matrix<float> rows = clustered(300, 21, 1);
  for (const char* codec : kCodecs) {
    const auto store = TokenStore::build(rows, {.codec = codec});
    std::vector<float> some(5 * 40, 7.0f), one(21);
    store->load(90, 5, some.data(), 40);
    for (std::size_t i = 0; i < 5; ++i) {
      store->load(90 + i, 1, one.data(), 21);
      for (std::size_t j = 0; j < 21; ++j) EXPECT_EQ(some[i * 40 + j], one[j]) << codec;
      EXPECT_EQ(some[i * 40 + 21], 7.0f) << codec;
    }
  }
}

TEST(TokenStore, MoreBitsLoseLess) {
  const Matrix<float> rows = clustered(2000, 32, 1);
  const auto error = [&](const char* codec) {
    return squared_error(*TokenStore::build(rows, {.codec = codec, .centroids = 16}), rows);
  };
  EXPECT_EQ(error("f32"), 0);
  EXPECT_LT(error("f16"), 1e-6);
  EXPECT_LT(error("lvq8"), error("lvq4"));
  // Residuals here have variance 0.04; Lloyd-Max quantisers of 2 and 4 bits keep 12 % and 1 % of
  // it, quantiles somewhat more.
  EXPECT_LT(error("residual2"), 0.04 * 0.2);
  EXPECT_LT(error("residual4"), 0.04 * 0.05);
  EXPECT_LT(error("residual4"), error("residual2"));
}

TEST(TokenStore, IsTheSameWhenReadBack) {
  const Matrix<float> rows = clustered(200, 10, 3);
  for (const char* codec : kCodecs) {
    const auto store = TokenStore::build(rows, {.codec = codec});
    const std::string path = test_path(std::string(codec) + ".kith");
    KithFileWriter writer;
    Meta meta;
    store->save(writer, meta);
    writer.add_text("meta", meta.text());
    writer.write(path, {});
    const KithFileReader reader = KithFileReader::open(path, true);
    const auto read = TokenStore::load(reader, reader.meta(), 200, 10);
    std::vector<float> before(10), after(10);
    for (std::size_t i = 0; i < 200; ++i) {
      store->load(i, 1, before.data(), 10);
      read->load(i, 1, after.data(), 10);
      EXPECT_EQ(before, after) << codec << " " << i;
    }
    EXPECT_EQ(store->bytes(), read->bytes());
    EXPECT_THAT(error_of([&] { TokenStore::load(reader, reader.meta(), 199, 10); }),
                HasSubstr("bytes, expected"))
        << codec;
    std::filesystem::remove(path);
  }
}

TEST(TokenStore, ParallelBuildsGiveTheSameVectors) {
  const Matrix<float> rows = clustered(5000, 16, 5);
  for (const char* codec : {"lvq4", "residual2"}) {
    TokenStoreOptions options{.codec = codec};
    options.control.threads = 1;
    const auto one = TokenStore::build(rows, options);
    options.control.threads = 4;
    const auto many = TokenStore::build(rows, options);
    std::vector<float> a(16), b(16);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      one->load(i, 1, a.data(), 16);
      many->load(i, 1, b.data(), 16);
      ASSERT_EQ(a, b) << codec << " " << i;
    }
  }
}

TEST(TokenStore, UnknownCodecsAreRefusedWithThoseThereAre) {
  const Matrix<float> rows = clustered(10, 4, 1);
  EXPECT_EQ(error_of([&] { TokenStore::build(rows, {.codec = "pq8"}); }),
            "codec 'pq8' for tokens, expected one of f32, f16, lvq8, lvq4, residual4, residual2");
}

TEST(Residual, DecodesToTheNearestCentroidAndABucketsValue) {
  const bool held = rc::check("", [] {
    const std::size_t rows = *rc::gen::inRange<std::size_t>(1, 200);
    const std::size_t dim = *rc::gen::inRange<std::size_t>(1, 20);
    const int bits = *rc::gen::elementOf(std::vector<int>{2, 4});
    const Matrix<float> x = clustered(rows, dim, 2);
    Residual residual(dim, bits);
    residual.build(x, {});
    std::vector<float> out(dim);
    for (std::size_t i = 0; i < rows; ++i) {
      residual.decode(i, out.data());
      const float* centroid = residual.centroids().row(residual.centroid_of(i));
      double nearest = 1e30, own = 0;
      for (std::size_t j = 0; j < dim; ++j) own += std::pow(x(i, j) - centroid[j], 2);
      for (std::size_t c = 0; c < residual.centroids().rows(); ++c) {
        double distance = 0;
        for (std::size_t j = 0; j < dim; ++j) {
          distance += std::pow(x(i, j) - residual.centroids()(c, j), 2);
        }
        nearest = std::min(nearest, distance);
      }
      RC_ASSERT(own <= nearest * (1 + 1e-4) + 1e-4);
    }
  });
  EXPECT_TRUE(held);
}

TEST(Residual, EqualRowsAreStoredExactly) {
  Matrix<float> rows(20, 6);
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < 6; ++j) rows(i, j) = static_cast<float>(j) / 4;
  }
  Residual residual(6, 2);
  residual.build(rows, {});
  std::vector<float> out(6);
  residual.decode(11, out.data());
  for (std::size_t j = 0; j < 6; ++j) EXPECT_EQ(out[j], rows(11, j));
}

}  // namespace
}  // namespace kith
