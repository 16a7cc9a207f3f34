// Products of small odd numbers with AVX-512 VNNI: of each 64 bytes of codes two or four fields are
// cut out, and each meets its part of the query.
#include "simd/tables.h"

#if KITH_X86
#define KITH_AVX512_MORE ",avx512vnni"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

template <int bits>
struct OddKernel {
  static constexpr std::size_t kParts = 8 / bits;
  const std::int8_t* query;
  std::size_t bytes, part;

  template <std::size_t kRows>
  KITH_AVX512_METHOD void add(const RowBlock<kRows>& block, std::size_t i, __mmask64 mask,
                              __m512i (&sum)[kRows]) const {
    const __m512i field = _mm512_set1_epi8((1 << bits) - 1);
    __m512i q[kParts];
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) q[p] = _mm512_load_si512(query + p * part + i);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i x = _mm512_maskz_loadu_epi8(mask, block.row[r] + i);
      add_byte_products(sum[r], _mm512_and_si512(x, field), q[0]);
#pragma GCC unroll 4
      for (std::size_t p = 1; p < kParts; ++p) {
        const __m512i shifted = _mm512_srli_epi16(x, static_cast<unsigned>(p) * bits);
        add_byte_products(sum[r], _mm512_and_si512(shifted, field), q[p]);
      }
    }
  }

  template <std::size_t kRows>
  KITH_AVX512_METHOD auto score(const RowBlock<kRows>& block) const {
    __m512i sum[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sum[r] = _mm512_setzero_si512();
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) add(block, i, ~__mmask64{0}, sum);
    if (i < bytes) add(block, i, first64(bytes - i), sum);
    return lane_sums(sum);
  }
};

template <int bits>
KITH_AVX512 void many(const std::int8_t* query, const void* rows, std::size_t stride, std::size_t n,
                      std::size_t bytes, std::int32_t* out) {
  const OddKernel<bits> kernel{query, bytes, odd_part_bytes(bytes)};
  score_rows<8>(kernel, prefetched(rows, stride, n, bytes), n, out);
}
template <int bits>
KITH_AVX512 void gather(const std::int8_t* query, const void* rows, std::size_t stride,
                        const std::uint32_t* ids, std::size_t n, std::size_t bytes,
                        std::int32_t* out) {
  const OddKernel<bits> kernel{query, bytes, odd_part_bytes(bytes)};
  score_rows<8>(kernel, gathered(rows, stride, ids), n, out);
}

}  // namespace

void add_vnni_odd(Level level, KernelTable& table) {
  if (level != Level::avx512vnni) return;
  table.odd[odd_index(2)] = {many<2>, gather<2>};
  table.odd[odd_index(4)] = {many<4>, gather<4>};
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_vnni_odd(Level, KernelTable&) {}
}  // namespace kith::simd
#endif
