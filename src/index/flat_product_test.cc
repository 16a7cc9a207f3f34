// Exact search as a product finds the same neighbours, to the bit, in float32 tiles and in bfloat16
// ones: whatever rounding moves is scored again.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "index/flat_batch.h"
#include "index/flat_search.h"
#include "index/flat_tiles.h"
#include "simd/kernels.h"

namespace kith {
namespace {

constexpr std::size_t kRows = 700, kQueries = 45, kK = 10;

// One query at a time is a scan, which knows nothing of tiles.
std::vector<std::vector<Hit>> by_scan(const Matrix<float>& base, const Matrix<float>& queries,
                                      Metric metric) {
  Control control;
  control.threads = 1;
  const FlatSearch flat(base, metric, {}, control);
  std::vector<std::vector<Hit>> all(queries.rows());
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const Neighbours found = flat.search(queries.view().slice(q, 1), kK, control);
    for (std::size_t j = 0; j < kK; ++j) all[q].push_back({found.distances(0, j), found.ids(0, j)});
  }
  return all;
}

std::vector<std::vector<Hit>> by_product(const Matrix<float>& base, const Matrix<float>& queries,
                                         Metric metric, bool narrow, std::size_t threads) {
  Control control;
  control.threads = threads;
  const AnyMatrixView rows(base), asked(queries);
  std::vector<float> norms;
  for (std::size_t i = 0; metric != Metric::l2 && i < base.rows(); ++i) {
    norms.push_back(std::sqrt(simd::norm_squared(base.row(i), base.cols())));
  }
  QueryGroup group{asked, {}, {}};
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    group.queries.emplace_back(rows, metric, queries.row(q));
    group.sets.emplace_back(kK);
  }
  Progress progress(control, "exact", 1);
  search_as_product({rows, metric, norms}, group, control, progress, narrow);
  CandidateScratch scratch(base.cols());
  std::vector<std::vector<Hit>> all;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    all.push_back(group.sets[q].finish(group.queries[q], scratch));
  }
  return all;
}

struct Kind {
  const char* name;
  double shift;      // of all components, beside a spread of 1
  double closeness;  // how far rows of a cluster lie apart
  double scale;
};
constexpr Kind kKinds[] = {{"Spread", 0, 1, 1},
                           {"Close", 0, 1e-4, 1},
                           {"FarFromTheOrigin", 1000, 1, 1},
                           {"Tiny", 0, 0.1, 1e-16},
                           {"TooTinyToSquare", 0, 0.1, 1e-30},
                           {"Huge", 0, 0.1, 1e25}};

class Tiles : public testing::TestWithParam<Kind> {
 protected:
  // Rows about twenty centres; every fifth is the one before, so that distances tie.
  static Matrix<float> rows(std::size_t count, std::size_t dim, std::uint64_t seed) {
    const Kind& kind = GetParam();
    Random centres(1), random(seed);
    Matrix<float> centre(20, dim), all(count, dim);
    for (std::size_t c = 0; c < centre.rows(); ++c) {
      for (std::size_t j = 0; j < dim; ++j) centre(c, j) = static_cast<float>(centres.normal());
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = random.below(centre.rows());
      for (std::size_t j = 0; j < dim; ++j) {
        const double value = kind.shift + centre(c, j) + kind.closeness * random.normal();
        all(i, j) = i % 5 == 4 ? all(i - 1, j) : static_cast<float>(kind.scale * value);
      }
    }
    return all;
  }
};

TEST_P(Tiles, OfEitherFormFindWhatAScanFinds) {
  for (const std::size_t dim : {1, 2, 31, 64, 100, 257}) {
    const Matrix<float> base = rows(kRows, dim, 2), queries = rows(kQueries, dim, 3);
    for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
      const auto expected = by_scan(base, queries, metric);
      for (const bool narrow : {false, true}) {
        for (const std::size_t threads : {1, 3}) {
          const auto found = by_product(base, queries, metric, narrow, threads);
          for (std::size_t q = 0; q < kQueries; ++q) {
            ASSERT_EQ(found[q], expected[q]) << name(metric) << ", " << dim << " dimensions, "
                                             << (narrow ? "narrow" : "float32") << ", query " << q;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(FlatProduct, Tiles, testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(info.param.name); });

// The bound that the search relies on: |e| |x| + (|q| + |e|) |f|, and float's own rounding.
TEST(FlatTiles, ValuesAreOffByNoMoreThanWhatRoundingTook) {
  Random random(1);
  for (const std::size_t dim : {1, 7, 32, 100, 768}) {
    FlatTiles tiles(dim, 1, true);
    Matrix<float> queries(tiles.a_rows(), dim), base(tiles.b_rows(), dim);
    for (Matrix<float>* matrix : {&queries, &base}) {
      for (std::size_t i = 0; i < matrix->rows(); ++i) {
        for (std::size_t j = 0; j < dim; ++j) {
          (*matrix)(i, j) = static_cast<float>(std::exp(2 * random.normal()) * random.normal());
        }
      }
    }
    Matrix<std::byte> a(1, tiles.a_bytes()), b(1, tiles.b_bytes());
    std::vector<float> lost_a(tiles.a_rows()), lost_b(tiles.b_rows());
    tiles.pack_a(queries, queries.rows(), a.row(0), lost_a);
    tiles.pack_b(base, base.rows(), b.row(0), lost_b, 0);
    const std::vector<float> offsets(tiles.b_rows(), 0.5f), thresholds(tiles.a_rows(), INFINITY);
    std::vector<simd::TileHit> hits(tiles.a_rows() * tiles.b_rows());
    const auto session = tiles.session();
    ASSERT_EQ(tiles.select(a.row(0), b.row(0), offsets.data(), thresholds.data(), hits.data()),
              hits.size());
    for (const simd::TileHit& hit : hits) {
      double exact = 0.5, size = 0.5, q = 0, x = 0;
      for (std::size_t j = 0; j < dim; ++j) {
        const double u = queries(hit.a, j), v = base(hit.b, j);
        exact += u * v;
        size += std::fabs(u * v);
        q += u * u;
        x += v * v;
      }
      const double bound =
          lost_a[hit.a] * std::sqrt(x) + (std::sqrt(q) + lost_a[hit.a]) * lost_b[hit.b];
      ASSERT_LE(std::fabs(hit.value - exact), 1.001 * bound + 2 * sum_error(dim) * size);
      ASSERT_LE(lost_a[hit.a], 0x1p-8 * std::sqrt(q));
    }
  }
}

TEST(FlatTiles, MissingRowsAndThresholdsThatAreNoNumbersGiveNothing) {
  constexpr std::size_t kDim = 40;
  FlatTiles tiles(kDim, 1, true);
  Matrix<float> rows(tiles.b_rows(), kDim);
  Matrix<std::byte> a(1, tiles.a_bytes()), b(1, tiles.b_bytes());
  std::vector<float> lost(tiles.b_rows());
  tiles.pack_a(rows, 3, a.row(0), lost);
  tiles.pack_b(rows, 5, b.row(0), lost, 0);
  std::vector<float> offsets(tiles.b_rows(), NAN), thresholds(tiles.a_rows(), NAN);
  for (std::size_t j = 0; j < 5; ++j) offsets[j] = static_cast<float>(j);
  for (std::size_t i = 0; i < 3; ++i) thresholds[i] = static_cast<float>(i);
  std::vector<simd::TileHit> hits(tiles.a_rows() * tiles.b_rows());
  const auto session = tiles.session();
  EXPECT_EQ(tiles.select(a.row(0), b.row(0), offsets.data(), thresholds.data(), hits.data()),
            1u + 2u + 3u);
  EXPECT_EQ(hits[5].a, 2);
  EXPECT_EQ(hits[5].b, 2);
}

}  // namespace
}  // namespace kith
