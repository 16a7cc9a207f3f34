#include "simd/postings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "kith/half.h"

namespace kith::simd {
namespace {

constexpr std::size_t kCount = 203, kRoom = kCount + kPostingsSlack;

struct Data {
  std::vector<std::uint8_t> codes, places;
  std::vector<std::uint32_t> lengths;
  std::vector<float> weights;
  std::vector<Half> halves;

  Data() : codes(kRoom), places(kRoom), lengths(kRoom), weights(kRoom), halves(kRoom) {
    Random random(1);
    for (std::size_t i = 0; i < kRoom; ++i) {
      codes[i] = static_cast<std::uint8_t>(1 + random.below(255));
      places[i] = static_cast<std::uint8_t>(i);
      lengths[i] = static_cast<std::uint32_t>(random.below(100000));
      weights[i] = static_cast<float>(std::exp(random.normal()));
      halves[i] = Half(weights[i]);
    }
  }
};

std::int32_t rounded(float value) { return static_cast<std::int32_t>(std::nearbyint(value)); }

// volatile: a product and a sum must not fuse here either.
float norm_of(std::uint32_t length, float base, float slope) {
  volatile float product = slope * static_cast<float>(length);
  return base + product;
}

class PostingKernelsOf : public testing::TestWithParam<Level> {
 protected:
  const PostingKernels& kernels_ = posting_kernels(GetParam());
  const Data data_;
  std::vector<std::int32_t> out_ = std::vector<std::int32_t>(kRoom);
};

TEST_P(PostingKernelsOf, ImpactsAreTheRoundedProductsToTheBit) {
  constexpr float kQuery = 12345.678f, kStep = 0.0123f;
  std::vector<float> norms(kWindow + kPostingsSlack);
  kernels_.norms(data_.lengths.data(), kCount, 0.3f, 0.0071f, norms.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(norms[i], norm_of(data_.lengths[i], 0.3f, 0.0071f));
  }
  kernels_.count_impacts(data_.codes.data(), norms.data(), kCount, kQuery, out_.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    const float count = data_.codes[i];
    ASSERT_EQ(out_[i], rounded(kQuery * (count / (count + norms[i]))));
  }
  const std::vector<std::int32_t> straight = out_;
  kernels_.count_impacts_at(data_.codes.data(), data_.places.data(), norms.data(), kCount, kQuery,
                            out_.data());
  ASSERT_TRUE(std::equal(out_.begin(), out_.begin() + kCount, straight.begin()));
  kernels_.float_impacts(data_.weights.data(), kCount, kQuery, out_.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(out_[i], rounded(kQuery * data_.weights[i]));
  }
  kernels_.half_impacts(data_.halves.data(), kCount, kQuery, out_.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(out_[i], rounded(kQuery * static_cast<float>(data_.halves[i])));
  }
  kernels_.code_impacts(data_.codes.data(), kCount, kStep, kQuery, out_.data());
  std::vector<std::int32_t> sums(kRoom, 1000);
  kernels_.add_code_impacts(data_.codes.data(), kCount, kStep, kQuery, sums.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(out_[i], rounded(kQuery * (static_cast<float>(data_.codes[i]) * kStep)));
    ASSERT_EQ(sums[i], 1000 + out_[i]);
  }
}

TEST_P(PostingKernelsOf, SelectGivesThePlacesInOrder) {
  Random random(2);
  std::vector<std::int32_t> sums(kWindow);
  for (std::int32_t& sum : sums) sum = static_cast<std::int32_t>(random.below(100));
  for (const std::int32_t least : {1, 50, 99, 1000}) {
    std::vector<std::uint32_t> expected, found(kWindow + kPostingsSlack);
    for (std::uint32_t i = 0; i < kWindow; ++i) {
      if (sums[i] >= least) expected.push_back(i);
    }
    found.resize(kernels_.select_at_least(sums.data(), least, found.data()));
    EXPECT_EQ(found, expected) << least;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, PostingKernelsOf, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace kith::simd
