// Rows of bytes against a query of the same type with AVX-512 VNNI, in exact integers modulo 2^32,
// which no result of up to 65,536 dimensions exceeds. vpdpbusd multiplies unsigned by signed bytes,
// so one side is moved by 128 and the product corrected; squares go through 16 bits.
#include <type_traits>

#include "simd/tables.h"

#if KITH_X86
#define KITH_AVX512_MORE ",avx512vnni,avx512vpopcntdq"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

// 64 or 32 bytes, or the first of them and zeros.
struct Whole {
  KITH_AVX512_INLINE __m512i bytes(const unsigned char* p) { return _mm512_loadu_si512(p); }
  KITH_AVX512_INLINE __m256i half(const unsigned char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
};
struct First {
  __mmask64 mask;
  KITH_AVX512_METHOD __m512i bytes(const unsigned char* p) const {
    return _mm512_maskz_loadu_epi8(mask, p);
  }
  KITH_AVX512_METHOD __m256i half(const unsigned char* p) const {
    return _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), p);
  }
};

template <class Byte, Op op>
struct ByteKernel {
  const unsigned char* query;
  std::size_t dim;
  std::uint32_t query_sum = 0;  // dot of i8
  float query_norm = 0;         // cosine

  static constexpr bool kSigned = std::is_signed_v<Byte>;

  KITH_AVX512_INLINE __m512i widen(__m256i bytes) {
    return kSigned ? _mm512_cvtepi8_epi16(bytes) : _mm512_cvtepu8_epi16(bytes);
  }

  // i8: sum((x + 128) q) = dot + 128 sum(q). u8: sum(x (q - 128)) = dot - 128 sum(x), with sum(x)
  // in `extra`.
  template <class Load, std::size_t kRows>
  KITH_AVX512_METHOD void dot(const RowBlock<kRows>& block, std::size_t i, Load load,
                              __m512i (&sum)[kRows], __m512i (&extra)[kRows]) const {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80)), one = _mm512_set1_epi8(1);
    __m512i q = load.bytes(query + i);
    if constexpr (!kSigned) q = _mm512_xor_si512(q, flip);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i x = load.bytes(block.row[r] + i);
      if constexpr (kSigned) {
        add_byte_products(sum[r], _mm512_xor_si512(x, flip), q);
      } else {
        add_byte_products(sum[r], x, q);
        add_byte_products(extra[r], x, one);
      }
    }
  }

  // l2: squared differences into sum. cosine: products into sum, squares of the row into extra.
  template <class Load, std::size_t kRows>
  KITH_AVX512_METHOD void words(const RowBlock<kRows>& block, std::size_t i, Load load,
                                __m512i (&sum)[kRows], __m512i (&extra)[kRows]) const {
    const __m512i q = widen(load.half(query + i));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i x = widen(load.half(block.row[r] + i));
      if constexpr (op == Op::l2) {
        const __m512i difference = _mm512_sub_epi16(q, x);
        sum[r] = _mm512_dpwssd_epi32(sum[r], difference, difference);
      } else {
        sum[r] = _mm512_dpwssd_epi32(sum[r], q, x);
        extra[r] = _mm512_dpwssd_epi32(extra[r], x, x);
      }
    }
  }

  template <std::size_t kRows>
  KITH_AVX512_METHOD auto score(const RowBlock<kRows>& block) const {
    __m512i sum[kRows], extra[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sum[r] = extra[r] = _mm512_setzero_si512();
    if constexpr (op == Op::dot) {
      std::size_t i = 0;
      for (; i + 64 <= dim; i += 64) dot(block, i, Whole(), sum, extra);
      if (i < dim) dot(block, i, First{first64(dim - i)}, sum, extra);
      if constexpr (!kSigned) {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          sum[r] = _mm512_add_epi32(sum[r], _mm512_slli_epi32(extra[r], 7));
        }
      }
      return finish(lane_sums(sum));
    } else {
      std::size_t i = 0;
      for (; i + 32 <= dim; i += 32) words(block, i, Whole(), sum, extra);
      if (i < dim) words(block, i, First{first64(dim - i)}, sum, extra);
      if constexpr (op == Op::l2) return finish(lane_sums(sum));
      return cosine(lane_sums(sum), lane_sums(extra));
    }
  }

  KITH_AVX512_METHOD __m256 finish(__m256i sum) const {
    if constexpr (op == Op::dot && kSigned) {
      const auto correction = static_cast<int>(128 * query_sum);
      return _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, _mm256_set1_epi32(correction)));
    }
    return _mm256_cvtepu32_ps(sum);
  }
  KITH_AVX512_METHOD __m128 finish(__m128i sum) const {
    return _mm256_castps256_ps128(finish(_mm256_castsi128_si256(sum)));
  }
  KITH_AVX512_METHOD __m256 cosine(__m256i dots, __m256i squares) const {
    const __m256 norms = _mm256_sqrt_ps(_mm256_cvtepu32_ps(squares));
    const __m256 scale = _mm256_mul_ps(norms, _mm256_set1_ps(query_norm));
    const __mmask8 positive = _mm256_cmp_ps_mask(scale, _mm256_setzero_ps(), _CMP_GT_OQ);
    const __m256 values = kSigned ? _mm256_cvtepi32_ps(dots) : _mm256_cvtepu32_ps(dots);
    return _mm256_maskz_div_ps(positive, values, scale);
  }
  KITH_AVX512_METHOD __m128 cosine(__m128i dots, __m128i squares) const {
    return _mm256_castps256_ps128(
        cosine(_mm256_castsi128_si256(dots), _mm256_castsi128_si256(squares)));
  }
};

template <class Byte, Op op>
KITH_AVX512 ByteKernel<Byte, op> kernel_for(const void* query, std::size_t dim) {
  ByteKernel<Byte, op> kernel{static_cast<const unsigned char*>(query), dim};
  const auto* q = static_cast<const Byte*>(query);
  if constexpr (op == Op::dot && std::is_signed_v<Byte>) {
    for (std::size_t i = 0; i < dim; ++i) kernel.query_sum += static_cast<std::uint32_t>(q[i]);
  }
  if constexpr (op == Op::cosine) {
    std::uint32_t squares = 0;
    for (std::size_t i = 0; i < dim; ++i) squares += static_cast<std::uint32_t>(q[i] * q[i]);
    kernel.query_norm = __builtin_sqrtf(static_cast<float>(squares));
  }
  return kernel;
}

template <class Byte, Op op>
KITH_AVX512 void many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                      std::size_t dim, float* out) {
  score_rows<8>(kernel_for<Byte, op>(query, dim), prefetched(rows, stride, n, dim), n, out);
}
template <class Byte, Op op>
KITH_AVX512 void gather(const void* query, const void* rows, std::size_t stride,
                        const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  score_rows<8>(kernel_for<Byte, op>(query, dim), gathered(rows, stride, ids), n, out);
}

template <class Byte>
void set_ops(RowKernels (&kernels)[kOps]) {
  kernels[index_of(Op::l2)] = {many<Byte, Op::l2>, gather<Byte, Op::l2>};
  kernels[index_of(Op::dot)] = {many<Byte, Op::dot>, gather<Byte, Op::dot>};
  kernels[index_of(Op::cosine)] = {many<Byte, Op::cosine>, gather<Byte, Op::cosine>};
}

struct HammingKernel {
  const unsigned char* query;
  std::size_t bytes;

  template <class Load, std::size_t kRows>
  KITH_AVX512_METHOD void count(const RowBlock<kRows>& block, std::size_t i, Load load,
                                __m512i (&sum)[kRows]) const {
    const __m512i q = load.bytes(query + i);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i different = _mm512_xor_si512(q, load.bytes(block.row[r] + i));
      sum[r] = _mm512_add_epi32(sum[r], _mm512_popcnt_epi32(different));
    }
  }

  template <std::size_t kRows>
  KITH_AVX512_METHOD auto score(const RowBlock<kRows>& block) const {
    __m512i sum[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sum[r] = _mm512_setzero_si512();
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) count(block, i, Whole(), sum);
    if (i < bytes) count(block, i, First{first64(bytes - i)}, sum);
    return lane_sums(sum);
  }
};

KITH_AVX512 void count_many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                            std::size_t bytes, std::uint32_t* out) {
  const HammingKernel kernel{static_cast<const unsigned char*>(query), bytes};
  score_rows<8>(kernel, prefetched(rows, stride, n, bytes), n, out);
}
KITH_AVX512 void count_gather(const void* query, const void* rows, std::size_t stride,
                              const std::uint32_t* ids, std::size_t n, std::size_t bytes,
                              std::uint32_t* out) {
  const HammingKernel kernel{static_cast<const unsigned char*>(query), bytes};
  score_rows<8>(kernel, gathered(rows, stride, ids), n, out);
}

}  // namespace

void add_vnni_bytes(Level level, KernelTable& table) {
  if (level != Level::avx512vnni) return;
  set_ops<std::int8_t>(table.same_type[index_of(ElementType::i8)]);
  set_ops<std::uint8_t>(table.same_type[index_of(ElementType::u8)]);
  table.hamming_many = count_many;
  table.hamming_gather = count_gather;
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_vnni_bytes(Level, KernelTable&) {}
}  // namespace kith::simd
#endif
