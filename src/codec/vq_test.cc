// Product codes of any number of bits: codes are those of the nearest codewords, distances those of
// decoded vectors, and what is stored takes the bytes that its name says.
#include "codec/vq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/test_error.h"
#include "base/test_path.h"
#include "base/test_rows.h"
#include "codec/any.h"
#include "kith/error.h"

namespace kith {
namespace {

using testing::HasSubstr;

// Rows that have broken quantisers.
Matrix<float> hostile(std::size_t dim) {
  Matrix<float> x = normal_rows(24, dim, 9);
  for (std::size_t j = 0; j < dim; ++j) {
    x(0, j) = 0;
    x(1, j) = 3.25F;
    x(2, j) *= 1e6F;
    x(3, j) *= 1e-6F;
    x(4, j) = j == 0 ? 1000.0F : x(4, j);
    x(5, j) = x(6, j);
  }
  return x;
}

Vq encoded(const Matrix<float>& x, Metric metric, const VqWord& word) {
  Vq codec(x.cols(), metric, word);
  codec.train(x.view());
  codec.resize(x.rows());
  for (std::size_t i = 0; i < x.rows(); ++i) codec.encode(static_cast<Id>(i), x.row(i));
  return codec;
}

double squared(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) sum += (double{a[j]} - b[j]) * (double{a[j]} - b[j]);
  return sum;
}

const std::vector<VqWord> kShapes = {{1, 1}, {3, 4}, {4, 8}, {5, 5}, {7, 10}, {2, 12}};

TEST(VqCodes, AreThoseOfTheNearestCodewords) {
  constexpr std::size_t kDim = 17;
  for (const VqWord& word : kShapes) {
    for (const Matrix<float>& x : {normal_rows(60, kDim, 3), hostile(kDim)}) {
      const Vq codec = encoded(x, Metric::l2, word);
      const Codebooks& books = codec.codebooks();
      std::vector<std::uint32_t> code(word.parts);
      std::vector<float> decoded(kDim);
      for (std::size_t i = 0; i < x.rows(); ++i) {
        codec.unpack(static_cast<Id>(i), code.data());
        codec.decode(static_cast<Id>(i), decoded.data());
        for (std::size_t m = 0; m < word.parts; ++m) {
          double best = std::numeric_limits<double>::infinity(), chosen = 0;
          for (std::size_t w = 0; w < books.words(); ++w) {
            double distance = 0;
            for (std::size_t j = books.begin(m); j < books.begin(m + 1); ++j) {
              distance += std::pow(double{x(i, j)} - books.values()[j * books.words() + w], 2);
            }
            best = std::min(best, distance);
            if (w == code[m]) chosen = distance;
          }
          EXPECT_LE(chosen, best * (1 + 1e-5) + 1e-12) << i << ", part " << m;
        }
        EXPECT_LE(std::sqrt(squared(x.row(i), decoded.data(), kDim)),
                  codec.error_bound(static_cast<Id>(i)));
      }
    }
  }
}

TEST(VqDistances, AreThoseOfDecodedVectors) {
  constexpr std::size_t kDim = 21, kRows = 70;
  const Matrix<float> x = normal_rows(kRows, kDim, 3), queries = normal_rows(3, kDim, 4);
  std::vector<Id> ids;
  for (Id i = kRows; i > 0; --i) ids.push_back(i - 1);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const VqWord& word : kShapes) {
      const Vq codec = encoded(x, metric, word);
      Vq::Query query;
      std::vector<float> some(kRows), best(kRows), all(kRows), decoded(kDim);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        codec.prepare(queries.row(q), query);
        codec.score(query, ids.data(), kRows, some.data());
        codec.score_best(query, ids.data(), kRows, best.data());
        codec.score_range(query, 0, kRows, all.data());
        EXPECT_EQ(some, best);
        for (std::size_t i = 0; i < kRows; ++i) {
          codec.decode(ids[i], decoded.data());
          double expected = squared(queries.row(q), decoded.data(), kDim);
          if (metric != Metric::l2) {
            expected = metric == Metric::cosine ? 1 : 0;
            for (std::size_t j = 0; j < kDim; ++j) {
              expected -= double{queries(q, j)} * decoded[j];
            }
          }
          EXPECT_NEAR(some[i], expected, 1e-4);
          EXPECT_EQ(some[i], all[ids[i]]);
        }
      }
    }
  }
}

TEST(VqCodes, TakeTheBytesThatTheirNameSays) {
  for (const auto& [name, bytes] : {std::pair("vq8x8", 8), {"vq8x10", 10}, {"vq3x4", 2}}) {
    const AnyCodec any = make_codec(name, 16, Metric::l2);
    const auto& codec = std::get<Vq>(any);
    EXPECT_EQ(codec.code(0).size(), static_cast<std::size_t>(bytes)) << name;
  }
}

TEST(VqCodes, KeepEveryScoreThroughAFile) {
  const std::string path = test_path("vq.kith");
  const Matrix<float> x = normal_rows(40, 12, 3);
  for (const VqWord& word : kShapes) {
    const Vq codec = encoded(x, Metric::ip, word);
    KithFileWriter writer;
    Meta meta;
    codec.save(writer, meta, "primary");
    writer.add_text("meta", meta.text());
    writer.write(path, {});
    const KithFileReader reader = KithFileReader::open(path, true);
    Vq loaded(12, Metric::ip, word);
    loaded.load(reader, reader.meta(), "primary", x.rows());
    Vq::Query query;
    std::vector<float> before(x.rows()), after(x.rows());
    codec.prepare(x.row(1), query);
    codec.score_range(query, 0, x.rows(), before.data());
    loaded.prepare(x.row(1), query);
    loaded.score_range(query, 0, x.rows(), after.data());
    EXPECT_EQ(before, after);
    EXPECT_EQ(loaded.error_bound(0), codec.error_bound(0));
  }
  std::filesystem::remove(path);
}

TEST(VqCodes, ErrLessWithMorePartsAndBits) {
  const Matrix<float> x = normal_rows(2000, 16, 3);
  const auto error = [&](const VqWord& word) {
    const Vq codec = encoded(x, Metric::l2, word);
    double sum = 0;
    std::vector<float> decoded(16);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      codec.decode(static_cast<Id>(i), decoded.data());
      sum += squared(x.row(i), decoded.data(), 16);
    }
    return sum;
  };
  EXPECT_LT(error({4, 6}) * 1.2, error({4, 4}));
  EXPECT_LT(error({8, 6}) * 1.2, error({4, 6}));
}

TEST(VqCodes, AreTheSameForAnyNumberOfThreads) {
  const Matrix<float> x = normal_rows(600, 12, 3);
  const auto words = [&](std::size_t threads) {
    Codebooks books(12, 3, 5);
    books.learn(x.view(), 4, {.threads = threads, .cancel = nullptr, .progress = {}});
    return std::vector<float>(books.values().begin(), books.values().end());
  };
  EXPECT_EQ(words(1), words(2));
}

TEST(VqNames, SayWhatTheyDoNotKnow) {
  EXPECT_EQ(CodecSpec::parse("vq16x8+f16").name(), "vq16x8+f16");
  EXPECT_EQ(CodecSpec::parse("pq16+vq32x8").rerank, "vq32x8");
  for (const char* const bad :
       {"vq16", "vqx8", "vq16x", "vq16x0", "vq16x17", "vq0x8", "vq16x8x8"}) {
    EXPECT_THROW(CodecSpec::parse(bad), Error) << bad;
  }
  EXPECT_THAT(error_of([] { make_codec("vq9x8", 8, Metric::l2); }), HasSubstr("9 parts"));
  Vq codec(8, Metric::l2, {4, 8});
  EXPECT_THAT(error_of([&] { codec.take(std::make_shared<const Codebooks>(8, 4, 7)); }),
              HasSubstr("vq4x7 of vectors of 8 dimensions, expected vq4x8"));
  EXPECT_THAT(error_of([] { Codebooks(8, 4, 3).set(std::vector<float>(63)); }),
              HasSubstr("63 numbers of codewords, expected 64"));
}

}  // namespace
}  // namespace kith
