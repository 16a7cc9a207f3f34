// Narrow products for every instruction set, and what surrounds them: rows to bytes, sums to
// values.
#include <algorithm>
#include <cstring>
#include <limits>

#include "simd/highway_targets.h"
#include "simd/narrow_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/narrow_highway.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kith::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using Vector = hn::Vec<Floats>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());
constexpr std::size_t kHalf = kTileOutputs / 2;   // outputs that lie side by side in a panel
constexpr std::size_t kVectors = kHalf / kLanes;  // of one word of these
constexpr std::size_t kHalfBytes = kHalf * 4 * kGroupWords;

#define KITH_UNROLL _Pragma("GCC unroll 16")

HWY_INLINE std::uint32_t word_at(const unsigned char* row, std::size_t word) {
  std::uint32_t value;
  std::memcpy(&value, row + 4 * word, sizeof value);
  return value;
}

HWY_INLINE float as_float(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// ---- bfloat16: the lower value of a word, then the upper, each widened by a shift ---------------

constexpr std::size_t kBf16Rows = kLanes >= 16 ? 8 : 4;

HWY_INLINE void bf16_block(const unsigned char* x, std::size_t stride, const unsigned char* half,
                           std::size_t words, float* sums) {
  const Floats d;
  const Words dw;
  const auto upper = hn::Set(dw, 0xffff0000u);
  Vector sum[kBf16Rows][kVectors];
  KITH_UNROLL for (std::size_t r = 0; r < kBf16Rows; ++r) {
    KITH_UNROLL for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  for (std::size_t group = 0; group < words; group += kGroupWords, half += 2 * kHalfBytes) {
    for (std::size_t w = 0; w < kGroupWords; ++w) {
      const auto* weights = reinterpret_cast<const std::uint32_t*>(half + w * kHalf * 4);
      Vector even[kVectors], odd[kVectors];
      KITH_UNROLL for (std::size_t v = 0; v < kVectors; ++v) {
        const auto pair = hn::Load(dw, weights + v * kLanes);
        even[v] = hn::BitCast(d, hn::ShiftLeft<16>(pair));
        odd[v] = hn::BitCast(d, hn::And(pair, upper));
      }
      KITH_UNROLL for (std::size_t r = 0; r < kBf16Rows; ++r) {
        const std::uint32_t pair = word_at(x + r * stride, group + w);
        const Vector first = hn::Set(d, as_float(pair << 16));
        const Vector second = hn::Set(d, as_float(pair & 0xffff0000u));
        KITH_UNROLL for (std::size_t v = 0; v < kVectors; ++v) {
          sum[r][v] = hn::MulAdd(first, even[v], sum[r][v]);
          sum[r][v] = hn::MulAdd(second, odd[v], sum[r][v]);
        }
      }
    }
  }
  KITH_UNROLL for (std::size_t r = 0; r < kBf16Rows; ++r) {
    KITH_UNROLL for (std::size_t v = 0; v < kVectors; ++v) {
      hn::Store(sum[r][v], d, sums + r * kTileOutputs + v * kLanes);
    }
  }
}

void bf16(const void* x, std::size_t stride, std::size_t rows, const void* panel, std::size_t words,
          float* sums) {
  const auto* row = static_cast<const unsigned char*>(x);
  const auto* weights = static_cast<const unsigned char*>(panel);
  for (std::size_t first = 0; first < rows; first += kBf16Rows) {
    for (std::size_t h = 0; h < 2; ++h) {
      bf16_block(row + first * stride, stride, weights + h * kHalfBytes, words,
                 sums + first * kTileOutputs + h * kHalf);
    }
  }
}

// ---- Bytes: widened to 16 bits, whose products are added in pairs -------------------------------

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

constexpr std::size_t kByteRows = 1;

HWY_INLINE void byte_block(const unsigned char* x, std::size_t, const unsigned char* half,
                           std::size_t words, std::int32_t* sums) {
  std::fill_n(sums, kHalf, 0);
  for (std::size_t group = 0; group < words; group += kGroupWords, half += 2 * kHalfBytes) {
    for (std::size_t i = 0; i < kGroupWords * kHalf * 4; ++i) {
      const std::size_t word = group + i / (kHalf * 4), output = i / 4 % kHalf;
      sums[output] += x[4 * word + i % 4] * static_cast<std::int8_t>(half[i]);
    }
  }
}

#else

constexpr std::size_t kByteRows = 2;

// The four bytes of a word as four numbers of 16 bits.
HWY_INLINE std::uint64_t spread(std::uint32_t word) {
  const std::uint64_t pairs = (word | static_cast<std::uint64_t>(word) << 16) & 0xffff0000ffffull;
  return (pairs | pairs << 8) & 0x00ff00ff00ff00ffull;
}

HWY_INLINE void byte_block(const unsigned char* x, std::size_t stride, const unsigned char* half,
                           std::size_t words, std::int32_t* sums) {
  const Ints d;
  const hn::Repartition<std::int16_t, Ints> d16;
  const hn::Rebind<std::int8_t, decltype(d16)> d8;
  const hn::Repartition<std::uint64_t, Ints> d64;
  using Sum = hn::Vec<Ints>;
  // Two sums an output, of the pairs of a word.
  constexpr std::size_t kParts = 2 * kVectors;
  Sum low[kByteRows][kParts], high[kByteRows][kParts];
  KITH_UNROLL for (std::size_t r = 0; r < kByteRows; ++r) {
    KITH_UNROLL for (std::size_t v = 0; v < kParts; ++v) low[r][v] = high[r][v] = hn::Zero(d);
  }
  for (std::size_t group = 0; group < words; group += kGroupWords, half += 2 * kHalfBytes) {
    for (std::size_t w = 0; w < kGroupWords; ++w) {
      const auto* weights = reinterpret_cast<const std::int8_t*>(half + w * kHalf * 4);
      hn::Vec<decltype(d16)> word[kByteRows];
      KITH_UNROLL for (std::size_t r = 0; r < kByteRows; ++r) {
        word[r] = hn::BitCast(d16, hn::Set(d64, spread(word_at(x + r * stride, group + w))));
      }
      KITH_UNROLL for (std::size_t v = 0; v < kParts; ++v) {
        const auto wide = hn::PromoteTo(d16, hn::LoadU(d8, weights + v * 2 * kLanes));
        KITH_UNROLL for (std::size_t r = 0; r < kByteRows; ++r) {
          low[r][v] = hn::ReorderWidenMulAccumulate(d, word[r], wide, low[r][v], high[r][v]);
        }
      }
    }
  }
  HWY_ALIGN std::int32_t pairs[2 * kHalf];
  for (std::size_t r = 0; r < kByteRows; ++r) {
    KITH_UNROLL for (std::size_t v = 0; v < kParts; ++v) {
      hn::Store(hn::RearrangeToOddPlusEven(low[r][v], high[r][v]), d, pairs + v * kLanes);
    }
    for (std::size_t j = 0; j < kHalf; ++j) {
      sums[r * kTileOutputs + j] = pairs[2 * j] + pairs[2 * j + 1];
    }
  }
}

#endif

void bytes(const void* x, std::size_t stride, std::size_t rows, const void* panel,
           std::size_t words, std::int32_t* sums) {
  const auto* row = static_cast<const unsigned char*>(x);
  const auto* weights = static_cast<const unsigned char*>(panel);
  for (std::size_t first = 0; first < rows; first += kByteRows) {
    for (std::size_t h = 0; h < 2; ++h) {
      byte_block(row + first * stride, stride, weights + h * kHalfBytes, words,
                 sums + first * kTileOutputs + h * kHalf);
    }
  }
}

#undef KITH_UNROLL

// ---- Around the products ------------------------------------------------------------------------

// Converts a row, whole vectors first and the rest filled up with zeros. `convert` makes a vector
// of T of a vector of floats.
template <class T, class Convert>
HWY_INLINE void convert_row(const float* x, std::size_t n, T* to, const Convert& convert) {
  const Floats d;
  const hn::Rebind<T, Floats> narrow;
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    hn::StoreU(convert(hn::LoadU(d, x + i)), narrow, to + i);
  }
  if (whole == n) return;
  HWY_ALIGN float last[kLanes] = {};
  HWY_ALIGN T codes[kLanes];
  std::memcpy(last, x + whole, (n - whole) * sizeof(float));
  hn::Store(convert(hn::Load(d, last)), narrow, codes);
  std::memcpy(to + whole, codes, (n - whole) * sizeof(T));
}

ByteScale to_bytes(const float* x, std::size_t n, std::uint8_t* to) {
  const Floats d;
  const Ints di;
  const hn::Rebind<std::uint8_t, Floats> d8;
  const std::size_t whole = n / kLanes * kLanes;
  Vector low = hn::Zero(d), high = hn::Zero(d);
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vector v = hn::LoadU(d, x + i);
    low = hn::Min(low, v);
    high = hn::Max(high, v);
  }
  float least = hn::GetLane(hn::MinOfLanes(d, low)), most = hn::GetLane(hn::MaxOfLanes(d, high));
  for (std::size_t i = whole; i < n; ++i) {
    least = std::min(least, x[i]);
    most = std::max(most, x[i]);
  }
  const float range = most - least;
  constexpr float kLeast = 1e-30f;  // of what has a finite inverse
  if (!(range > kLeast && range <= std::numeric_limits<float>::max())) {
    std::memset(to, 0, n);
    return {0 * range, 0};  // NaN where a value is not finite
  }
  const float inverse = 255 / range;
  const auto zero = static_cast<float>(static_cast<int>(0.5f - least * inverse));
  const Vector factor = hn::Set(d, inverse), shift = hn::Set(d, zero);
  const auto convert = [&](Vector v) HWY_ATTR {
    const auto number = hn::NearestInt(hn::MulAdd(v, factor, shift));
    return hn::DemoteTo(d8, hn::Min(hn::Max(number, hn::Zero(di)), hn::Set(di, 255)));
  };
  convert_row(x, n, to, convert);
  return {range / 255, zero};
}

void finish_bytes(const std::int32_t* sums, std::size_t count, const ByteScale* rows,
                  const float* scales, const float* totals, const float* bias, float* y,
                  std::size_t stride) {
  const Floats d;
  const Ints di;
  for (std::size_t j = 0; j < kTileOutputs; j += kLanes) {
    const Vector scale = hn::LoadU(d, scales + j), total = hn::LoadU(d, totals + j);
    const Vector start = hn::LoadU(d, bias + j);
    for (std::size_t i = 0; i < count; ++i) {
      const Vector sum = hn::ConvertTo(d, hn::Load(di, sums + i * kTileOutputs + j));
      const Vector centred = hn::NegMulAdd(hn::Set(d, rows[i].zero), total, sum);
      const Vector factor = hn::Mul(hn::Set(d, rows[i].scale), scale);
      hn::StoreU(hn::MulAdd(centred, factor, start), d, y + i * stride + j);
    }
  }
}

void finish_bf16(const float* sums, std::size_t count, const float* bias, float* y,
                 std::size_t stride) {
  const Floats d;
  for (std::size_t j = 0; j < kTileOutputs; j += kLanes) {
    const Vector start = hn::LoadU(d, bias + j);
    for (std::size_t i = 0; i < count; ++i) {
      const Vector sum = hn::Load(d, sums + i * kTileOutputs + j);
      hn::StoreU(hn::Add(sum, start), d, y + i * stride + j);
    }
  }
}

float to_bf16(const float* x, std::size_t n, void* to) {
  const Floats d;
  const Words dw;
  const hn::Rebind<std::uint16_t, Floats> d16;
  const Ints di;
  auto* out = static_cast<std::uint16_t*>(to);
  Vector lost = hn::Zero(d);
  // Adds half of the last place that stays, less the least bit unless that place is odd: ties go to
  // the even neighbour.
  const auto convert = [&](Vector v) HWY_ATTR {
    const auto bits = hn::BitCast(dw, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(dw, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(hn::Set(dw, 0x7fff), odd)));
    const Vector left = hn::Sub(v, hn::BitCast(d, hn::ShiftLeft<16>(rounded)));
    lost = hn::MulAdd(left, left, lost);
    return hn::DemoteTo(d16, hn::BitCast(di, rounded));
  };
  convert_row(x, n, out, convert);
  if (n % 2 == 1) out[n] = 0;
  return hn::GetLane(hn::SumOfLanes(d, lost));
}

std::size_t select(const float* sums, const float* offsets, const float* thresholds,
                   TileHit* hits) {
  const Floats d;
  std::size_t count = 0;
  for (std::size_t i = 0; i < kTileRows; ++i, sums += kTileOutputs) {
    const Vector threshold = hn::Set(d, thresholds[i]);
    std::uint64_t passed = 0;
    for (std::size_t j = 0; j < kTileOutputs; j += kLanes) {
      const Vector value = hn::Add(hn::LoadU(d, offsets + j), hn::Load(d, sums + j));
      std::uint8_t bytes[8] = {};
      hn::StoreMaskBits(d, hn::Le(value, threshold), bytes);
      std::uint64_t bits;
      std::memcpy(&bits, bytes, sizeof bits);
      passed |= bits << j;
    }
    for (; passed != 0; passed &= passed - 1) {
      const auto j = static_cast<std::uint16_t>(__builtin_ctzll(passed));
      hits[count++] = {offsets[j] + sums[j], static_cast<std::uint16_t>(i), j};
    }
  }
  return count;
}

constexpr NarrowKernels kKernels{bytes, bf16, nullptr, nullptr};
constexpr NarrowRowKernels kRowKernels{to_bytes, finish_bytes, finish_bf16, to_bf16, select};

}  // namespace HWY_NAMESPACE
}  // namespace kith::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "simd/by_level.h"
#include "simd/matmul.h"
#include "simd/tables.h"

namespace kith::simd {
namespace {

const NarrowKernels& portable(Level level) { KITH_RETURN_BY_LEVEL(level, kKernels) }

}  // namespace

bool bf16_is_faster() {
#if KITH_X86
  if (level() == Level::amx) return narrow_kernels(Level::amx).begin != nullptr;
  return level() == Level::avx512bf16 && __builtin_cpu_is("amd") != 0;
#else
  return false;
#endif
}

NarrowKernels narrow_kernels(Level level) {
  NarrowKernels kernels = portable(level);
  add_avx512_narrow(level, kernels);
  add_amx_narrow(level, kernels);
  return kernels;
}

// Words are moved as if they were floats: nothing looks at what they hold.
void pack_panel(MatrixView<const std::uint32_t> rows, void* panel) {
  constexpr std::size_t kHalf = kTileOutputs / 2;
  const MatmulKernels& kernels = matmul_kernels();
  const std::size_t stride = rows.stride_bytes() / sizeof(float);
  auto* to = static_cast<float*>(panel);
  for (std::size_t group = 0; group < rows.cols(); group += kGroupWords) {
    for (std::size_t first = 0; first < kTileOutputs; first += kHalf) {
      const auto* from = reinterpret_cast<const float*>(rows.row(first) + group);
      kernels.pack_low(from, stride, kHalf, kGroupWords, kHalf, to);
      to += kHalf * kGroupWords;
    }
  }
}

const NarrowRowKernels& narrow_row_kernels(Level level) { KITH_RETURN_BY_LEVEL(level, kRowKernels) }

}  // namespace kith::simd
#endif  // HWY_ONCE
