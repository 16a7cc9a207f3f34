#include "kith/fde.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/test_error.h"
#include "index/fde_directions.h"
#include "index/test_sets.h"
#include "kith/maxsim.h"

namespace kith {
namespace {

using ::testing::HasSubstr;

// The definition, step by step, in double precision.
class SlowFde {
 public:
  SlowFde(std::size_t dim, const FdeOptions& options)
      : dim_(dim),
        options_(options),
        block_(options.inner_dim != 0 ? options.inner_dim : dim),
        cells_(std::size_t{1} << options.planes),
        directions_(fde_directions(dim, options)) {}

  std::vector<double> encode(const AnyMatrixView& set, bool document) const {
    std::vector<double> out(options_.repetitions * cells_ * block_);
    for (std::size_t r = 0; r < options_.repetitions; ++r) {
      for (std::size_t c = 0; c < cells_; ++c) {
        const std::vector<double> block = cell(set, document, r, c);
        std::copy(block.begin(), block.end(), out.begin() + (r * cells_ + c) * block_);
      }
    }
    return out;
  }

 private:
  std::vector<double> cell(const AnyMatrixView& set, bool document, std::size_t r,
                           std::size_t c) const {
    std::vector<double> sum(block_);
    std::size_t count = 0, nearest = 0;
    int fewest = 64;
    for (std::size_t i = 0; i < set.rows(); ++i) {
      const int apart = std::popcount(cell_of(set, i, r) ^ c);
      if (apart < fewest) {
        fewest = apart;
        nearest = i;
      }
      if (apart != 0) continue;
      ++count;
      const std::vector<double> p = projected(set, i, r);
      for (std::size_t j = 0; j < block_; ++j) sum[j] += p[j];
    }
    if (document && count > 0) {
      for (double& value : sum) value /= static_cast<double>(count);
    }
    if (document && count == 0 && options_.fill_empty) return projected(set, nearest, r);
    return sum;
  }

  double product(const AnyMatrixView& set, std::size_t i, std::size_t direction) const {
    std::vector<float> x(dim_);
    set.copy_row(i, x.data());
    double sum = 0;
    for (std::size_t j = 0; j < dim_; ++j) {
      sum += static_cast<double>(x[j]) * directions_(direction, j);
    }
    return sum;
  }

  std::size_t cell_of(const AnyMatrixView& set, std::size_t i, std::size_t r) const {
    std::size_t cell = 0;
    for (std::size_t p = 0; p < options_.planes; ++p) {
      const std::size_t first = r * (options_.planes + options_.inner_dim);
      cell |= std::size_t{product(set, i, first + p) > 0} << p;
    }
    return cell;
  }

  std::vector<double> projected(const AnyMatrixView& set, std::size_t i, std::size_t r) const {
    std::vector<double> result(block_);
    std::vector<float> x(dim_);
    set.copy_row(i, x.data());
    const std::size_t first = r * (options_.planes + options_.inner_dim) + options_.planes;
    for (std::size_t j = 0; j < block_; ++j) {
      result[j] = options_.inner_dim == 0 ? x[j] : product(set, i, first + j);
    }
    return result;
  }

  std::size_t dim_;
  FdeOptions options_;
  std::size_t block_, cells_;
  Matrix<float> directions_;
};

double dot(const Matrix<float>& a, std::size_t i, const Matrix<float>& b, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < a.cols(); ++k) sum += static_cast<double>(a(i, k)) * b(j, k);
  return sum;
}

TEST(Fde, IsWhatTheDefinitionSaysForAllOptions) {
  const bool held = rc::check("", [] {
    FdeOptions options;
    options.repetitions = *rc::gen::inRange<std::size_t>(1, 5);
    options.planes = *rc::gen::inRange<std::size_t>(0, 6);
    options.inner_dim = *rc::gen::elementOf(std::vector<std::size_t>{0, 1, 5, 8});
    options.projection = *rc::gen::elementOf(std::vector<std::string>{"dense", "sparse"});
    options.fill_empty = *rc::gen::arbitrary<bool>();
    options.seed = *rc::gen::inRange<std::uint64_t>(0, 100);
    constexpr std::size_t kDim = 12;
    const VectorSetRows sets = random_sets(4, 1, 20, kDim, 5);
    const FdeEncoder encoder(kDim, options);
    const SlowFde slow(kDim, options);
    const Matrix<float> documents = encoder.encode_documents(sets);
    const Matrix<float> queries = encoder.encode_queries(sets);
    RC_ASSERT(documents.cols() == encoder.encoded_dim());
    for (std::size_t i = 0; i < 4; ++i) {
      for (const bool document : {true, false}) {
        const std::vector<double> expected = slow.encode(sets.view().set(i), document);
        RC_ASSERT(expected.size() == encoder.encoded_dim());
        for (std::size_t j = 0; j < expected.size(); ++j) {
          const float seen = document ? documents(i, j) : queries(i, j);
          RC_ASSERT(std::abs(seen - expected[j]) < 1e-4);
        }
      }
    }
  });
  EXPECT_TRUE(held);
}

TEST(Fde, OfASingleVectorEstimatesMaxSimExactlyWhereFilled) {
  FdeOptions options{.repetitions = 3, .planes = 4, .inner_dim = 0};
  const VectorSetRows queries = random_sets(5, 1, 9, 16, 1),
                      documents = random_sets(5, 1, 1, 16, 3);
  const FdeEncoder encoder(16, options);
  const Matrix<float> q = encoder.encode_queries(queries), d = encoder.encode_documents(documents);
  for (std::size_t i = 0; i < 5; ++i) {
    const double expected = slow_maxsim(queries.view().set(i), documents.view().set(i));
    EXPECT_NEAR(dot(q, i, d, i) / 3, expected, 1e-5);
  }
}

TEST(Fde, OfAQueryIsTheSumOfItsParts) {
  const FdeEncoder encoder(16, {.repetitions = 3, .planes = 3, .inner_dim = 8});
  VectorSetRows sets = random_sets(1, 9, 9, 16, 1);
  const Matrix<float> whole = encoder.encode_queries(sets);
  sets.offsets = {0, 4, 9};
  const Matrix<float> parts = encoder.encode_queries(sets);
  for (std::size_t j = 0; j < whole.cols(); ++j) {
    EXPECT_NEAR(whole(0, j), parts(0, j) + parts(1, j), 1e-5);
  }
}

TEST(Fde, MoreRepetitionsEstimateMaxSimMoreClosely) {
  const VectorSetRows documents = random_sets(40, 20, 40, 32, 1);
  VectorSetRows queries = random_sets(40, 6, 6, 32, 3);
  // A query's vectors lie near some of its document's, so that there is something to find.
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t t = 0; t < 6; ++t) {
      const float* near = documents.vectors.row(documents.offsets[i] + 2 * t);
      float* row = queries.vectors.row(6 * i + t);
      for (std::size_t j = 0; j < 32; ++j) row[j] = 0.5f * row[j] + near[j];
    }
  }
  const auto found = [&](std::size_t repetitions) {
    const FdeEncoder encoder(32, {.repetitions = repetitions, .planes = 4, .inner_dim = 8});
    const Matrix<float> q = encoder.encode_queries(queries);
    const Matrix<float> d = encoder.encode_documents(documents);
    std::size_t right = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      std::size_t best = 0;
      for (std::size_t j = 1; j < 40; ++j) {
        if (dot(q, i, d, j) > dot(q, i, d, best)) best = j;
      }
      right += best == i;
    }
    return right;
  };
  EXPECT_GE(found(20), 38u);
  EXPECT_GT(found(20), found(1));
}

TEST(Fde, FinalProjectionKeepsInnerProductsInTheMean) {
  const VectorSetRows sets = random_sets(2, 10, 10, 16, 1);
  const FdeEncoder whole(16, {.repetitions = 4, .planes = 3, .inner_dim = 8});
  const double expected = dot(whole.encode_queries(sets), 0, whole.encode_documents(sets), 1);
  double sum = 0, squares = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    // Partitions and inner projections must not change: the sketch alone is tried.
    const auto sketch = count_sketch(whole.encoded_dim(), 64, static_cast<std::uint64_t>(trial), 0);
    const Matrix<float> q = whole.encode_queries(sets), d = whole.encode_documents(sets);
    std::vector<double> a(64), b(64);
    for (std::size_t i = 0; i < sketch.size(); ++i) {
      a[sketch[i].target] += sketch[i].sign * q(0, i);
      b[sketch[i].target] += sketch[i].sign * d(1, i);
    }
    double product = 0;
    for (std::size_t i = 0; i < 64; ++i) product += a[i] * b[i];
    sum += product;
    squares += product * product;
  }
  const double mean = sum / kTrials;
  const double deviation = std::sqrt(squares / kTrials - mean * mean);
  EXPECT_NEAR(mean, expected, 4 * deviation / std::sqrt(kTrials));
}

TEST(Fde, FinalDimensionIsThatOfTheSketchOfTheWhole) {
  FdeOptions options{.repetitions = 4, .planes = 3, .inner_dim = 8};
  const VectorSetRows sets = random_sets(3, 1, 10, 16, 1);
  const Matrix<float> whole = FdeEncoder(16, options).encode_documents(sets);
  options.final_dim = 50;
  const FdeEncoder encoder(16, options);
  const Matrix<float> sketched = encoder.encode_documents(sets);
  ASSERT_EQ(sketched.cols(), 50u);
  const auto sketch = count_sketch(whole.cols(), 50, options.seed, 0);
  for (std::size_t s = 0; s < 3; ++s) {
    std::vector<float> expected(50);
    for (std::size_t i = 0; i < whole.cols(); ++i) {
      expected[sketch[i].target] += sketch[i].sign * whole(s, i);
    }
    for (std::size_t i = 0; i < 50; ++i) EXPECT_NEAR(sketched(s, i), expected[i], 1e-5);
  }
}

TEST(Fde, ParallelEncodingGivesTheSameBits) {
  const VectorSetRows sets = random_sets(50, 1, 30, 24, 1);
  const FdeEncoder encoder(24, {});
  const Matrix<float> one = encoder.encode_documents(sets, on_threads(1));
  const Matrix<float> many = encoder.encode_documents(sets, on_threads(4));
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(std::equal(one.row(i), one.row(i) + one.cols(), many.row(i)));
  }
}

TEST(Fde, RandomNumbersOfVersionOneStayAsTheyAre) {
  const Matrix<float> rows = fde_directions(4, {.repetitions = 2, .planes = 1, .inner_dim = 2});
  ASSERT_EQ(rows.rows(), 6u);
  EXPECT_FLOAT_EQ(rows(0, 0), -0.68805909f);
  EXPECT_FLOAT_EQ(rows(3, 3), -0.17026027f);
  EXPECT_EQ(std::abs(rows(1, 2)), std::sqrt(0.5f));
}

TEST(Fde, EncodersThatDifferRefuseToMix) {
  const FdeEncoder one(16, {.seed = 1}), other(16, {.seed = 2});
  EXPECT_EQ(one.identity(), "fde1 of 16 dimensions, 20 x 2^5 x 16, seed 1");
  EXPECT_EQ(error_of([&] { one.require_same(FdeEncoder(16, {}).identity()); }), "");
  EXPECT_EQ(error_of([&] { one.require_same(other.identity()); }),
            "fde: encodings by fde1 of 16 dimensions, 20 x 2^5 x 16, seed 2 can't be compared with "
            "those by fde1 of 16 dimensions, 20 x 2^5 x 16, seed 1");
  EXPECT_NE(FdeEncoder(32, {}).identity(), FdeEncoder(32, {.projection = "sparse"}).identity());
}

TEST(Fde, OptionsOutOfRangeAreRefused) {
  const auto error = [](const FdeOptions& options) {
    return error_of([&] { FdeEncoder(16, options); });
  };
  EXPECT_EQ(error({.repetitions = 0}), "fde: 0 repetitions, expected 1 to 4096");
  EXPECT_EQ(error({.planes = 17}), "fde: 17 planes, expected 0 to 16");
  EXPECT_EQ(error({.inner_dim = 17}),
            "fde: an inner projection to 17 dimensions, but vectors have 16");
  EXPECT_EQ(error({.projection = "ams"}), "fde: projection 'ams', expected dense or sparse");
  EXPECT_THAT(error({.repetitions = 100, .planes = 10}), HasSubstr("at most 65536 are held"));
  EXPECT_EQ(error({.repetitions = 100, .planes = 10, .final_dim = 64}), "");
  EXPECT_THAT(error({.repetitions = 100, .planes = 16, .final_dim = 64}),
              HasSubstr("at most 16777216 are held"));
  const FdeEncoder encoder(16, {});
  EXPECT_EQ(error_of([&] { encoder.encode_queries(random_sets(1, 1, 1, 8, 1)); }),
            "sets: 8 dimensions, but the encoder has 16");
}

}  // namespace
}  // namespace kith
