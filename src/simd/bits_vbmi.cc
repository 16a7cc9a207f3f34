// Numbers of a few bits, unpacked with AVX-512 VBMI: sixteen of them fill whole bytes, so each
// sixteen are one load, one permutation of bytes and one shift, by the same amounts every time.
#include "simd/tables.h"

#if KITH_X86
#define KITH_AVX512_MORE ",avx512vbmi"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

constexpr int kMostBits = 25;  // with a shift of up to seven, four bytes hold them

KITH_AVX512 void unpack(const void* packed, int bits, std::size_t n, std::uint32_t* out) {
  if (bits > kMostBits) return tables_for(Level::scalar).unpack_bits(packed, bits, n, out);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i place = _mm512_mullo_epi32(lane, _mm512_set1_epi32(bits));
  const __m512i shift = _mm512_and_si512(place, _mm512_set1_epi32(7));
  const __m512i first_byte = _mm512_srli_epi32(place, 3);
  // Each lane's four bytes: first_byte, + 1, + 2, + 3.
  const __m512i two = _mm512_or_si512(first_byte, _mm512_slli_epi32(first_byte, 8));
  const __m512i four = _mm512_add_epi8(_mm512_or_si512(two, _mm512_slli_epi32(two, 16)),
                                       _mm512_set1_epi32(0x03020100));
  const __m512i mask = _mm512_set1_epi32((1 << bits) - 1);
  const auto* bytes = static_cast<const unsigned char*>(packed);
  const std::size_t group = 2 * static_cast<std::size_t>(bits);  // bytes of sixteen numbers
  for (std::size_t i = 0; i < n; i += 16, bytes += group) {
    const std::size_t left = (n - i) * static_cast<std::size_t>(bits);
    const __m512i x =
        _mm512_maskz_loadu_epi8(first64(left < 8 * group ? (left + 7) / 8 : group), bytes);
    const __m512i numbers = _mm512_srlv_epi32(_mm512_permutexvar_epi8(four, x), shift);
    _mm512_mask_storeu_epi32(out + i, n - i < 16 ? first16(n - i) : static_cast<__mmask16>(0xffff),
                             _mm512_and_si512(numbers, mask));
  }
}

}  // namespace

void add_vbmi_bits(Level level, KernelTable& table) {
  if (level == Level::avx512vnni) table.unpack_bits = unpack;
}

}  // namespace kith::simd

#else

namespace kith::simd {
void add_vbmi_bits(Level, KernelTable&) {}
}  // namespace kith::simd

#endif
