#include "codec/bits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/test_error.h"
#include "base/test_rows.h"
#include "codec/any.h"
#include "codec/stage.h"
#include "codec/test_binariser.h"
#include "formats/test_files.h"
#include "simd/kernels.h"

namespace kith {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 20;

Matrix<float> unit_rows(std::size_t count, std::size_t dim, std::uint64_t seed) {
  Matrix<float> rows = normal_rows(count, dim, seed);
  for (std::size_t i = 0; i < count; ++i) normalise(rows.row(i), dim);
  return rows;
}

Bits bits_of(const Matrix<float>& rows, std::size_t dims, int bits) {
  Bits codec(rows.cols(), Metric::cosine, {BitsWord::Kind::learned, dims, bits});
  codec.take(std::make_shared<const Binariser>(made_up_binariser(rows.cols(), dims, bits, 12)));
  codec.train(rows);
  codec.resize(rows.rows());
  for (std::size_t i = 0; i < rows.rows(); ++i) codec.encode(static_cast<Id>(i), rows.row(i));
  return codec;
}

// b_u by the definition, in double.
std::vector<double> recurrent(const Binariser& binariser, const float* x) {
  std::vector<float> sum(binariser.dims, 0.0F), out(binariser.dims), back(binariser.dim),
      rest(x, x + binariser.dim);
  for (int loop = 0; loop < binariser.bits; ++loop) {
    const auto at = static_cast<std::size_t>(loop);
    if (loop > 0) {
      binariser.reconstruct[at - 1].apply(sum.data(), back.data());
      normalise(back.data(), binariser.dim);
      for (std::size_t j = 0; j < binariser.dim; ++j) rest[j] = x[j] - back[j];
    }
    binariser.binarise[at].apply(rest.data(), out.data());
    for (std::size_t i = 0; i < binariser.dims; ++i) {
      sum[i] += static_cast<float>(std::pow(2, -loop)) * (out[i] >= 0 ? 1.0F : -1.0F);
    }
  }
  return {sum.begin(), sum.end()};
}

TEST(BitsCodes, AreTheRecurrentBinarisationOfTheDefinition) {
  const Matrix<float> rows = unit_rows(50, kDim, 1);
  for (const int bits : {1, 2, 3, 4}) {
    const Binariser binariser = made_up_binariser(kDim, 33, bits, 12);
    std::vector<std::uint8_t> codes(33);
    std::size_t differ = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      binariser.encode(rows.row(i), codes.data());
      const std::vector<double> wanted = recurrent(binariser, rows.row(i));
      for (std::size_t j = 0; j < codes.size(); ++j) {
        const double value = std::pow(2, 1 - bits) * (2 * codes[j] - (1 << bits) + 1);
        differ += value != wanted[j] ? 1U : 0U;
      }
    }
    EXPECT_LE(differ, 2U) << bits;  // the rest rounds otherwise in one place or another
  }
}

TEST(BitsCodes, DistancesAreThoseOfTheOddNumbers) {
  const Matrix<float> rows = unit_rows(130, kDim, 1), queries = unit_rows(3, kDim, 2);
  for (const std::size_t dims : {1U, 7U, 64U, 100U, 257U}) {
    for (const int bits : {1, 2, 3, 4}) {
      const Bits codec = bits_of(rows, dims, bits);
      Bits::Query query;
      std::vector<float> range(rows.rows()), some(rows.rows());
      std::vector<Id> ids;
      for (Id id = 130; id-- > 0;) ids.push_back(id);
      std::vector<std::uint8_t> q(dims), x(dims);
      for (std::size_t i = 0; i < 3; ++i) {
        codec.prepare(queries.row(i), query);
        codec.score_range(query, 0, rows.rows(), range.data());
        codec.score(query, ids.data(), ids.size(), some.data());
        codec.binariser().encode(queries.row(i), q.data());
        for (std::size_t r = 0; r < rows.rows(); ++r) {
          codec.unpack(static_cast<Id>(r), x.data());
          double product = 0, qq = 0, xx = 0;
          for (std::size_t j = 0; j < dims; ++j) {
            const double a = 2 * q[j] - (1 << bits) + 1, b = 2 * x[j] - (1 << bits) + 1;
            product += a * b, qq += a * a, xx += b * b;
          }
          const double distance = 1 - product / std::sqrt(qq * xx);
          EXPECT_NEAR(range[r], distance, bits == 1 ? 1e-6 : 6e-4) << dims << "x" << bits;
          EXPECT_EQ(some[ids.size() - 1 - r], range[r]);
        }
      }
    }
  }
}

TEST(BitsCodes, OfOneVectorAreThoseItHasAmongOthers) {
  const Matrix<float> rows = unit_rows(40, kDim, 1);
  const Bits all = bits_of(rows, 48, 2);
  Bits one(kDim, Metric::cosine, {BitsWord::Kind::learned, 48, 2});
  one.take(std::make_shared<const Binariser>(made_up_binariser(kDim, 48, 2, 12)));
  one.train(rows);
  one.resize(1);
  for (Id id = 0; id < 40; ++id) {
    one.encode(0, rows.row(id));
    EXPECT_TRUE(std::ranges::equal(one.code(0), all.code(id))) << id;
  }
}

TEST(BitsCodes, QueryOfAStoredVectorIsItsCode) {
  const Matrix<float> rows = unit_rows(40, kDim, 1);
  const Bits codec = bits_of(rows, 48, 3);
  Bits::Query of_code, of_row;
  std::vector<float> a(40), b(40);
  for (Id id = 0; id < 40; ++id) {
    codec.prepare_code(id, of_code);
    codec.prepare(rows.row(id), of_row);
    codec.score_range(of_code, 0, 40, a.data());
    codec.score_range(of_row, 0, 40, b.data());
    EXPECT_EQ(a, b);
    EXPECT_LT(a[id], 1e-3F);
  }
}

TEST(BitsCodes, DecodeNearerTheMoreBitsThereAre) {
  const Matrix<float> rows = unit_rows(3000, kDim, 1);
  const auto mean_cosine = [&](std::size_t dims) {
    Bits codec(kDim, Metric::cosine, {BitsWord::Kind::signs, dims, 1});
    codec.train(rows);
    codec.resize(rows.rows());
    double sum = 0;
    std::vector<float> back(kDim);
    for (Id id = 0; id < 200; ++id) {
      codec.encode(id, rows.row(id));
      codec.decode(id, back.data());
      for (std::size_t j = 0; j < kDim; ++j) sum += static_cast<double>(back[j]) * rows(id, j);
    }
    return sum / 200;
  };
  EXPECT_GT(mean_cosine(20), 0.7);
  EXPECT_GT(mean_cosine(80), 0.9);
}

TEST(BitsCodes, AreTheSameOutOfAFile) {
  const Matrix<float> rows = unit_rows(60, kDim, 1);
  const formats::TemporaryFolder folder;
  for (const int bits : {1, 2, 3, 4}) {
    const Bits codec = bits_of(rows, 31, bits);
    KithFileWriter writer;
    Meta meta;
    codec.save(writer, meta, "primary");
    writer.add_text("meta", meta.text());
    writer.write(folder.file("bits.kith"), {});
    const KithFileReader reader = KithFileReader::open(folder.file("bits.kith"), true);
    Bits back(kDim, Metric::cosine, {BitsWord::Kind::learned, 31, bits});
    back.load(reader, reader.meta(), "primary", 60);
    EXPECT_EQ(back.binariser().version, codec.binariser().version);
    Bits::Query a, b;
    std::vector<float> before(60), after(60);
    codec.prepare(rows.row(3), a);
    back.prepare(rows.row(3), b);
    codec.score_range(a, 0, 60, before.data());
    back.score_range(b, 0, 60, after.data());
    EXPECT_EQ(before, after);
    std::vector<float> x(kDim), y(kDim);
    codec.decode(7, x.data());
    back.decode(7, y.data());
    EXPECT_EQ(x, y);
  }
}

TEST(BitsCodes, OfABinariserThatDoesNotFitAreRefused) {
  const auto shared = [](Binariser binariser) {
    return std::make_shared<const Binariser>(std::move(binariser));
  };
  const Matrix<float> rows = unit_rows(60, kDim, 1);
  const auto wrong = [&](std::size_t dim, std::size_t dims, int bits) {
    Bits codec(kDim, Metric::cosine, {BitsWord::Kind::learned, 32, 2});
    return error_of([&] { codec.take(shared(made_up_binariser(dim, dims, bits, 12))); });
  };
  EXPECT_EQ(wrong(kDim, 32, 2), "");
  EXPECT_THAT(wrong(kDim + 1, 32, 2), HasSubstr("21 dimensions"));
  EXPECT_THAT(wrong(kDim, 31, 2), HasSubstr("bits31x2"));
  EXPECT_THAT(wrong(kDim, 32, 1), HasSubstr("bits32 of"));
  EXPECT_THAT(error_of([] {
                Bits(8, Metric::l2, {BitsWord::Kind::signs, 8, 1});
              }),
              HasSubstr("expected cosine"));
  Bits untrained(kDim, Metric::cosine, {BitsWord::Kind::learned, 32, 2});
  EXPECT_THAT(error_of([&] { untrained.train(rows); }), HasSubstr("kith train codec"));

  Bits codec = bits_of(rows, 32, 2);
  EXPECT_THAT(error_of([&] { codec.read_queries_by(shared(made_up_binariser(11, 32, 2, 5))); }),
              HasSubstr("compatible"));
  Binariser other = made_up_binariser(11, 32, 2, 5);
  other.compatible = codec.binariser().version;
  codec.read_queries_by(shared(std::move(other)));
  EXPECT_EQ(codec.query_dim(), 11U);
  codec.read_queries_by(shared(made_up_binariser(kDim, 32, 2, 12)));
  EXPECT_EQ(codec.query_dim(), kDim);
}

TEST(RandomDirections, AreOrthogonalAsFarAsThereAreAsMany) {
  const Matrix<float> rows = random_directions(50, kDim, 3);
  for (std::size_t i = 0; i < 50; ++i) {
    for (std::size_t k = 0; k <= i; ++k) {
      if (i / kDim != k / kDim) continue;
      double product = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        product += static_cast<double>(rows(i, j)) * rows(k, j);
      }
      EXPECT_NEAR(product, i == k ? 1 : 0, 1e-5);
    }
  }
}

// Points near corners of a turned cube, each with its own corner's signs after ITQ.
TEST(Itq, FindsTheCubeThatVectorsLieOn) {
  constexpr std::size_t kCorners = 8;
  const Matrix<float> turn = random_directions(kDim, kDim, 4), noise = normal_rows(900, kDim, 5);
  Random random(6);
  Matrix<float> rows(900, kDim);
  std::vector<std::size_t> corner(900);
  for (std::size_t i = 0; i < 900; ++i) {
    corner[i] = random.below(kCorners);
    for (std::size_t j = 0; j < kDim; ++j) {
      rows(i, j) = 0.02F * noise(i, j) + 1;
      for (std::size_t d = 0; d < 3; ++d) {
        rows(i, j) += ((corner[i] >> d) % 2 == 0 ? -1.0F : 1.0F) * turn(d, j);
      }
    }
  }
  const Binariser binariser = learn_itq(rows, 3, 1);
  std::vector<std::set<int>> codes(kCorners);
  std::set<int> all;
  std::vector<std::uint8_t> code(3);
  for (std::size_t i = 0; i < 900; ++i) {
    binariser.encode(rows.row(i), code.data());
    const int number = code[0] + 2 * code[1] + 4 * code[2];
    codes[corner[i]].insert(number);
    all.insert(number);
  }
  EXPECT_EQ(all.size(), kCorners);
  for (const auto& own : codes) EXPECT_EQ(own.size(), 1U);
}

TEST(Itq, SaysWhatItCannotLearnFrom) {
  const Matrix<float> rows = unit_rows(10, kDim, 1);
  EXPECT_THAT(error_of([&] { learn_itq(rows, kDim + 1, 1); }), HasSubstr("20 dimensions"));
  EXPECT_THAT(error_of([&] { learn_itq(rows, 16, 1); }), HasSubstr("10 vectors"));
}

TEST(BitsWords, AreParsed) {
  const CodecSpec spec = CodecSpec::parse("bits256x2+f16");
  EXPECT_EQ(spec.primary, "bits256x2");
  EXPECT_EQ(spec.name(), "bits256x2+f16");
  EXPECT_EQ(bits_word("bits256")->bits, 1);
  EXPECT_EQ(bits_word("itq64")->kind, BitsWord::Kind::itq);
  for (const char* bad : {"bits", "bits0", "bits256x5", "bits256x", "itq64x2", "signs64x1",
                          "rot-bits64", "leanvec8-signs64+f32"}) {
    EXPECT_THROW(CodecSpec::parse(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace kith
