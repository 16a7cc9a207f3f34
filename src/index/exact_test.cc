#include "kith/exact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/topk.h"
#include "kith/error.h"

namespace kith {
namespace {

using ::testing::HasSubstr;

ExactOptions make_options(std::size_t k, Metric metric = Metric::l2, std::size_t threads = 1) {
  ExactOptions options;
  options.k = k;
  options.metric = metric;
  options.control.threads = threads;
  return options;
}

template <class T>
Matrix<T> as_type(const Matrix<float>& from) {
  Matrix<T> to(from.rows(), from.cols());
  for (std::size_t i = 0; i < from.rows(); ++i) {
    for (std::size_t j = 0; j < from.cols(); ++j) to(i, j) = static_cast<T>(from(i, j));
  }
  return to;
}

// The definition: every distance in long double, rounded to float, sorted by (distance, id).
float true_distance(Metric metric, const AnyMatrixView& base, std::size_t row,
                    const AnyMatrixView& queries, std::size_t query) {
  std::vector<float> x(base.dim()), q(base.dim());
  base.copy_row(row, x.data());
  queries.copy_row(query, q.data());
  long double difference = 0, dot = 0, xx = 0, qq = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const long double a = q[j], b = x[j];
    difference += (a - b) * (a - b);
    dot += a * b;
    xx += b * b;
    qq += a * a;
  }
  if (metric == Metric::l2) return static_cast<float>(difference);
  if (metric == Metric::ip) return -static_cast<float>(dot);
  return 1.0f - static_cast<float>(dot / std::sqrt(xx * qq));
}

std::vector<Hit> true_hits(Metric metric, const AnyMatrixView& base, const AnyMatrixView& queries,
                           std::size_t query) {
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < base.rows(); ++i) {
    hits.push_back({true_distance(metric, base, i, queries, query), static_cast<Id>(i)});
  }
  std::sort(hits.begin(), hits.end());
  return hits;
}

void expect_exact(const AnyMatrixView& base, const AnyMatrixView& queries, std::size_t k) {
  for (Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    std::vector<std::vector<Hit>> truth;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      truth.push_back(true_hits(metric, base, queries, q));
    }
    for (std::size_t threads : {1, 2, 3}) {
      const ExactOptions options = make_options(k, metric, threads);
      const Neighbours batch = exact_search(base, queries, options);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const bool alone = q % 4 == 0;
        const Neighbours single =
            alone ? exact_search(base, queries.slice(q, 1), options) : Neighbours();
        for (std::size_t j = 0; j < k; ++j) {
          const bool there = j < base.rows();
          const Hit expected =
              there ? truth[q][j] : Hit{std::numeric_limits<float>::infinity(), kNoId};
          const std::string where = std::string(name(metric)) + " query " + std::to_string(q) +
                                    " rank " + std::to_string(j) + " threads " +
                                    std::to_string(threads);
          ASSERT_EQ(batch.ids(q, j), expected.id) << where;
          ASSERT_EQ(batch.distances(q, j), expected.distance) << where;
          if (!alone) continue;
          ASSERT_EQ(single.ids(0, j), expected.id) << where;
          ASSERT_EQ(single.distances(0, j), expected.distance) << where;
        }
      }
    }
  }
}

Matrix<float> make(std::size_t rows, std::size_t cols,
                   const std::function<double(std::size_t, std::size_t, Random&)>& value,
                   std::uint64_t seed = 1) {
  Matrix<float> m(rows, cols);
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) m(i, j) = static_cast<float>(value(i, j, random));
  }
  return m;
}

double normal(std::size_t, std::size_t, Random& random) { return random.normal(); }

TEST(ExactSearch, FindsTheNearestOfRandomVectors) {
  expect_exact(make(700, 33, normal), make(60, 33, normal, 2), 10);
}

TEST(ExactSearch, WorksInOneDimension) {
  expect_exact(make(500, 1, normal), make(20, 1, normal, 2), 7);
}

TEST(ExactSearch, WorksInManyDimensions) {
  expect_exact(make(150, 2051, normal), make(45, 2051, normal, 2), 9);
}

TEST(ExactSearch, OrdersTiesById) {
  // Four distinct vectors, each many times.
  const auto value = [](std::size_t i, std::size_t j, Random&) {
    return static_cast<double>((i * 7 + j) % 4) + 1;
  };
  expect_exact(make(600, 19, value), make(45, 19, value), 50);
}

TEST(ExactSearch, OrdersConstantVectorsById) {
  const auto one = [](std::size_t, std::size_t, Random&) { return 1.0; };
  expect_exact(make(900, 24, one), make(45, 24, one), 33);
}

TEST(ExactSearch, TellsNearDuplicatesAtHugeNormApart) {
  // |x|^2 is about 1e15, differences between vectors about 1: norms in float32 lose all of that.
  const auto value = [](std::size_t, std::size_t j, Random& random) {
    return 4e6 * static_cast<double>(j % 3 + 1) + static_cast<double>(random.below(5)) / 2;
  };
  expect_exact(make(500, 40, value), make(45, 40, value, 2), 20);
}

TEST(ExactSearch, TellsNearDuplicatesOfUnitVectorsApart) {
  const auto value = [](std::size_t, std::size_t j, Random& random) {
    return (j % 2 == 0 ? 0.25 : -0.125) + 1e-6 * random.normal();
  };
  expect_exact(make(500, 48, value), make(45, 48, value, 2), 20);
}

TEST(ExactSearch, SurvivesValuesWhoseSquaresOverflowOrUnderflowFloat) {
  for (double scale : {1e30, 1e-30, 3e18, 1e-20}) {
    const auto value = [scale](std::size_t, std::size_t, Random& random) {
      return scale * random.normal();
    };
    expect_exact(make(200, 12, value), make(45, 12, value, 2), 8);
  }
}

TEST(ExactSearch, SurvivesRowsOfVeryDifferentNorms) {
  const auto value = [](std::size_t i, std::size_t, Random& random) {
    return std::pow(10.0, static_cast<double>(i % 40) - 20) * random.normal();
  };
  expect_exact(make(400, 12, value), make(45, 12, value, 2), 8);
}

TEST(ExactSearch, ZeroQueriesTieEveryInnerProduct) {
  const Matrix<float> base = make(200, 12, normal), zero(45, 12);
  const Neighbours found = exact_search(base, zero, make_options(5, Metric::ip));
  for (Id j = 0; j < 5; ++j) EXPECT_EQ(found.ids(44, j), j);
}

TEST(ExactSearch, HandlesAllNegativeVectors) {
  const auto value = [](std::size_t, std::size_t, Random& random) { return -1 - random.uniform(); };
  expect_exact(make(300, 30, value), make(45, 30, value, 2), 5);
}

TEST(ExactSearch, KeepsRowsThatArriveFarthestFirst) {
  // Every row is nearer than all before it: nothing can be skipped.
  const auto value = [](std::size_t i, std::size_t j, Random&) {
    return 3000.0 - static_cast<double>(i) + (j == 0 ? 1 : 0);
  };
  const auto query = [](std::size_t i, std::size_t, Random&) {
    return 1.0 + static_cast<double>(i);
  };
  expect_exact(make(2500, 3, value), make(45, 3, query), 20);
}

TEST(ExactSearch, IntegersAreExactInEveryElementType) {
  const auto value = [](std::size_t, std::size_t, Random& random) {
    return 1 + static_cast<double>(random.below(4));
  };
  const Matrix<float> base = make(400, 37, value), queries = make(45, 37, value, 2);
  expect_exact(as_type<Half>(base), as_type<Half>(queries), 15);
  expect_exact(as_type<BFloat16>(base), as_type<BFloat16>(queries), 15);
  expect_exact(as_type<std::int8_t>(base), as_type<std::int8_t>(queries), 15);
  expect_exact(as_type<std::uint8_t>(base), as_type<std::uint8_t>(queries), 15);
  expect_exact(as_type<std::uint8_t>(base), queries, 15);
}

TEST(ExactSearch, BytesBeyondFloatsIntegersAreExact) {
  // Sums pass 2^24, where float32 no longer holds every integer.
  const auto value = [](std::size_t, std::size_t, Random& random) {
    return 200 + static_cast<double>(random.below(56));
  };
  const Matrix<float> base = make(200, 1500, value), queries = make(45, 1500, value, 2);
  expect_exact(as_type<std::uint8_t>(base), as_type<std::uint8_t>(queries), 15);
}

TEST(ExactSearch, HalfFloatsKeepTheirRounding) {
  const Matrix<float> base = make(300, 29, normal), queries = make(45, 29, normal, 2);
  expect_exact(as_type<Half>(base), as_type<Half>(queries), 10);
  expect_exact(as_type<BFloat16>(base), as_type<BFloat16>(queries), 10);
}

TEST(ExactSearch, PadsWhenKExceedsTheBase) {
  expect_exact(make(5, 8, normal), make(20, 8, normal, 2), 12);
}

TEST(ExactSearch, AcceptsRowsAtAnyStride) {
  const Matrix<float> wide = make(300, 50, normal), queries = make(20, 21, normal, 2);
  const MatrixView<const float> strided(wide.data() + 3, 300, 21, wide.stride_bytes());
  expect_exact(strided, queries, 10);
}

TEST(ExactSearch, NoQueriesGiveNoRows) {
  EXPECT_EQ(exact_search(make(5, 8, normal), Matrix<float>(), {}).queries(), 0u);
}

template <class Call>
void expect_refused(const Call& call, const std::string& part) {
  try {
    call();
    FAIL() << "accepted; expected an error with: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(ExactSearch, RefusesWhatCannotBeSearchedAndSaysWhere) {
  const Matrix<float> base = make(9, 8, normal), queries = make(3, 8, normal);
  expect_refused([&] { exact_search(base, make(3, 7, normal), {}); }, "7 dimensions");
  expect_refused([&] { exact_search(base, queries, make_options(0)); }, "k = 0");
  expect_refused([&] { exact_search(Matrix<float>(), queries, {}); }, "empty");
  Matrix<float> broken = base.clone();
  broken(6, 2) = std::numeric_limits<float>::quiet_NaN();
  expect_refused([&] { exact_search(broken, queries, {}); }, "base row 6, column 2: nan");
  Matrix<Half> infinite = as_type<Half>(queries);
  infinite(1, 7) = Half(std::numeric_limits<float>::infinity());
  expect_refused([&] { exact_search(base, infinite, {}); }, "query row 1, column 7: inf");
  Matrix<std::uint8_t> zero(4, 8);
  zero(0, 0) = zero(1, 0) = zero(3, 0) = 1;
  expect_refused([&] { exact_search(zero, queries, make_options(5, Metric::cosine)); },
                 "base row 2: a zero vector");
  EXPECT_NO_THROW(exact_search(zero, queries, make_options(5, Metric::ip)));
}

TEST(ExactSearch, StopsWhenCancelled) {
  std::atomic<bool> cancel = true;
  ExactOptions options;
  options.control.cancel = &cancel;
  try {
    exact_search(make(9, 8, normal), make(3, 8, normal), options);
    FAIL() << "ran to the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

TEST(ExactSearch, ReportsProgressUpToTheEnd) {
  std::size_t last = 0, total = 0;
  ExactOptions options;
  options.control.progress = [&](std::string_view stage, std::size_t done, std::size_t of) {
    if (stage != "exact") return;
    last = done;
    total = of;
  };
  exact_search(make(900, 8, normal), make(30, 8, normal), options);
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
}

}  // namespace
}  // namespace kith
