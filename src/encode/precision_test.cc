// Models in bfloat16 and bytes: near float32, and as independent of what is encoded beside a text.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "encode/test_models.h"
#include "kith/encoder.h"

namespace kith::encode {
namespace {

constexpr std::size_t kTexts = 12, kMostTokens = 60;

class EveryModelNarrowed : public testing::TestWithParam<TestModel> {
 protected:
  EveryModelNarrowed() {
    write_folder(folder_.file("model"), GetParam().make());
    Random random(1);
    for (std::size_t i = 0; i < kTexts; ++i) {
      std::vector<std::uint32_t>& ids = ids_.emplace_back(1 + random.below(kMostTokens));
      for (std::uint32_t& id : ids) {
        id = static_cast<std::uint32_t>(2 + random.below(kVocabulary - 2));
      }
    }
    for (const std::vector<std::uint32_t>& ids : ids_) {
      sequences_.push_back({.ids = ids, .types = {}});
    }
  }

  Encoder open(Precision precision) const {
    return Encoder::open(folder_.file("model"), {.precision = precision});
  }

  formats::TemporaryFolder folder_;
  std::vector<std::vector<std::uint32_t>> ids_;
  std::vector<TokenSequence> sequences_;
};

double cosine(const float* a, const float* b, std::size_t n) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t j = 0; j < n; ++j) {
    dot += static_cast<double>(a[j]) * b[j];
    aa += static_cast<double>(a[j]) * a[j];
    bb += static_cast<double>(b[j]) * b[j];
  }
  return dot / std::sqrt(aa * bb);
}

TEST_P(EveryModelNarrowed, VectorsKeepTheirDirection) {
  const Matrix<float> exact = open(Precision::f32).encode(sequences_);
  for (const auto& [precision, least] :
       {std::pair(Precision::bf16, 0.998), std::pair(Precision::int8, 0.98)}) {
    const Encoder encoder = open(precision);
    EXPECT_EQ(encoder.info().precision, precision);
    const Matrix<float> vectors = encoder.encode(sequences_);
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
      EXPECT_GT(cosine(vectors.row(i), exact.row(i), vectors.cols()), least)
          << i << " of " << ids_[i].size() << " tokens";
    }
  }
}

TEST_P(EveryModelNarrowed, AVectorIsTheSameWhateverStandsBesideItAndOnAnyThreads) {
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const Encoder encoder = open(precision);
    EncodeOptions three;
    three.control.threads = 3;
    const Matrix<float> all = encoder.encode(sequences_, three);
    for (const std::size_t i : {std::size_t{0}, kTexts / 2, kTexts - 1}) {
      const Matrix<float> alone = encoder.encode({&sequences_[i], 1});
      EXPECT_EQ(0, std::memcmp(alone.data(), all.row(i), all.cols() * sizeof(float))) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Encode, EveryModelNarrowed, testing::ValuesIn(test_models()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kith::encode
