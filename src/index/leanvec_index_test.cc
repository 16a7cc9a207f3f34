// Indexes over reduced vectors: the walk reads few dimensions, the whole vectors decide.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "base/random.h"
#include "base/test_path.h"
#include "codec/rotation.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

constexpr std::size_t kDim = 64;

// Embeddings of a falling spectrum around a few centres. `first` moves the spectrum's start.
Matrix<float> embeddings(std::size_t rows, std::size_t first, std::uint64_t seed) {
  Matrix<float> x(rows, kDim);
  Random random(seed);
  const Rotation rotation(kDim, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) {
      const auto place = static_cast<double>((j + kDim - first) % kDim);
      x(i, j) = static_cast<float>(std::pow(0.93, place) * random.normal());
    }
    rotation.apply(x.row(i));
  }
  return x;
}

double recall_of(const Index& index, const Matrix<float>& base, const Matrix<float>& queries,
                 std::size_t beam) {
  ExactOptions exact;
  exact.k = 20;
  exact.metric = index.metric();
  SearchOptions search;
  search.beam = beam;
  return recall_at(index.search(queries, 10, search), exact_search(base, queries, exact), 10);
}

BuildOptions options(Metric metric, const char* codec, const char* method = "auto") {
  BuildOptions options;
  options.metric = metric;
  options.index = "graph";
  options.codec = codec;
  options.leanvec = method;
  return options;
}

TEST(LeanVecIndex, FindsTheNeighboursUnderEveryMetric) {
  const Matrix<float> base = embeddings(3000, 0, 1), queries = embeddings(100, 0, 2);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const char* codec :
         {"leanvec32-lvq8+f16", "leanvec32-rot-lvq4+rot-lvq8", "leanvec32-rabitq4+f32"}) {
      const Index index = Index::build(base, Labels(), options(metric, codec));
      EXPECT_EQ(index.info().codec, codec);
      EXPECT_GE(recall_of(index, base, queries, 200), 0.95) << name(metric) << " " << codec;
    }
  }
}

TEST(LeanVecIndex, TrainingQueriesHelpThoseOfTheirKind) {
  const Matrix<float> base = embeddings(3000, 0, 1), queries = embeddings(100, 20, 2);
  const Matrix<float> training = embeddings(1000, 20, 3);
  const auto recall = [&](const char* method) {
    BuildOptions build = options(Metric::ip, "leanvec16-lvq8+f16", method);
    if (std::string(method) != "id") build.train_queries = training;
    return recall_of(Index::build(base, Labels(), build), base, queries, 100);
  };
  const double id = recall("id");
  for (const char* method : {"es", "fw", "es+fw", "auto"}) EXPECT_GT(recall(method), id) << method;
}

// Reduced distances of queries unlike the vectors err more than those of vectors held out.
TEST(LeanVecIndex, ReScoresAsFarAsTrainingQueriesNeed) {
  const Matrix<float> base = embeddings(3000, 0, 1), queries = embeddings(100, 20, 2);
  const Matrix<float> training = embeddings(500, 20, 3);
  ExactOptions exact;
  exact.k = 20;
  exact.metric = Metric::cosine;
  const Neighbours truth = exact_search(base, queries, exact);
  BuildOptions build = options(Metric::cosine, "leanvec24-rot-lvq8+f16", "id");
  SearchOptions search, whole;
  search.beam = whole.beam = whole.rerank = 256;
  const auto lost = [&] {
    const Index index = Index::build(base, Labels(), build);
    return recall_at(index.search(queries, 10, whole), truth, 10) -
           recall_at(index.search(queries, 10, search), truth, 10);
  };
  EXPECT_GT(lost(), 0.1);  // measured with vectors held out
  build.train_queries = training;
  EXPECT_LT(lost(), 0.02);
}

TEST(LeanVecIndex, AnswersTheSameFromAFileAndTakesMoreVectors) {
  const Matrix<float> base = embeddings(2500, 0, 1), queries = embeddings(60, 10, 2);
  const Matrix<float> training = embeddings(500, 10, 3), more = embeddings(1000, 0, 4);
  BuildOptions build = options(Metric::cosine, "leanvec24-rot-lvq8+f16", "es+fw");
  build.train_queries = training;
  const Index built = Index::build(base, Labels(), build);
  const std::string path = test_path("leanvec.kith");
  built.save(path);
  Index opened = Index::open(path);
  const Neighbours a = built.search(queries, 10), b = opened.search(queries, 10);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(a.ids(q, i), b.ids(q, i));
  }
  opened.add(more, Labels());
  Matrix<float> all(3500, kDim);
  for (std::size_t i = 0; i < 3500; ++i) {
    std::copy_n(i < 2500 ? base.row(i) : more.row(i - 2500), kDim, all.row(i));
  }
  EXPECT_GE(recall_of(opened, all, queries, 300), 0.9);
  std::vector<float> whole(kDim);
  opened.vector(3000, whole.data());  // of the codec that re-ranks
  float norm = 0;
  for (const float value : whole) norm += value * value;
  EXPECT_NEAR(norm, 1, 1e-2);
  std::filesystem::remove(path);
}

TEST(LeanVecIndex, AFlatIndexReRanksWhatTheReducedScanFound) {
  const Matrix<float> base = embeddings(1500, 0, 1), queries = embeddings(50, 0, 2);
  BuildOptions build = options(Metric::l2, "leanvec32-lvq8+f32");
  build.index = "flat";
  EXPECT_GE(recall_of(Index::build(base, Labels(), build), base, queries, 0), 0.9);
}

TEST(LeanVecIndex, SaysWhatItCanNotLearnFrom) {
  const Matrix<float> base = embeddings(300, 0, 1);
  const auto refused = [&](BuildOptions build) -> std::string {
    try {
      Index::build(base, Labels(), build);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_NE(refused(options(Metric::ip, "leanvec65-lvq8+f16")).find("expected 1 to 64"),
            std::string::npos);
  EXPECT_NE(refused(options(Metric::ip, "leanvec16-lvq8+f16", "fw")).find("none to train on"),
            std::string::npos);
  EXPECT_NE(refused(options(Metric::ip, "leanvec16-lvq8+f16", "best")).find("expected id, es"),
            std::string::npos);
  BuildOptions build = options(Metric::ip, "leanvec16-lvq8+f16");
  Matrix<float> bad(20, kDim);
  build.train_queries = bad;
  EXPECT_NE(refused(build).find("span 0 dimensions"), std::string::npos) << refused(build);
  bad(3, 2) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(refused(build).find("training query row 3, column 2: nan"), std::string::npos)
      << refused(build);
  const Matrix<float> narrow(20, 32);
  build.train_queries = narrow;
  EXPECT_NE(refused(build).find("32 dimensions"), std::string::npos);
  build = options(Metric::ip, "lvq8");
  build.train_queries = base;
  EXPECT_NE(refused(build).find("learns nothing from queries"), std::string::npos);
}

}  // namespace
}  // namespace kith
