// Runs of values in AVX-512: conversions, selection, ranges.
#include "simd/tables.h"

#if KITH_X86
#include "simd/avx512.h"

namespace kith::simd {
namespace {

KITH_AVX512 void from_f16(const void* from, std::size_t n, float* to) {
  const auto* x = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    _mm512_mask_storeu_ps(to + i, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, x + 2 * i)));
  }
}

KITH_AVX512 void to_f16(const float* from, std::size_t n, void* to) {
  auto* x = static_cast<unsigned char*>(to);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    const __m512 values = _mm512_maskz_loadu_ps(mask, from + i);
    _mm256_mask_storeu_epi16(
        x + 2 * i, mask, _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
}

KITH_AVX512 void from_bf16(const void* from, std::size_t n, float* to) {
  const auto* x = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    const __m512i bits = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x + 2 * i));
    _mm512_mask_storeu_ps(to + i, mask, _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16)));
  }
}

// Half of the last place kept is added, less one unless the last bit kept is odd; a NaN stays one.
KITH_AVX512 void to_bf16(const float* from, std::size_t n, void* to) {
  auto* x = static_cast<unsigned char*>(to);
  const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7fff);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    const __m512 values = _mm512_maskz_loadu_ps(mask, from + i);
    const __m512i bits = _mm512_castps_si512(values);
    const __m512i upper = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(upper, one);
    __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(bits, half), odd), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40));
    _mm256_mask_storeu_epi16(x + 2 * i, mask, _mm512_cvtepi32_epi16(rounded));
  }
}

template <bool kSigned>
KITH_AVX512 void from_bytes(const void* from, std::size_t n, float* to) {
  const auto* x = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    const __m128i bytes = _mm_maskz_loadu_epi8(mask, x + i);
    const __m512i wide = kSigned ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
    _mm512_mask_storeu_ps(to + i, mask, _mm512_cvtepi32_ps(wide));
  }
}

// Rounds scale * from to the nearest byte. The order of max's operands turns NaN into the lowest.
template <bool kSigned>
KITH_AVX512_INLINE void scaled_to_bytes(const float* from, std::size_t n, float scale,
                                        unsigned char* to) {
  const __m512 low = _mm512_set1_ps(kSigned ? -128 : 0), high = _mm512_set1_ps(kSigned ? 127 : 255);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    __m512 values = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from + i), _mm512_set1_ps(scale));
    values = _mm512_min_ps(_mm512_max_ps(values, low), high);
    _mm_mask_storeu_epi8(to + i, mask, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(values)));
  }
}

template <bool kSigned>
KITH_AVX512 void to_bytes(const float* from, std::size_t n, void* to) {
  scaled_to_bytes<kSigned>(from, n, 1, static_cast<unsigned char*>(to));
}
KITH_AVX512 void quantize(const float* from, std::size_t n, float inverse_scale, std::int8_t* to) {
  scaled_to_bytes<true>(from, n, inverse_scale, reinterpret_cast<unsigned char*>(to));
}

KITH_AVX512 std::size_t select(const float* values, std::size_t n, float threshold,
                               std::uint32_t* out) {
  const __m512 limit = _mm512_set1_ps(threshold);
  __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 x = _mm512_maskz_loadu_ps(lanes, values + i);
    const __mmask16 hits = _mm512_mask_cmp_ps_mask(lanes, x, limit, _CMP_LE_OQ);
    // Compressed in a register and stored whole where there is room: a compressing store is slow.
    const __m512i kept = _mm512_maskz_compress_epi32(hits, index);
    const unsigned count = ones_in(hits);
    _mm512_mask_storeu_epi32(out + found, first16(count), kept);
    found += count;
    index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
  }
  return found;
}

KITH_AVX512 float squares(const float* x, std::size_t dim) {
  __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                    _mm512_setzero_ps()};
  std::size_t i = 0;
  for (; i + 64 <= dim; i += 64) {
#pragma GCC unroll 4
    for (std::size_t s = 0; s < 4; ++s) {
      const __m512 v = _mm512_loadu_ps(x + i + 16 * s);
      sums[s] = _mm512_fmadd_ps(v, v, sums[s]);
    }
  }
  for (; i < dim; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(lanes_at(i, dim), x + i);
    sums[0] = _mm512_fmadd_ps(v, v, sums[0]);
  }
  return _mm512_reduce_add_ps(
      _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

KITH_AVX512 bool finite(const float* x, std::size_t n) {
  __mmask16 bad = 0;
  for (std::size_t i = 0; i < n; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(lanes_at(i, n), x + i);
    bad |= _mm512_fpclass_ps_mask(v, 0x99);  // quiet NaN, +infinity, -infinity, signalling NaN
  }
  return bad == 0;
}

// max and min give their second operand where either is NaN, so a NaN leaves the range as it was.
KITH_AVX512 void range(const float* x, std::size_t n, float* low, float* high) {
  __m512 least = _mm512_set1_ps(x[0]), most = least;
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
    least = _mm512_mask_min_ps(least, mask, v, least);
    most = _mm512_mask_max_ps(most, mask, v, most);
  }
  *low = _mm512_reduce_min_ps(least);
  *high = _mm512_reduce_max_ps(most);
}

KITH_AVX512 std::size_t count(const float* values, std::size_t n, float threshold) {
  const __m512 limit = _mm512_set1_ps(threshold);
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 x = _mm512_maskz_loadu_ps(lanes, values + i);
    found +=
        static_cast<std::size_t>(ones_in(_mm512_mask_cmp_ps_mask(lanes, x, limit, _CMP_LE_OQ)));
  }
  return found;
}

}  // namespace

void add_avx512_values(Level level, KernelTable& table) {
  if (level != Level::avx512) return;
  const auto set = [&](ElementType type, auto from, auto to) {
    table.to_float[index_of(type)] = from;
    table.from_float[index_of(type)] = to;
  };
  set(ElementType::f16, from_f16, to_f16);
  set(ElementType::bf16, from_bf16, to_bf16);
  set(ElementType::i8, from_bytes<true>, to_bytes<true>);
  set(ElementType::u8, from_bytes<false>, to_bytes<false>);
  table.quantize = quantize;
  table.select_at_most = select;
  table.norm_squared = squares;
  table.all_finite = finite;
  table.min_max = range;
  table.count_at_most = count;
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_avx512_values(Level, KernelTable&) {}
}  // namespace kith::simd
#endif
