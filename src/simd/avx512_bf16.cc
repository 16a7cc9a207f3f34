// bfloat16 rows against a bfloat16 query by the BF16 dot product: two products a lane and step,
// rounded to float without subnormal numbers, as the instruction is defined.
#include "simd/tables.h"

#if KITH_X86
#define KITH_AVX512_MORE ",avx512bf16"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

struct WholeBf16 {
  KITH_AVX512_INLINE __m512bh load(const unsigned char* p) {
    return (__m512bh)_mm512_loadu_si512(p);
  }
};
struct FirstBf16 {
  __mmask32 mask;
  KITH_AVX512_METHOD __m512bh load(const unsigned char* p) const {
    return (__m512bh)_mm512_maskz_loadu_epi16(mask, p);
  }
};

template <Op op>
struct Bf16Kernel {
  const unsigned char* query;
  std::size_t bytes;
  float query_norm = 0;  // cosine

  template <class Load, std::size_t kRows>
  KITH_AVX512_METHOD void add(const RowBlock<kRows>& block, std::size_t i, Load load,
                              __m512 (&sum)[kRows], __m512 (&norm)[kRows]) const {
    const __m512bh q = load.load(query + i);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512bh x = load.load(block.row[r] + i);
      sum[r] = _mm512_dpbf16_ps(sum[r], q, x);
      if constexpr (op == Op::cosine) norm[r] = _mm512_dpbf16_ps(norm[r], x, x);
    }
  }

  template <std::size_t kRows>
  KITH_AVX512_METHOD auto score(const RowBlock<kRows>& block) const {
    __m512 sum[kRows], norm[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sum[r] = norm[r] = _mm512_setzero_ps();
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) add(block, i, WholeBf16(), sum, norm);
    if (i < bytes) {
      const auto mask = static_cast<__mmask32>(first64((bytes - i) / 2));
      add(block, i, FirstBf16{mask}, sum, norm);
    }
    if constexpr (op == Op::dot) return lane_sums(sum);
    return cosine(lane_sums(sum), lane_sums(norm));
  }

  KITH_AVX512_METHOD __m128 cosine(__m128 dots, __m128 squares) const {
    const __m128 scale = _mm_mul_ps(_mm_sqrt_ps(squares), _mm_set1_ps(query_norm));
    return _mm_maskz_div_ps(_mm_cmp_ps_mask(scale, _mm_setzero_ps(), _CMP_GT_OQ), dots, scale);
  }
  KITH_AVX512_METHOD __m256 cosine(__m256 dots, __m256 squares) const {
    const __m256 scale = _mm256_mul_ps(_mm256_sqrt_ps(squares), _mm256_set1_ps(query_norm));
    return _mm256_maskz_div_ps(_mm256_cmp_ps_mask(scale, _mm256_setzero_ps(), _CMP_GT_OQ), dots,
                               scale);
  }
};

template <Op op>
KITH_AVX512 Bf16Kernel<op> kernel_for(const void* query, std::size_t dim) {
  Bf16Kernel<op> kernel{static_cast<const unsigned char*>(query), 2 * dim};
  if constexpr (op == Op::cosine) {
    const RowBlock<4> same = {{kernel.query, kernel.query, kernel.query, kernel.query}};
    const Bf16Kernel<Op::dot> dot{kernel.query, kernel.bytes};
    kernel.query_norm = __builtin_sqrtf(_mm_cvtss_f32(dot.score<4>(same)));
  }
  return kernel;
}

template <Op op>
KITH_AVX512 void many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                      std::size_t dim, float* out) {
  score_rows<8>(kernel_for<op>(query, dim), prefetched(rows, stride, n, 2 * dim), n, out);
}
template <Op op>
KITH_AVX512 void gather(const void* query, const void* rows, std::size_t stride,
                        const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  score_rows<8>(kernel_for<op>(query, dim), gathered(rows, stride, ids), n, out);
}

}  // namespace

void add_avx512_bf16(Level level, KernelTable& table) {
  if (level != Level::avx512bf16) return;
  RowKernels(&kernels)[kOps] = table.same_type[index_of(ElementType::bf16)];
  kernels[index_of(Op::dot)] = {many<Op::dot>, gather<Op::dot>};
  kernels[index_of(Op::cosine)] = {many<Op::cosine>, gather<Op::cosine>};
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_avx512_bf16(Level, KernelTable&) {}
}  // namespace kith::simd
#endif
