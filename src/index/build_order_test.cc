#include "index/build_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/test_path.h"
#include "index/test_data.h"
#include "kith/error.h"
#include "kith/exact.h"

namespace kith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kOrders = {"random", "given", "lid-ascending", "lid-descending",
                                          "by-label"};

BuildOptions ordered(const std::string& order) {
  BuildOptions options;
  options.index = "graph";
  options.codec = "f32";
  options.order = order;
  return options;
}

// Halves of 2 and of 8 dimensions, far apart.
Matrix<float> thin_and_thick(std::size_t half) {
  Matrix<float> rows(2 * half, 24);
  const Matrix<float> thin = flat_cube(half, 24, 2, 3), thick = flat_cube(half, 24, 8, 4);
  for (std::size_t i = 0; i < half; ++i) {
    std::copy_n(thin.row(i), 24, rows.row(i));
    std::copy_n(thick.row(i), 24, rows.row(half + i));
    rows(half + i, 0) += 100;
  }
  return rows;
}

std::string file_of(const Index& index) {
  const std::string path = test_path("build-order.kith");
  index.save(path);
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  return bytes;
}

TEST(BuildOrder, OfLabelsIsThatOfTheirCategories) {
  const Matrix<float> rows(6, 4);
  const Labels paths(
      std::vector<std::string>{"web/curl", "games/chess", "web/", "rust", "games", "web/wget"});
  EXPECT_THAT(order_keys(rows, paths, ordered("by-label")), ElementsAre(0, 1, 0, 2, 1, 0));
  const Labels numbers(std::vector<std::uint64_t>{7, 7, 3, 7, 9, 3});
  EXPECT_THAT(order_keys(rows, numbers, ordered("by-label")), ElementsAre(0, 0, 1, 0, 2, 1));
}

TEST(BuildOrder, GivenIsTheRowsOrderAndRandomHasNone) {
  const Matrix<float> rows(4, 4);
  EXPECT_THAT(order_keys(rows, Labels(), ordered("given")), ElementsAre(0, 1, 2, 3));
  EXPECT_TRUE(order_keys(rows, Labels(), ordered("random")).empty());
}

TEST(BuildOrder, ByLidPutsThinPartsFirstOrLast) {
  const Matrix<float> rows = thin_and_thick(1000);
  const auto middle = [](std::vector<double> keys, std::size_t first) {
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, begin + 1000);
    return begin[500];
  };
  const std::vector<double> up = order_keys(rows, Labels(), ordered("lid-ascending"));
  const std::vector<double> down = order_keys(rows, Labels(), ordered("lid-descending"));
  EXPECT_LT(middle(up, 0), middle(up, 1000));
  EXPECT_GT(middle(down, 0), middle(down, 1000));
}

TEST(BuildOrder, ByLidPutsWhatHasNoneLast) {
  Matrix<float> rows = flat_cube(400, 6, 3, 7);
  for (std::size_t i = 1; i < 150; ++i) std::copy_n(rows.row(0), 6, rows.row(i));
  const auto isinf = [](double key) { return std::isinf(key) && key > 0; };
  for (const char* order : {"lid-ascending", "lid-descending"}) {
    const std::vector<double> keys = order_keys(rows, Labels(), ordered(order));
    EXPECT_TRUE(std::all_of(keys.begin(), keys.begin() + 150, isinf)) << order;
    EXPECT_LT(std::count_if(keys.begin() + 150, keys.end(), isinf), 25) << order;
  }
}

TEST(BuildOrder, ChangesTheGraphButNotWhatIdsMean) {
  const Matrix<float> rows = thin_and_thick(1500);
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < rows.rows(); ++i) numbers.push_back(i % 7);
  const Labels labels(numbers);
  ExactOptions exact;
  exact.k = 10;
  const Matrix<float> queries = thin_and_thick(100);
  const Neighbours truth = exact_search(rows, queries, exact);
  std::vector<std::string> files;
  for (const std::string& order : kOrders) {
    const Index index = Index::build(rows, labels, ordered(order));
    EXPECT_GT(recall_at(index.search(queries, 10), truth, 10), 0.9) << order;
    const Neighbours own = index.search(rows, 1);
    std::size_t found = 0;
    for (Id i = 0; i < rows.rows(); ++i) found += own.ids(i, 0) == i ? 1 : 0;
    EXPECT_GT(found, rows.rows() * 99 / 100) << order;
    EXPECT_EQ(index.labels().number(8), 1u);
    files.push_back(file_of(index));
  }
  std::sort(files.begin(), files.end());
  EXPECT_EQ(std::unique(files.begin(), files.end()), files.end());
}

TEST(BuildOrder, GivesOneGraphForAnyNumberOfThreads) {
  const Matrix<float> rows = thin_and_thick(1000);
  for (const char* order : {"given", "lid-descending"}) {
    BuildOptions options = ordered(order);
    options.control.threads = 1;
    const std::string one = file_of(Index::build(rows, Labels(), options));
    options.control.threads = 3;
    EXPECT_EQ(one, file_of(Index::build(rows, Labels(), options))) << order;
  }
}

TEST(BuildOrder, TakesSetsTooSmallForALid) {
  for (const std::size_t count : {1, 2, 3, 20, 60}) {
    const Matrix<float> rows = flat_cube(count, 6, 2, count);
    const Index index = Index::build(rows, Labels(), ordered("lid-ascending"));
    EXPECT_EQ(index.search(rows, 1).ids(0, 0), 0u);
  }
}

TEST(BuildOrder, ThatMeansNothingIsRefused) {
  const Matrix<float> rows = flat_cube(300, 6, 2, 1);
  const auto refusal = [&](const BuildOptions& options) -> std::string {
    try {
      Index::build(rows, Labels(), options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal(ordered("sorted")), HasSubstr("order 'sorted': expected random, given"));
  EXPECT_THAT(refusal(ordered("by-label")), HasSubstr("no labels"));
  BuildOptions flat = ordered("given");
  flat.index = "auto";  // flat, for so few
  EXPECT_THAT(refusal(flat), HasSubstr("order 'given' with index 'flat'"));
  BuildOptions lists;
  lists.index = "ivf";
  lists.order = "lid-ascending";
  EXPECT_THAT(refusal(lists), HasSubstr("with index 'ivf'"));
}

TEST(BuildOrder, ByLidIsInTheForecast) {
  const Matrix<float> rows = flat_cube(8000, 16, 6, 2);
  BuildOptions options = ordered("random");
  options.control.threads = 1;
  const double without = plan_build(rows, Labels(), options).build_cpu_seconds;
  options.order = "lid-ascending";
  EXPECT_GT(plan_build(rows, Labels(), options).build_cpu_seconds, without);
}

}  // namespace
}  // namespace kith
