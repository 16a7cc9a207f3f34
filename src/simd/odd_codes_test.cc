#include "simd/odd_codes.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "simd/kernels.h"
#include "simd/tables.h"

namespace kith::simd {
namespace {

struct Codes {
  Codes(int width, std::size_t dim, std::size_t rows, std::uint64_t seed)
      : bits(width), dims(dim), values(rows, std::vector<std::uint8_t>(dim)) {
    Random random(seed);
    for (auto& row : values) {
      for (auto& code : row) code = static_cast<std::uint8_t>(random.below(1u << bits));
    }
  }
  int odd(std::size_t row, std::size_t j) const { return 2 * values[row][j] - (1 << bits) + 1; }
  std::int64_t product(std::size_t a, std::size_t b) const {
    std::int64_t sum = 0;
    for (std::size_t j = 0; j < dims; ++j) sum += odd(a, j) * odd(b, j);
    return sum;
  }
  // Exactly as many bytes as the rows take: kernels must not read beyond.
  std::vector<std::uint8_t> packed() const {
    const std::size_t bytes = odd_bytes(bits, dims);
    std::vector<std::uint8_t> all(values.size() * bytes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      pack_odd(bits, values[i].data(), dims, &all[i * bytes]);
    }
    return all;
  }

  int bits;
  std::size_t dims;
  std::vector<std::vector<std::uint8_t>> values;
};

constexpr std::size_t kDims[] = {1, 2, 3, 7, 31, 64, 127, 128, 255, 256, 257, 384, 512, 1000, 4096};
constexpr std::size_t kRows = 21;

TEST(OddCodes, PackAndUnpack) {
  for (const int bits : {1, 2, 4}) {
    for (const std::size_t dim : kDims) {
      const Codes codes(bits, dim, 3, dim);
      const std::vector<std::uint8_t> packed = codes.packed();
      std::vector<std::uint8_t> back(dim);
      for (std::size_t i = 0; i < 3; ++i) {
        unpack_odd(bits, &packed[i * odd_bytes(bits, dim)], dim, back.data());
        EXPECT_EQ(back, codes.values[i]) << bits << " bits, " << dim;
      }
    }
  }
}

TEST(OddCodes, ProductsOfAllInstructionSetsAreExact) {
  for (const Level level : supported_levels()) {
    for (const int bits : {2, 4}) {
      const OddKernels& kernels = tables_for(level).odd[odd_index(bits)];
      for (const std::size_t dim : kDims) {
        const Codes codes(bits, dim, kRows, dim + static_cast<std::size_t>(bits));
        const std::vector<std::uint8_t> packed = codes.packed();
        const std::size_t bytes = odd_bytes(bits, dim);
        std::vector<std::int8_t> buffer(odd_query_bytes(bits, dim) + 64);
        std::int8_t* query =
            buffer.data() + (64 - reinterpret_cast<std::size_t>(buffer.data()) % 64) % 64;
        const std::int32_t sum =
            pack_odd_query(bits, (1 << bits) - 1, codes.values[5].data(), dim, query);
        std::vector<std::uint32_t> ids;
        for (std::size_t i = kRows; i-- > 0;) ids.push_back(static_cast<std::uint32_t>(i));
        std::vector<std::int32_t> many(kRows), some(kRows);
        kernels.many(query, packed.data(), bytes, kRows, bytes, many.data());
        kernels.gather(query, packed.data(), bytes, ids.data(), kRows, bytes, some.data());
        for (std::size_t i = 0; i < kRows; ++i) {
          EXPECT_EQ(2 * many[i] - ((1 << bits) - 1) * sum, codes.product(5, i))
              << name(level) << ", " << bits << " bits, " << dim;
          EXPECT_EQ(some[i], many[ids[i]]);
        }
      }
    }
  }
}

TEST(OddCodes, ProductsOfSignsAreTheDimensionLessTwiceTheBitsThatDiffer) {
  for (const std::size_t dim : kDims) {
    const Codes codes(1, dim, kRows, dim);
    const std::vector<std::uint8_t> packed = codes.packed();
    const std::size_t bytes = odd_bytes(1, dim);
    std::vector<std::uint32_t> differ(kRows);
    hamming_many(&packed[2 * bytes], packed.data(), bytes, kRows, bytes, differ.data());
    for (std::size_t i = 0; i < kRows; ++i) {
      EXPECT_EQ(static_cast<std::int64_t>(dim) - 2 * std::int64_t{differ[i]}, codes.product(2, i));
    }
  }
}

}  // namespace
}  // namespace kith::simd
