#include "simd/postings.h"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST_P(PostingKernelsOf, BatchesAddWhatTheListsWouldOneByOne) {
  const PostingKernels& plain = posting_kernels(Level::scalar);
  constexpr float kStep = 0.0123f;
  std::vector<float> norms(kWindow + kPostingsSlack, 2.5f);
  for (std::size_t i = 0; i < kWindow; ++i) norms[i] += 0.1f * static_cast<float>(i);
  std::vector<std::int32_t> sums(kWindow, 7), expected(kWindow, 7);
  PostingBatch batch;
  for (const std::size_t n : {std::size_t{1}, std::size_t{5}, std::size_t{16}, kCount}) {
    const float query = 1000.5f * static_cast<float>(n);
    kernels_.append_codes(data_.places.data(), data_.codes.data(), n, kStep, query, batch);
    kernels_.append_floats(data_.places.data(), data_.weights.data(), n, query, batch);
    kernels_.append_halves(data_.places.data(), data_.halves.data(), n, query, batch);
    const auto add = [&](auto impacts) {
      for (std::size_t i = 0; i < n; ++i) expected[data_.places[i]] += impacts[i];
    };
    plain.code_impacts(data_.codes.data(), n, kStep, query, out_.data());
    add(out_);
    plain.float_impacts(data_.weights.data(), n, query, out_.data());
    add(out_);
    plain.half_impacts(data_.halves.data(), n, query, out_.data());
    add(out_);
  }
  kernels_.add_weights(batch, sums.data());
  EXPECT_EQ(sums, expected);

  batch.size = 0;
  kernels_.append_codes(data_.places.data(), data_.codes.data(), kCount, 1, 321.5f, batch);
  kernels_.add_counts(batch, norms.data(), sums.data());
  plain.count_impacts(data_.codes.data(), norms.data(), kCount, 321.5f, out_.data());
  for (std::size_t i = 0; i < kCount; ++i) expected[data_.places[i]] += out_[i];
  EXPECT_EQ(sums, expected);
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
    EXPECT_EQ(kernels_.largest(sums.data()), *std::max_element(sums.begin(), sums.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, PostingKernelsOf, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace kith::simd
