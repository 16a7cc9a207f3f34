// Narrow products by AVX-512's dot products of words: VNNI's for bytes, those of AVX512_BF16. Eight
// rows by a panel at a time, one word after the other; sums stay in registers.
#include "simd/narrow_tiles.h"
#include "simd/tables.h"

#if KITH_X86
#include <cstring>

#define KITH_AVX512_MORE ",avx512vnni"
#include "simd/avx512.h"

#define KITH_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")))

namespace kith::simd {
namespace {

constexpr std::size_t kRows = 8;  // 16 sums hide the time that one takes
static_assert(kTileRows % kRows == 0 && kTileOutputs == 32);

inline int word_at(const unsigned char* row, std::size_t word) {
  int value;
  std::memcpy(&value, row + 4 * word, sizeof value);
  return value;
}

// Two vectors of 16 outputs a word: those of the panel's halves.
KITH_AVX512 void bytes(const void* x, std::size_t stride, std::size_t rows, const void* panel,
                       std::size_t words, std::int32_t* sums) {
  for (std::size_t first = 0; first < rows; first += kRows) {
    const auto* row = static_cast<const unsigned char*>(x) + first * stride;
    const auto* weights = static_cast<const unsigned char*>(panel);
    __m512i low[kRows], high[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_si512();
    for (std::size_t group = 0; group < words; group += kGroupWords, weights += 2048) {
      for (std::size_t w = 0; w < kGroupWords; ++w) {
        const __m512i a = _mm512_load_si512(weights + 64 * w);
        const __m512i b = _mm512_load_si512(weights + 1024 + 64 * w);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          const __m512i word = _mm512_set1_epi32(word_at(row + r * stride, group + w));
          add_byte_products(low[r], word, a);
          add_byte_products(high[r], word, b);
        }
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      _mm512_store_si512(sums + (first + r) * kTileOutputs, low[r]);
      _mm512_store_si512(sums + (first + r) * kTileOutputs + 16, high[r]);
    }
  }
}

KITH_BF16 void bf16(const void* x, std::size_t stride, std::size_t rows, const void* panel,
                    std::size_t words, float* sums) {
  for (std::size_t first = 0; first < rows; first += kRows) {
    const auto* row = static_cast<const unsigned char*>(x) + first * stride;
    const auto* weights = static_cast<const unsigned char*>(panel);
    __m512 low[kRows], high[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_ps();
    for (std::size_t group = 0; group < words; group += kGroupWords, weights += 2048) {
      for (std::size_t w = 0; w < kGroupWords; ++w) {
        const auto a = (__m512bh)_mm512_load_si512(weights + 64 * w);
        const auto b = (__m512bh)_mm512_load_si512(weights + 1024 + 64 * w);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          __m512i pair = _mm512_set1_epi32(word_at(row + r * stride, group + w));
          // clang 16 crashes where it sees that what it casts is one word again and again.
          asm("" : "+v"(pair));
          const auto word = (__m512bh)pair;
          low[r] = _mm512_dpbf16_ps(low[r], word, a);
          high[r] = _mm512_dpbf16_ps(high[r], word, b);
        }
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      _mm512_store_ps(sums + (first + r) * kTileOutputs, low[r]);
      _mm512_store_ps(sums + (first + r) * kTileOutputs + 16, high[r]);
    }
  }
}

}  // namespace

void add_avx512_narrow(Level level, NarrowKernels& kernels) {
  if (level != Level::avx512vnni && level != Level::avx512bf16 && level != Level::amx) return;
  kernels.bytes = bytes;
  if (level != Level::avx512vnni) kernels.bf16 = bf16;
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_avx512_narrow(Level, NarrowKernels&) {}
}  // namespace kith::simd
#endif
