// Vectors turned, and put together from their codes, in AVX-512.
#include "simd/tables.h"

#if KITH_X86

#include <algorithm>

#include "simd/avx512.h"

namespace kith::simd {
namespace {

// base + (low + step * code) of 16 codes, those of `mask`.
KITH_AVX512_INLINE void put_values(__m128i codes, __mmask16 mask, __m512 low, __m512 step,
                                   const float* base, float* out) {
  const __m512 values = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes));
  const __m512 from = _mm512_maskz_loadu_ps(mask, base);
  _mm512_mask_storeu_ps(out, mask, _mm512_add_ps(from, _mm512_fmadd_ps(step, values, low)));
}

// The same of whole vectors: a masked load that crosses a cache line costs some processors as much
// as decoding the rest of a record.
KITH_AVX512_INLINE void put_whole(__m128i codes, __m512 low, __m512 step, const float* base,
                                  float* out) {
  const __m512 values = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes));
  _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(base), _mm512_fmadd_ps(step, values, low)));
}

KITH_AVX512_INLINE __m128i load_whole(const unsigned char* codes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
}

KITH_AVX512 void decode(int bits, const void* codes, std::size_t dim, float low, float step,
                        const float* base, float* out) {
  if (bits != 4 && bits != 8) {
    return tables_for(Level::scalar).decode_codes(bits, codes, dim, low, step, base, out);
  }
  const auto* packed = static_cast<const unsigned char*>(codes);
  const __m512 lows = _mm512_set1_ps(low), steps = _mm512_set1_ps(step);
  if (bits == 8) {
    std::size_t i = 0;
    for (; i + 16 <= dim; i += 16) {
      put_whole(load_whole(packed + i), lows, steps, base + i, out + i);
    }
    if (i < dim) {
      const __mmask16 mask = lanes_at(i, dim);
      put_values(_mm_maskz_loadu_epi8(mask, packed + i), mask, lows, steps, base + i, out + i);
    }
    return;
  }
  const std::size_t half = code_bytes(4, dim);
  const __m128i nibble = _mm_set1_epi8(15);
  std::size_t i = 0;
  for (; half + i + 16 <= dim; i += 16) {  // the upper half is no longer than the lower one
    const __m128i both = load_whole(packed + i);
    put_whole(_mm_and_si128(both, nibble), lows, steps, base + i, out + i);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(both, 4), nibble);
    put_whole(high, lows, steps, base + half + i, out + half + i);
  }
  for (; i < half; i += 16) {
    const __mmask16 mask = lanes_at(i, half);
    const __m128i both = _mm_maskz_loadu_epi8(mask, packed + i);
    put_values(_mm_and_si128(both, nibble), mask, lows, steps, base + i, out + i);
    if (half + i == dim) return;  // an odd dimension: the last byte's upper half is empty
    const __m128i high = _mm_and_si128(_mm_srli_epi16(both, 4), nibble);
    put_values(high, lanes_at(half + i, dim), lows, steps, base + half + i, out + half + i);
  }
}

KITH_AVX512 void multiply_each(float* x, const float* by, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    _mm512_mask_storeu_ps(
        x + i, mask,
        _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, by + i)));
  }
}

// (a, b) -> (a + b, a - b) for a in the lanes outside `second` and b in those of it; `x` has them
// and `swapped` each other's.
KITH_AVX512_INLINE __m512 cross(__m512 x, __m512 swapped, __mmask16 second) {
  return _mm512_mask_sub_ps(_mm512_add_ps(x, swapped), second, swapped, x);
}

// The transform of the 16 lanes.
KITH_AVX512_INLINE __m512 within(__m512 x) {
  x = cross(x, _mm512_permute_ps(x, 0xb1), 0xaaaa);
  x = cross(x, _mm512_permute_ps(x, 0x4e), 0xcccc);
  x = cross(x, _mm512_shuffle_f32x4(x, x, 0xb1), 0xf0f0);
  return cross(x, _mm512_shuffle_f32x4(x, x, 0x4e), 0xff00);
}

KITH_AVX512 void transform(float* x, std::size_t n, float scale) {
  if (n < 16) return tables_for(Level::scalar).hadamard(x, n, scale);
  const __m512 scales = _mm512_set1_ps(scale);
  for (std::size_t i = 0; i < n; i += 16) {
    _mm512_storeu_ps(x + i, within(_mm512_mul_ps(_mm512_loadu_ps(x + i), scales)));
  }
  for (std::size_t half = 16; half < n; half *= 2) {
    for (std::size_t start = 0; start < n; start += 2 * half) {
      for (std::size_t i = start; i < start + half; i += 16) {
        const __m512 a = _mm512_loadu_ps(x + i), b = _mm512_loadu_ps(x + i + half);
        _mm512_storeu_ps(x + i, _mm512_add_ps(a, b));
        _mm512_storeu_ps(x + i + half, _mm512_sub_ps(a, b));
      }
    }
  }
}

KITH_AVX512 void mix(float* low, float* high, std::size_t n, float scale) {
  const __m512 scales = _mm512_set1_ps(scale);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = lanes_at(i, n);
    const __m512 a = _mm512_maskz_loadu_ps(mask, low + i);
    const __m512 b = _mm512_maskz_loadu_ps(mask, high + i);
    _mm512_mask_storeu_ps(low + i, mask, _mm512_mul_ps(_mm512_add_ps(a, b), scales));
    _mm512_mask_storeu_ps(high + i, mask, _mm512_mul_ps(_mm512_sub_ps(a, b), scales));
  }
}

KITH_AVX512 float add_up(const float* x, std::size_t n) {
  __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    even = _mm512_add_ps(even, _mm512_loadu_ps(x + i));
    odd = _mm512_add_ps(odd, _mm512_loadu_ps(x + i + 16));
  }
  for (; i < n; i += 16) {
    even = _mm512_add_ps(even, _mm512_maskz_loadu_ps(lanes_at(i, n), x + i));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(even, odd));
}

}  // namespace

void add_avx512_transforms(Level level, KernelTable& table) {
  if (level != Level::avx512) return;
  table.decode_codes = decode;
  table.multiply = multiply_each;
  table.hadamard = transform;
  table.butterfly = mix;
  table.sum = add_up;
}

}  // namespace kith::simd

#else

namespace kith::simd {
void add_avx512_transforms(Level, KernelTable&) {}
}  // namespace kith::simd

#endif
