#include "index/centre_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/test_rows.h"
#include "kith/index.h"

namespace kith {
namespace {

std::shared_ptr<const Centres> some_centres(std::size_t count, Centres::By by) {
  Centres centres(normal_rows(count, 24, 1));
  centres.keep_rough_copy(by);
  return std::make_shared<Centres>(std::move(centres));
}

Control of_threads(std::size_t threads) {
  Control control;
  control.threads = threads;
  return control;
}

TEST(CentreGraph, FindsNearlyAllOfTheNearestInOrder) {
  constexpr std::size_t kWanted = 20;
  for (const auto by : {Centres::By::distance, Centres::By::product}) {
    const auto centres = some_centres(3000, by);
    const CentreGraph graph(centres, 1, {});
    const Matrix<float> rows = normal_rows(100, 24, 2);
    std::vector<std::uint32_t> want(kWanted), found(kWanted);
    std::vector<float> want_scores(kWanted), scores(kWanted);
    std::size_t same = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      centres->nearest_few(rows.view().slice(i, 1), kWanted, by, {}, want, want_scores);
      graph.nearest_few(rows.row(i), kWanted, found.data(), scores.data());
      EXPECT_TRUE(std::is_sorted(scores.begin(), scores.end()));
      for (std::size_t j = 0; j < kWanted; ++j) {
        const auto at = std::find(want.begin(), want.end(), found[j]);
        if (at == want.end()) continue;
        ++same;
        EXPECT_NEAR(scores[j], want_scores[static_cast<std::size_t>(at - want.begin())], 1e-3);
      }
    }
    EXPECT_GE(same, 97 * kWanted * rows.rows() / 100);
  }
}

TEST(CentreGraph, WantingAllFindsAllOfThem) {
  const auto centres = some_centres(500, Centres::By::distance);
  const CentreGraph graph(centres, 1, {});
  std::vector<std::uint32_t> found(500);
  std::vector<float> scores(500);
  graph.nearest_few(normal_rows(1, 24, 3).row(0), 500, found.data(), scores.data());
  std::sort(found.begin(), found.end());
  for (std::uint32_t i = 0; i < 500; ++i) EXPECT_EQ(found[i], i);
}

TEST(CentreGraph, EqualCentresAreAllThere) {
  Matrix<float> rows(300, 24);
  const Matrix<float> few = normal_rows(3, 24, 4);
  for (std::size_t i = 0; i < rows.rows(); ++i) std::copy_n(few.row(i % 3), 24, rows.row(i));
  Centres equal(std::move(rows));
  equal.keep_rough_copy(Centres::By::distance);
  const CentreGraph graph(std::make_shared<Centres>(std::move(equal)), 1, {});
  std::vector<std::uint32_t> found(300);
  std::vector<float> scores(300);
  graph.nearest_few(few.row(1), 300, found.data(), scores.data());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(std::unique(found.begin(), found.end()), found.end());
}

TEST(CentreGraph, IsTheSameForAnyNumberOfThreads) {
  const auto centres = some_centres(3000, Centres::By::distance);
  const CentreGraph one(centres, 1, of_threads(1)), three(centres, 1, of_threads(3));
  const Matrix<float> rows = normal_rows(50, 24, 5);
  std::vector<std::uint32_t> a(30), b(30);
  std::vector<float> a_scores(30), b_scores(30);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    one.nearest_few(rows.row(i), 30, a.data(), a_scores.data());
    three.nearest_few(rows.row(i), 30, b.data(), b_scores.data());
    EXPECT_EQ(a, b);
  }
}

TEST(CentreGraph, PaysWhereCentresAreManyAndFewOfThemAreWanted) {
  EXPECT_FALSE(CentreGraph::pays(1000, 8));
  EXPECT_TRUE(CentreGraph::pays(16384, 8));
  EXPECT_FALSE(CentreGraph::pays(16384, 8000));
}

}  // namespace
}  // namespace kith
