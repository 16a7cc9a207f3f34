// Float arithmetic on rows (and queries) of every type, in raw AVX-512: the type differs only in
// how sixteen elements become floats. Eight rows at a time share each load of the query and give
// the eight independent sums that hide the latency of a multiply-add.
#include <type_traits>

#include "simd/tables.h"

#if KITH_X86
#include "simd/avx512.h"

namespace kith::simd {
namespace {

struct F32 {
  static constexpr std::size_t kBytes = 4;
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i) {
    return _mm512_loadu_ps(x + 4 * i);
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i, __mmask16 mask) {
    return _mm512_maskz_loadu_ps(mask, x + 4 * i);
  }
};

struct F16 {
  static constexpr std::size_t kBytes = 2;
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + 2 * i)));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i, __mmask16 mask) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, x + 2 * i));
  }
};

struct BF16 {
  static constexpr std::size_t kBytes = 2;
  KITH_AVX512_INLINE __m512 widen(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + 2 * i)));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i, __mmask16 mask) {
    return widen(_mm256_maskz_loadu_epi16(mask, x + 2 * i));
  }
};

struct I8 {
  static constexpr std::size_t kBytes = 1;
  KITH_AVX512_INLINE __m512 widen(__m128i bytes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i) {
    return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i)));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i, __mmask16 mask) {
    return widen(_mm_maskz_loadu_epi8(mask, x + i));
  }
};

struct U8 {
  static constexpr std::size_t kBytes = 1;
  KITH_AVX512_INLINE __m512 widen(__m128i bytes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i) {
    return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i)));
  }
  KITH_AVX512_INLINE __m512 load(const unsigned char* x, std::size_t i, __mmask16 mask) {
    return widen(_mm_maskz_loadu_epi8(mask, x + i));
  }
};

template <class Query, class Row, Op op>
struct FloatKernel {
  const unsigned char* query;
  std::size_t dim;
  float query_norm;  // cosine: |q|, else unused

  // Converting a row to floats takes the units that subtract, so those rows are subtracted by a
  // multiply-add instead: q - 1 * x, which rounds the same.
  KITH_AVX512_INLINE __m512 subtract(__m512 q, __m512 x, __m512 one) {
    if constexpr (std::is_same_v<Row, F32>) return _mm512_sub_ps(q, x);
    return _mm512_fnmadd_ps(one, x, q);
  }

  template <std::size_t kRows>
  KITH_AVX512_INLINE void add(__m512 q, const __m512 (&x)[kRows], __m512 one, __m512 (&sums)[kRows],
                              __m512 (&norms)[kRows]) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      if constexpr (op == Op::l2) {
        const __m512 difference = subtract(q, x[r], one);
        sums[r] = _mm512_fmadd_ps(difference, difference, sums[r]);
      } else {
        sums[r] = _mm512_fmadd_ps(q, x[r], sums[r]);
        if constexpr (op == Op::cosine) norms[r] = _mm512_fmadd_ps(x[r], x[r], norms[r]);
      }
    }
  }

  template <std::size_t kRows>
  KITH_AVX512_METHOD auto score(const RowBlock<kRows>& block) const {
    __m512 sums[kRows], norms[kRows], x[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sums[r] = norms[r] = _mm512_setzero_ps();
    __m512 one = _mm512_set1_ps(1);
    __asm__("" : "+v"(one));  // lest the compiler see through it
    std::size_t i = 0;
    for (; i + 16 <= dim; i += 16) {
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) x[r] = Row::load(block.row[r], i);
      add(Query::load(query, i), x, one, sums, norms);
    }
    if (i < dim) {
      const __mmask16 mask = first16(dim - i);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) x[r] = Row::load(block.row[r], i, mask);
      add(Query::load(query, i, mask), x, one, sums, norms);
    }
    if constexpr (op == Op::cosine) return cosine(lane_sums(sums), lane_sums(norms), query_norm);
    return lane_sums(sums);
  }

  KITH_AVX512_INLINE __m256 cosine(__m256 dots, __m256 norms, float query_norm) {
    const __m256 scale = _mm256_mul_ps(_mm256_sqrt_ps(norms), _mm256_set1_ps(query_norm));
    const __mmask8 positive = _mm256_cmp_ps_mask(scale, _mm256_setzero_ps(), _CMP_GT_OQ);
    return _mm256_maskz_div_ps(positive, dots, scale);
  }
  KITH_AVX512_INLINE __m128 cosine(__m128 dots, __m128 norms, float query_norm) {
    const __m128 scale = _mm_mul_ps(_mm_sqrt_ps(norms), _mm_set1_ps(query_norm));
    const __mmask8 positive = _mm_cmp_ps_mask(scale, _mm_setzero_ps(), _CMP_GT_OQ);
    return _mm_maskz_div_ps(positive, dots, scale);
  }
};

template <class Query>
KITH_AVX512 float norm_of(const unsigned char* query, std::size_t dim) {
  __m512 sum = _mm512_setzero_ps();
  for (std::size_t i = 0; i < dim; i += 16) {
    const __m512 q = Query::load(query, i, first16(dim - i < 16 ? dim - i : 16));
    sum = _mm512_fmadd_ps(q, q, sum);
  }
  return __builtin_sqrtf(_mm512_reduce_add_ps(sum));
}

template <class Query, class Row, Op op>
KITH_AVX512 FloatKernel<Query, Row, op> kernel_for(const void* query, std::size_t dim) {
  const auto* q = static_cast<const unsigned char*>(query);
  return {q, dim, op == Op::cosine ? norm_of<Query>(q, dim) : 0.0f};
}

// Cosine has two sums a row, so four rows hide the latency and eight would overflow the registers.
template <Op op>
constexpr std::size_t kRowsAtOnce = op == Op::cosine ? 4 : 8;

template <class Query, class Row, Op op>
KITH_AVX512 void many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                      std::size_t dim, float* out) {
  const auto source = std::is_same_v<Row, F32> ? contiguous(rows, stride)
                                               : prefetched(rows, stride, n, dim * Row::kBytes);
  score_rows<kRowsAtOnce<op>>(kernel_for<Query, Row, op>(query, dim), source, n, out);
}
template <class Query, class Row, Op op>
KITH_AVX512 void gather(const void* query, const void* rows, std::size_t stride,
                        const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  score_rows<kRowsAtOnce<op>>(kernel_for<Query, Row, op>(query, dim), gathered(rows, stride, ids),
                              n, out);
}

template <class Query, class Row>
void set_ops(RowKernels (&kernels)[kOps]) {
  kernels[index_of(Op::l2)] = {many<Query, Row, Op::l2>, gather<Query, Row, Op::l2>};
  kernels[index_of(Op::dot)] = {many<Query, Row, Op::dot>, gather<Query, Row, Op::dot>};
  kernels[index_of(Op::cosine)] = {many<Query, Row, Op::cosine>, gather<Query, Row, Op::cosine>};
}

}  // namespace

void add_avx512_float(Level level, KernelTable& table) {
  if (level != Level::avx512) return;
  set_ops<F32, F32>(table.float_query[index_of(ElementType::f32)]);
  set_ops<F32, F16>(table.float_query[index_of(ElementType::f16)]);
  set_ops<F32, BF16>(table.float_query[index_of(ElementType::bf16)]);
  set_ops<F32, I8>(table.float_query[index_of(ElementType::i8)]);
  set_ops<F32, U8>(table.float_query[index_of(ElementType::u8)]);
  set_ops<F32, F32>(table.same_type[index_of(ElementType::f32)]);
  set_ops<F16, F16>(table.same_type[index_of(ElementType::f16)]);
  set_ops<BF16, BF16>(table.same_type[index_of(ElementType::bf16)]);
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_avx512_float(Level, KernelTable&) {}
}  // namespace kith::simd
#endif
