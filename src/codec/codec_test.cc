// Every codec keeps its promises on friendly and hostile data: the stated error bound, distances
// that match a decoded reference, the nearest neighbour, and the same bytes after a round trip.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/test_path.h"
#include "base/test_rows.h"
#include "codec/any.h"
#include "codec/rotation.h"
#include "codec/spec.h"
#include "codec/stage.h"

namespace kith {
namespace {

const std::vector<std::string> kFloatCodecs = {
    "f32",     "f16",     "bf16",    "sq8",     "lvq4",    "lvq8",    "lvq4x4",  "lvq4x8", "lvq8x8",
    "rabitq1", "rabitq2", "rabitq3", "rabitq4", "rabitq5", "rabitq6", "rabitq7", "rabitq8"};

// Rows that have broken quantisers: constants, zeros, one huge dimension, huge and tiny norms, all
// negative, duplicates, alternating signs.
Matrix<float> adversarial(std::size_t dim) {
  Matrix<float> x = normal_rows(16, dim, 9);
  for (std::size_t j = 0; j < dim; ++j) {
    x(0, j) = 0;
    x(1, j) = 3.25f;
    x(2, j) = -1 - std::abs(x(2, j));
    x(3, j) *= 1e6f;
    x(4, j) *= 1e-6f;
    x(5, j) = j == 0 ? 1000.0f : x(5, j);
    x(6, j) = x(7, j);
    x(8, j) = j % 2 == 0 ? 1.0f : -1.0f;
    x(9, j) = j == dim - 1 ? 1.0f : 0.0f;
    x(10, j) = 100 + 1e-4f * x(10, j);
  }
  return x;
}

template <class C>
C encoded(const Matrix<float>& x, Metric metric, C codec) {
  (void)metric;
  codec.train(x.view());
  codec.resize(x.rows());
  for (std::size_t i = 0; i < x.rows(); ++i) codec.encode(static_cast<Id>(i), x.row(i));
  return codec;
}

AnyCodec encoded(const std::string& name, const Matrix<float>& x, Metric metric) {
  return std::visit([&](auto&& codec) { return AnyCodec(encoded(x, metric, std::move(codec))); },
                    make_codec(name, x.cols(), metric));
}

double euclidean(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    sum += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
  }
  return std::sqrt(sum);
}

double reference_distance(Metric metric, const float* q, const float* x, std::size_t dim) {
  double dot = 0;
  for (std::size_t j = 0; j < dim; ++j) dot += static_cast<double>(q[j]) * x[j];
  if (metric == Metric::l2) return std::pow(euclidean(q, x, dim), 2);
  return metric == Metric::ip ? -dot : 1 - dot;
}

TEST(Codecs, StateABoundThatHoldsOnHostileData) {
  for (std::size_t dim : {1u, 2u, 7u, 64u, 100u, 129u}) {
    for (const Matrix<float>& x : {adversarial(dim), normal_rows(50, dim, 3)}) {
      for (const std::string& name : kFloatCodecs) {
        if (name == "f16" && x.rows() == 16) {
          EXPECT_THROW(encoded(name, x, Metric::l2), Error);  // 1e6 is beyond binary16's range
          continue;
        }
        const AnyCodec codec = encoded(name, x, Metric::l2);
        std::vector<float> decoded(dim);
        for (std::size_t i = 0; i < x.rows(); ++i) {
          std::visit(
              [&](const auto& c) {
                c.decode(static_cast<Id>(i), decoded.data());
                const double error = euclidean(x.row(i), decoded.data(), dim);
                EXPECT_LE(error, c.error_bound(static_cast<Id>(i)))
                    << name << " dim " << dim << " row " << i;
              },
              codec);
        }
      }
    }
  }
}

TEST(Codecs, OfStepsTooSmallToInvertStillDecodeToNumbers) {
  constexpr std::size_t kDim = 9;
  Matrix<float> x = normal_rows(8, kDim, 4);
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) x(i, j) *= 1e-40f;
  }
  for (const char* name : {"sq8", "lvq4", "lvq8", "lvq4x4", "lvq4x8", "lvq8x8"}) {
    std::vector<float> decoded(kDim);
    std::visit(
        [&](const auto& codec) {
          for (Id id = 0; id < 8; ++id) {
            codec.decode(id, decoded.data());
            for (std::size_t j = 0; j < kDim; ++j) EXPECT_NEAR(decoded[j], 0, 1e-36) << name;
          }
        },
        encoded(name, x, Metric::l2));
  }
}

TEST(Codecs, ScoreBestMatchesTheDecodedVector) {
  for (Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (std::size_t dim : {3u, 64u, 100u, 129u}) {
      const Matrix<float> x = normal_rows(40, dim, 5);
      const Matrix<float> q = normal_rows(1, dim, 6);
      std::vector<Id> ids;
      for (Id i = 40; i > 0; --i) ids.push_back(i - 1);
      for (const std::string& name : kFloatCodecs) {
        if (rabitq_bits(name) != 0) continue;  // an estimate for the vector: rabitq_test.cc
        const AnyCodec any = encoded(name, x, metric);
        std::visit(
            [&]<class C>(const C& codec) {
              typename C::Query query;
              codec.prepare(q.row(0), query);
              std::vector<float> distances(ids.size()), of_many(ids.size()), decoded(dim);
              codec.score_best(query, ids.data(), ids.size(), distances.data());
              if constexpr (requires { codec.prepare_for_many(query); }) {
                codec.prepare_for_many(query);
              }
              codec.score_best(query, ids.data(), ids.size(), of_many.data());
              for (std::size_t i = 0; i < ids.size(); ++i) {
                codec.decode(ids[i], decoded.data());
                const double expected = reference_distance(metric, q.row(0), decoded.data(), dim);
                EXPECT_NEAR(distances[i], expected, 2e-4 * static_cast<double>(dim))
                    << name << " dim " << dim;
                EXPECT_NEAR(of_many[i], expected, 2e-4 * static_cast<double>(dim))
                    << name << " dim " << dim;
              }
            },
            any);
      }
    }
  }
}

// The fast path rounds the query to 8 bits: its error is bounded by the query's rounding times the
// vector's norm (plus the codec's own error, which the decoded reference has too).
TEST(Codecs, ScoreStaysWithinTheQuerysRounding) {
  for (Metric metric : {Metric::l2, Metric::ip}) {
    const std::size_t dim = 100;
    const Matrix<float> x = normal_rows(64, dim, 15);
    const Matrix<float> q = normal_rows(1, dim, 16);
    std::vector<Id> ids(64);
    for (Id i = 0; i < 64; ++i) ids[i] = i;
    for (const char* name : {"sq8", "lvq4", "lvq8"}) {
      const AnyCodec any = encoded(name, x, metric);
      std::visit(
          [&]<class C>(const C& codec) {
            typename C::Query query;
            codec.prepare(q.row(0), query);
            std::vector<float> fast(64), range(64), decoded(dim);
            codec.score(query, ids.data(), 64, fast.data());
            codec.score_range(query, 0, 64, range.data());
            for (std::size_t i = 0; i < 64; ++i) {
              EXPECT_FLOAT_EQ(fast[i], range[i]);
              codec.decode(ids[i], decoded.data());
              const double expected = reference_distance(metric, q.row(0), decoded.data(), dim);
              EXPECT_NEAR(fast[i], expected, 6.0) << name;  // 2 |x| |q - rounded q|: 5 sigma
            }
          },
          any);
    }
  }
}

TEST(Codecs, KeepTheNearestNeighbour) {
  const std::size_t dim = 64;
  const Matrix<float> x = normal_rows(500, dim, 21);
  std::vector<Id> ids(500);
  for (Id i = 0; i < 500; ++i) ids[i] = i;
  for (const std::string& name : kFloatCodecs) {
    const AnyCodec any = encoded(name, x, Metric::l2);
    std::visit(
        [&]<class C>(const C& codec) {
          typename C::Query query;
          std::vector<float> distances(500);
          for (Id probe : {Id{3}, Id{77}, Id{499}}) {
            codec.prepare(x.row(probe), query);
            codec.score(query, ids.data(), 500, distances.data());
            const auto nearest = std::min_element(distances.begin(), distances.end());
            EXPECT_EQ(nearest - distances.begin(), static_cast<std::ptrdiff_t>(probe)) << name;
          }
        },
        any);
  }
}

TEST(Codecs, ByteVectorsStayBytes) {
  Matrix<float> x(3, 5);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 5; ++j) x(i, j) = static_cast<float>(50 * i + j);
  }
  const AnyCodec any = encoded("u8", x, Metric::l2);
  const auto& codec = std::get<Plain<std::uint8_t>>(any);
  std::vector<float> decoded(5);
  codec.decode(2, decoded.data());
  EXPECT_EQ(decoded, std::vector<float>(x.row(2), x.row(2) + 5));
  EXPECT_EQ(codec.error_bound(2), 0.0f);
}

TEST(Codecs, BytesRefuseWhatIsNotAByte) {
  Matrix<float> x(1, 2);
  x(0, 1) = 0.5f;
  try {
    encoded("u8", x, Metric::l2);
    FAIL() << "0.5 was stored as a byte";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("row 0, column 1"), std::string::npos);
  }
}

TEST(Codecs, RoundTripThroughAFileKeepsEveryScore) {
  const std::string path = test_path("codec.kith");
  const Matrix<float> x = normal_rows(30, 37, 31);
  std::vector<Id> ids(30);
  for (Id i = 0; i < 30; ++i) ids[i] = i;
  for (const std::string& name : kFloatCodecs) {
    const AnyCodec any = encoded(name, x, Metric::ip);
    std::visit(
        [&]<class C>(const C& codec) {
          KithFileWriter writer;
          Meta meta;
          codec.save(writer, meta, "primary");
          writer.add_text("meta", meta.text());
          writer.write(path, {});
          const KithFileReader reader = KithFileReader::open(path, true);
          AnyCodec empty = make_codec(name, 37, Metric::ip);
          C& loaded = std::get<C>(empty);
          loaded.load(reader, reader.meta(), "primary", 30);
          typename C::Query a, b;
          codec.prepare(x.row(4), a);
          loaded.prepare(x.row(4), b);
          std::vector<float> before(30), after(30);
          codec.score(a, ids.data(), 30, before.data());
          loaded.score(b, ids.data(), 30, after.data());
          EXPECT_EQ(before, after) << name;
          codec.score_best(a, ids.data(), 30, before.data());
          loaded.score_best(b, ids.data(), 30, after.data());
          EXPECT_EQ(before, after) << name;
        },
        any);
  }
  std::filesystem::remove(path);
}

TEST(Lvq, SecondLevelShrinksTheErrorBySixteen) {
  const Matrix<float> x = normal_rows(50, 96, 41);
  const auto mean_error = [&](const std::string& name) {
    const AnyCodec any = encoded(name, x, Metric::l2);
    double sum = 0;
    std::vector<float> decoded(96);
    for (Id i = 0; i < 50; ++i) {
      std::visit([&](const auto& codec) { codec.decode(i, decoded.data()); }, any);
      sum += euclidean(x.row(i), decoded.data(), 96);
    }
    return sum;
  };
  EXPECT_LT(mean_error("lvq4x4") * 12, mean_error("lvq4"));
  EXPECT_LT(mean_error("lvq4x8") * 12, mean_error("lvq4x4"));
}

TEST(Rotation, KeepsNormsAndInverts) {
  for (std::size_t dim : {1u, 2u, 3u, 64u, 100u, 128u, 768u, 1000u}) {
    const Rotation rotation(dim, 7);
    const Matrix<float> original = normal_rows(1, dim, dim);
    Matrix<float> x = original.clone();
    rotation.apply(x.row(0));
    double before = 0, after = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      before += static_cast<double>(original(0, j)) * original(0, j);
      after += static_cast<double>(x(0, j)) * x(0, j);
    }
    EXPECT_NEAR(after / before, 1, 1e-5) << dim;
    rotation.invert(x.row(0));
    EXPECT_LT(euclidean(x.row(0), original.row(0), dim), 1e-5 * std::sqrt(before)) << dim;
  }
}

TEST(Rotation, SpreadsASingleCoordinate) {
  const std::size_t dim = 100;
  const Rotation rotation(dim, 7);
  for (std::size_t hot = 0; hot < dim; ++hot) {
    std::vector<float> x(dim, 0.0f);
    x[hot] = 1;
    rotation.apply(x.data());
    for (float value : x) EXPECT_LT(std::abs(value), 0.6f) << hot;
  }
}

TEST(CodecSpec, ParsesTransformCodecAndReranker) {
  const CodecSpec spec = CodecSpec::parse("rot-lvq4+f16");
  EXPECT_TRUE(spec.rotate);
  EXPECT_EQ(spec.primary, "lvq4");
  EXPECT_EQ(spec.rerank, "f16");
  EXPECT_EQ(spec.name(), "rot-lvq4+f16");
  EXPECT_EQ(CodecSpec::parse("lvq4x8").name(), "lvq4x8");
}

TEST(CodecSpec, NamesWhatItDoesNotKnow) {
  for (const char* bad :
       {"", "lvq5", "pca-lvq4", "lvq4+", "+f16", "lvq4+lvq9", "rot-", "rot-rot-f32"}) {
    EXPECT_THROW(CodecSpec::parse(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace kith
