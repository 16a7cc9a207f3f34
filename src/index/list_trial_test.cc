#include "index/list_trial.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "index/implementation.h"

namespace kith {
namespace {

// Points around a hundred centres, `spread` apart from them; or, with a spread far above 1, noise.
Matrix<float> around_centres(std::size_t rows, std::size_t dim, float spread) {
  Random random(1);
  Matrix<float> centres(100, dim), x(rows, dim);
  for (std::size_t c = 0; c < centres.rows(); ++c) {
    for (std::size_t j = 0; j < dim; ++j) centres(c, j) = static_cast<float>(random.normal());
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const float* centre = centres.row(random.below(100));
    for (std::size_t j = 0; j < dim; ++j) {
      x(i, j) = centre[j] + spread * static_cast<float>(random.normal());
    }
  }
  return x;
}

TEST(ListTrial, NoiseTakesFarMoreLookupsThanClusters) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const double clusters =
        lookups_by_lists(around_centres(4000, 32, 0.3f), metric, 96, 16, 1, Control());
    const double noise =
        lookups_by_lists(around_centres(4000, 32, 9.0f), metric, 96, 16, 1, Control());
    EXPECT_GT(clusters, 0) << name(metric);
    EXPECT_LT(4 * clusters, noise) << name(metric);
    EXPECT_LE(noise, 4000.0 * 16) << name(metric);  // all codes, once
  }
}

TEST(ListTrial, IsTheSameForAnyNumberOfThreads) {
  const Matrix<float> rows = around_centres(3000, 16, 1.0f);
  Control one, three;
  one.threads = 1;
  three.threads = 3;
  EXPECT_EQ(lookups_by_lists(rows, Metric::l2, 64, 8, 5, one),
            lookups_by_lists(rows, Metric::l2, 64, 8, 5, three));
}

std::string chosen(const AnyMatrixView& rows, const BuildOptions& options = {}) {
  return resolve(options, rows).index;
}

TEST(ListTrial, ListsAreChosenWhereVectorsGatherAndAGraphWhereTheyDoNot) {
  EXPECT_EQ(chosen(around_centres(3000, 32, 0.3f)), "ivf");
  // 9,000 vectors of 1,024 dimensions without any order: most lists must be scanned.
  EXPECT_EQ(chosen(around_centres(9000, 1024, 50.0f)), "graph");
  EXPECT_EQ(chosen(around_centres(1000, 32, 0.3f)), "flat");
}

TEST(ListTrial, AnOptionOfOneKindChoosesIt) {
  const Matrix<float> rows = around_centres(3000, 16, 0.3f);
  BuildOptions degree, build_beam, order, lists, codec, product;
  degree.degree = 20;
  build_beam.build_beam = 30;
  order.order = "given";
  lists.lists = 20;
  codec.codec = "lvq8";
  product.codec = "pq8+f16";
  for (const BuildOptions& options : {degree, build_beam, order, codec}) {
    EXPECT_EQ(chosen(rows, options), "graph");
  }
  for (const BuildOptions& options : {lists, product}) EXPECT_EQ(chosen(rows, options), "ivf");
  EXPECT_EQ(chosen(Matrix<std::uint8_t>(3000, 16)), "graph");
}

}  // namespace
}  // namespace kith
