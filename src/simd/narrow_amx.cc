// Narrow products by Intel's tile registers (AMX): eight registers of 16 rows of 64 bytes. Four
// hold sums of 16 rows by 16 outputs, two rows of x, two halves of a panel, so that each register
// that is loaded serves two products.
#include "simd/narrow_tiles.h"
#include "simd/tables.h"

#if KITH_X86 && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

#include <type_traits>

#include "simd/intrinsics.h"

#define KITH_AMX __attribute__((target("amx-tile,amx-int8,amx-bf16")))

namespace kith::simd {
namespace {

// The layout that LDTILECFG reads: palette 1, and all registers of 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64);
constexpr TileShapes kShapes{};

KITH_AMX void begin() { _tile_loadconfig(&kShapes); }
KITH_AMX void end() { _tile_release(); }

// The registers' numbers are part of the instructions: 0 to 3 are sums, 4 and 5 rows of x, 6 and 7
// halves of the panel.
template <class Sum>
KITH_AMX void product(const void* x, std::size_t stride, std::size_t rows, const void* panel,
                      std::size_t words, Sum* sums) {
  constexpr bool kBytes = std::is_same_v<Sum, std::int32_t>;
  constexpr std::size_t kHalfRows = kTileRows / 2, kHalfOutputs = kTileOutputs / 2;
  constexpr std::size_t kSumStride = kTileOutputs * sizeof(Sum);
  const auto* upper = static_cast<const unsigned char*>(x);
  const unsigned char* lower = upper + kHalfRows * stride;
  const auto* weights = static_cast<const unsigned char*>(panel);
  const bool both = rows > kHalfRows;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t at = 0; at < 4 * words; at += 64, weights += 2048) {
    _tile_loadd(4, upper + at, stride);
    _tile_loadd(6, weights, 64);
    _tile_loadd(7, weights + 1024, 64);
    if constexpr (kBytes) {
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
    } else {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (!both) continue;
    _tile_loadd(5, lower + at, stride);
    if constexpr (kBytes) {
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    } else {
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, kSumStride);
  _tile_stored(1, sums + kHalfOutputs, kSumStride);
  if (!both) return;
  _tile_stored(2, sums + kHalfRows * kTileOutputs, kSumStride);
  _tile_stored(3, sums + kHalfRows * kTileOutputs + kHalfOutputs, kSumStride);
}

// Linux saves these registers for processes that have asked for them (arch_prctl(2)).
bool allowed() {
  constexpr long kAskForState = 0x1023, kTileData = 18;
  return ::syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
}

}  // namespace

void add_amx_narrow(Level level, NarrowKernels& kernels) {
  if (level != Level::amx) return;
  static const bool usable = allowed();
  if (usable) kernels = {product<std::int32_t>, product<float>, begin, end};
}

}  // namespace kith::simd

#else
namespace kith::simd {
void add_amx_narrow(Level, NarrowKernels&) {}
}  // namespace kith::simd
#endif
