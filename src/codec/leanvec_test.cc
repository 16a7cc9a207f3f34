// LeanVec's promises: a reduction that keeps products, better than chance and, learned from
// queries, better than without them; one map for l2; the same after a file; clear refusals.
#include "codec/leanvec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/test_path.h"
#include "codec/rotation.h"
#include "codec/spec.h"
#include "codec/stage.h"
#include "kith/error.h"

namespace kith {
namespace {

// Rows of a spectrum that falls by `decay` a direction, from direction `first` on (cyclically),
// in a rotated space: rows and queries of different `first` have different spectra.
Matrix<float> spectrum(std::size_t rows, std::size_t dim, double decay, std::size_t first,
                       std::uint64_t seed, float shift = 0) {
  Matrix<float> x(rows, dim);
  Random random(seed);
  const Rotation rotation(dim, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      const auto place = static_cast<double>((j + dim - first) % dim);
      x(i, j) = static_cast<float>(std::pow(decay, place) * random.normal()) + shift;
    }
    rotation.apply(x.row(i));
  }
  return x;
}

LeanVec learned(MatrixView<const float> rows, MatrixView<const float> queries, std::size_t reduced,
                LeanVecMethod method, Metric metric = Metric::ip) {
  LeanVec leanvec(rows.cols(), reduced, metric);
  leanvec.train(rows, queries, method, {});
  return leanvec;
}

// |Q A B' X' - Q X'|^2 / |Q X'|^2, one product after another.
double measured_loss(const LeanVec& leanvec, const Matrix<float>& rows,
                     const Matrix<float>& queries) {
  double lost = 0, all = 0;
  Matrix<float> x = rows.clone(), q = queries.clone();
  for (std::size_t i = 0; i < x.rows(); ++i) leanvec.reduce(x.row(i));
  for (std::size_t i = 0; i < q.rows(); ++i) leanvec.reduce_query(q.row(i));
  for (std::size_t a = 0; a < q.rows(); ++a) {
    for (std::size_t b = 0; b < x.rows(); ++b) {
      double whole = 0, reduced = 0;
      for (std::size_t j = 0; j < x.cols(); ++j) whole += double{queries(a, j)} * rows(b, j);
      for (std::size_t j = 0; j < leanvec.reduced(); ++j) reduced += double{q(a, j)} * x(b, j);
      lost += (whole - reduced) * (whole - reduced);
      all += whole * whole;
    }
  }
  return lost / all;
}

TEST(LeanVec, LosesWhatItSays) {
  const Matrix<float> rows = spectrum(300, 24, 0.85, 0, 1), queries = spectrum(200, 24, 0.8, 6, 2);
  for (const LeanVecMethod method :
       {LeanVecMethod::id, LeanVecMethod::es, LeanVecMethod::fw, LeanVecMethod::es_fw}) {
    const LeanVec leanvec = learned(rows, queries, 8, method);
    EXPECT_NEAR(leanvec.loss(), measured_loss(leanvec, rows, queries), 1e-3 * leanvec.loss());
  }
}

TEST(LeanVec, QueriesOfAnotherKindTeachItWhatToKeep) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Matrix<float> rows = spectrum(1000, 40, 0.9, 0, seed);
    const Matrix<float> queries = spectrum(500, 40, 0.8, 12, seed + 10);
    const auto loss = [&](LeanVecMethod method) {
      return learned(rows, queries, 10, method).loss();
    };
    const double id = loss(LeanVecMethod::id), es = loss(LeanVecMethod::es);
    const double fw = loss(LeanVecMethod::fw), both = loss(LeanVecMethod::es_fw);
    EXPECT_LT(es, 0.8 * id) << seed;
    EXPECT_LT(fw, 0.8 * id) << seed;
    EXPECT_LE(both, es * 1.001) << seed;
  }
}

TEST(LeanVec, WithoutOtherQueriesTheLargestDirectionsAreBest) {
  const Matrix<float> rows = spectrum(2000, 32, 0.8, 0, 1);
  const LeanVec leanvec = learned(rows, {}, 8, LeanVecMethod::id);
  // |Q X'|^2 sums fourth powers of the spectrum's: what lies beyond the eighth direction.
  double beyond = 0, all = 0;
  for (int j = 0; j < 32; ++j) {
    all += std::pow(0.8, 4 * j);
    beyond += j >= 8 ? std::pow(0.8, 4 * j) : 0;
  }
  EXPECT_NEAR(leanvec.loss(), beyond / all, 0.3 * beyond / all);
  EXPECT_LT(leanvec.loss(), 0.01);
}

TEST(LeanVec, KeepsColumnsOrthonormalWhereOneMapServesBoth) {
  const Matrix<float> rows = spectrum(300, 20, 0.9, 0, 1), queries = spectrum(300, 20, 0.9, 5, 2);
  for (const LeanVecMethod method : {LeanVecMethod::id, LeanVecMethod::es}) {
    const LeanVec leanvec = learned(rows, queries, 6, method, Metric::l2);
    for (std::size_t a = 0; a < 6; ++a) {
      for (std::size_t b = 0; b < 6; ++b) {
        double product = 0;
        for (std::size_t j = 0; j < 20; ++j) {
          product += double{leanvec.rows()(a, j)} * leanvec.rows()(b, j);
          EXPECT_EQ(leanvec.rows()(a, j), leanvec.queries()(a, j));
        }
        EXPECT_NEAR(product, a == b ? 1 : 0, 1e-5);
      }
    }
  }
}

// All dimensions kept, l2 is unchanged: whatever the mean.
TEST(LeanVec, OfAllDimensionsIsARotationAboutTheMean) {
  const Matrix<float> rows = spectrum(200, 16, 0.9, 0, 1, 10);
  const LeanVec leanvec = learned(rows, {}, 16, LeanVecMethod::id, Metric::l2);
  Matrix<float> reduced = rows.clone();
  for (std::size_t i = 0; i < 200; ++i) leanvec.reduce(reduced.row(i));
  for (std::size_t i = 1; i < 20; ++i) {
    double before = 0, after = 0;
    for (std::size_t j = 0; j < 16; ++j) {
      before += std::pow(double{rows(i, j)} - rows(0, j), 2);
      after += std::pow(double{reduced(i, j)} - reduced(0, j), 2);
    }
    EXPECT_NEAR(after, before, 1e-4 * before);
  }
}

TEST(LeanVec, IsTheSameForAnyNumberOfThreadsAndAfterAFile) {
  const Matrix<float> rows = spectrum(3000, 80, 0.95, 0, 1), queries = spectrum(500, 80, 0.9, 9, 2);
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    LeanVec leanvec(80, 20, Metric::ip);
    Control control;
    control.threads = threads;
    leanvec.train(rows, queries, LeanVecMethod::es_fw, control);
    std::vector<float> x(rows.row(3), rows.row(3) + 80);
    leanvec.reduce(x.data());
    if (threads == 1) first = x;
    EXPECT_EQ(x, first);

    const std::string path = test_path("leanvec.kith");
    KithFileWriter writer;
    leanvec.save(writer, "primary");
    writer.add_text("meta", "");
    writer.write(path, {});
    LeanVec loaded(80, 20, Metric::ip);
    loaded.load(KithFileReader::open(path, true), "primary");
    std::filesystem::remove(path);
    std::copy_n(rows.row(3), 80, x.begin());
    loaded.reduce(x.data());
    EXPECT_EQ(x, first);
  }
}

TEST(LeanVec, RefusesWhatCanNotBeLearned) {
  const Matrix<float> rows = spectrum(100, 12, 0.9, 0, 1), few = spectrum(3, 12, 0.9, 0, 2);
  Matrix<float> flat(100, 12);  // spans two dimensions
  for (std::size_t i = 0; i < 100; ++i) flat(i, 0) = static_cast<float>(i), flat(i, 1) = 1;
  const auto message = [](auto work) -> std::string {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.what();
    }
    return "nothing";
  };
  const auto train = [&](const Matrix<float>& x, MatrixView<const float> q, LeanVecMethod method,
                         Metric metric) {
    return message([&] { learned(x, q, 4, method, metric); });
  };
  EXPECT_EQ(message([] { LeanVec(12, 13, Metric::ip); }),
            "leanvec13: the vectors have 12 dimensions, expected 1 to 12");
  EXPECT_EQ(train(rows, few, LeanVecMethod::es, Metric::ip),
            "leanvec4: 3 training queries to learn from, expected at least 4");
  EXPECT_EQ(train(flat, {}, LeanVecMethod::id, Metric::ip),
            "leanvec4: the vectors span 2 dimensions, expected at least 4");
  EXPECT_EQ(train(rows, flat, LeanVecMethod::fw, Metric::ip),
            "leanvec4: the training queries span 2 dimensions, expected at least 4");
  EXPECT_EQ(train(rows, {}, LeanVecMethod::es, Metric::ip),
            "leanvec4: es and fw learn from queries, but there are none to train on");
  EXPECT_NE(train(rows, rows, LeanVecMethod::fw, Metric::l2).find("which l2 can't measure"),
            std::string::npos);
  EXPECT_NE(message([] { parse_leanvec("pca"); }).find("expected id, es, fw or es+fw"),
            std::string::npos);
}

TEST(LeanVec, IsATransformBeforeACodec) {
  const CodecSpec spec = CodecSpec::parse("leanvec160-rot-lvq8+f16");
  EXPECT_EQ(spec.reduced, 160u);
  EXPECT_TRUE(spec.rotate);
  EXPECT_EQ(spec.name(), "leanvec160-rot-lvq8+f16");
  for (const char* bad : {"leanvec160-lvq8", "leanvec-lvq8+f16", "leanvec0-lvq8+f16",
                          "rot-leanvec8-lvq8+f16", "lvq4+leanvec8-f16", "leanvec8-pq4+f16"}) {
    EXPECT_THROW(CodecSpec::parse(bad), Error) << bad;
  }
  EXPECT_THROW(Stage("u8", false, 16, Metric::l2, 1, 8), Error);

  const Matrix<float> rows = spectrum(500, 40, 0.8, 0, 1);
  Stage stage("lvq8", false, 40, Metric::l2, 1, 12);
  stage.train(rows, 1, {});
  stage.resize(rows.rows());
  std::vector<Id> ids(rows.rows());
  std::iota(ids.begin(), ids.end(), Id{0});
  stage.encode(loader_of(rows), ids, {});
  EXPECT_EQ(stage.name(), "leanvec12-lvq8");
  std::visit([](const auto& codec) { EXPECT_EQ(codec.dim(), 12u); }, stage.codec());
  std::vector<float> out(40);
  EXPECT_THROW(stage.decode(0, out.data()), Error);
}

}  // namespace
}  // namespace kith
