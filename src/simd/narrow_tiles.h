// Products of narrow rows, a tile at a time: rows of x by the rows of weights (outputs), both in
// words of four bytes that hold two bfloat16 values or four bytes, of x unsigned, of the weights
// signed. Rows are filled up with zeros to whole groups of kGroupWords words.
//
// A panel has kTileOutputs outputs, group by group: of each group first the words of the panel's
// first half, then of its second, and in each half word by word, outputs side by side. That is what
// Intel's tile registers (AMX) take; VNNI and the portable kernels read the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kith/matrix.h"
#include "simd/dispatch.h"
#include "simd/tile_hit.h"

namespace kith::simd {

inline constexpr std::size_t kTileRows = 32, kTileOutputs = 32, kGroupWords = 16;

// Where the word `word` of an output lies in its panel.
inline std::size_t panel_place(std::size_t output, std::size_t word) {
  constexpr std::size_t kHalf = kTileOutputs / 2;
  const std::size_t half = word / kGroupWords * 2 + output / kHalf;
  return (half * kGroupWords + word % kGroupWords) * kHalf + output % kHalf;
}

struct NarrowKernels {
  // sums[i * kTileOutputs + j] = <row i of x, output j>, for the first `rows` (1 to kTileRows) rows
  // of x, which lie `stride` bytes apart. All kTileRows rows must be there to be read, and sums of
  // the others may be anything. `panel` and `sums` are aligned to 64 bytes. Sums of bytes are exact
  // below 2^31; each sum of bfloat16 depends on its row and output alone.
  void (*bytes)(const void* x, std::size_t stride, std::size_t rows, const void* panel,
                std::size_t words, std::int32_t* sums);
  void (*bf16)(const void* x, std::size_t stride, std::size_t rows, const void* panel,
               std::size_t words, float* sums);
  // What a thread calls before the first product and after the last; null: nothing.
  void (*begin)();
  void (*end)();
};

// Rows of words, kTileOutputs of them, as a panel.
void pack_panel(MatrixView<const std::uint32_t> rows, void* panel);

// A row of bytes stands for scale * (byte - zero).
struct ByteScale {
  float scale, zero;
};

// What surrounds the products.
struct NarrowRowKernels {
  // The row as bytes, with 0 itself among the values that are exact.
  ByteScale (*to_bytes)(const float* x, std::size_t n, std::uint8_t* to);
  // A tile's sums of bytes as values: y[i * stride + j] = rows[i].scale * scales[j] * (sum -
  // rows[i].zero * totals[j]) + bias[j], for all kTileOutputs outputs.
  void (*finish_bytes)(const std::int32_t* sums, std::size_t count, const ByteScale* rows,
                       const float* scales, const float* totals, const float* bias, float* y,
                       std::size_t stride);
  // y[i * stride + j] = sum + bias[j].
  void (*finish_bf16)(const float* sums, std::size_t count, const float* bias, float* y,
                      std::size_t stride);
  // The row, all finite, rounded to the nearest bfloat16, two a word; an odd last one gets a zero
  // beside it. Returns the squared norm of what rounding took away.
  float (*to_bf16)(const float* x, std::size_t n, void* to);
  // The values offsets[j] + sums[i * kTileOutputs + j] that are at most thresholds[i], by i then j.
  // Returns how many; `hits` has room for a tile. A NaN passes nothing.
  std::size_t (*select)(const float* sums, const float* offsets, const float* thresholds,
                        TileHit* hits);
};

// Words that a row of so many bytes takes, filled up.
inline std::size_t row_words(std::size_t bytes) {
  constexpr std::size_t kGroupBytes = 4 * kGroupWords;
  return (bytes + kGroupBytes - 1) / kGroupBytes * kGroupWords;
}

// A thread's products lie between its begin and end.
class NarrowSession {
 public:
  explicit NarrowSession(const NarrowKernels& kernels) : kernels_(kernels) {
    if (kernels_.begin != nullptr) kernels_.begin();
  }
  ~NarrowSession() {
    if (kernels_.end != nullptr) kernels_.end();
  }
  NarrowSession(const NarrowSession&) = delete;
  NarrowSession& operator=(const NarrowSession&) = delete;

 private:
  const NarrowKernels& kernels_;
};

// The kernels of a level, which must be one of supported_levels(). Those of Level::amx ask the
// system to let this process use the tile registers, which it then may for as long as it lives;
// refused, they are those of the level below.
NarrowKernels narrow_kernels(Level level);
const NarrowRowKernels& narrow_row_kernels(Level level);

// Whether products of bfloat16 are quicker than those of float32 at level(): by tile registers that
// the system lets this process use many times, by AMD's AVX512_BF16 1.6 times; Intel's takes as
// long as float32 does (`kith bench kernels`: peaks).
bool bf16_is_faster();

// ---- The families -------------------------------------------------------------------------------
// Inside simd/: each overwrites what it does better at this level.
void add_avx512_narrow(Level level, NarrowKernels& kernels);
void add_amx_narrow(Level level, NarrowKernels& kernels);

}  // namespace kith::simd
