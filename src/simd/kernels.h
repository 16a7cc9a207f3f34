// The distance kernels, as function pointers for this processor's best instruction set, chosen once
// at the first call (see dispatch.h). Rows are `stride` bytes apart and aligned to their element
// only. No kernel reads outside [row, row + stride) of a row, nor past dim elements of a query.
// Thread-safe; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kith/types.h"

namespace kith::simd {

enum class Op : std::uint8_t {
  l2,      // sum of (q - x)^2
  dot,     // sum of q * x (positive: nearer is larger)
  cosine,  // dot / (|q| |x|), norms computed on the fly; 0 when either norm is 0
};

// out[i] = op(query, row i). `query` has the query type below. Byte types accumulate in exact
// integers and convert to float once at the end.
using ManyFn = void (*)(const void* query, const void* rows, std::size_t stride, std::size_t n,
                        std::size_t dim, float* out);
// out[i] = op(query, row ids[i]).
using GatherFn = void (*)(const void* query, const void* rows, std::size_t stride,
                          const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out);

struct RowKernels {
  ManyFn many;
  GatherFn gather;
};

// A float query against rows of any type.
const RowKernels& float_query_kernels(ElementType rows, Op op);
// Query and rows of the same type: i8 and u8 in exact integers (VNNI where there is), bf16 by the
// BF16 dot product where there is (products rounded as the hardware does), f16 and f32 in float.
const RowKernels& same_type_kernels(ElementType type, Op op);

// ---- Scaled codes -----------------------------------------------------------------------------
// A record is [code bytes][float norm][float low][float step] (factors unaligned) and stands for
// the vector low + step * code_i. 8-bit codes: byte i is dimension i. 4-bit codes: with
// half = (dim + 1) / 2, byte i holds dimension i in its low nibble and dimension half + i in its
// high nibble (0 when there is none). Other widths follow one another as in pack_bits.
//
//   out = constant + norm_weight * norm + low_weight * low + step_weight * step * sum(q_i * code_i)
struct ScaledQuery {
  const void* values;  // float kernels: float[dim]; byte kernels: what pack_query wrote
  float constant = 0, norm_weight = 0, low_weight = 0, step_weight = 0;
};

using ScaledManyFn = void (*)(const ScaledQuery& query, const void* records, std::size_t stride,
                              std::size_t n, std::size_t dim, float* out);
using ScaledGatherFn = void (*)(const ScaledQuery& query, const void* records, std::size_t stride,
                                const std::uint32_t* ids, std::size_t n, std::size_t dim,
                                float* out);

struct ScaledKernels {
  ScaledManyFn many;
  ScaledGatherFn gather;
};

// bits is 1 to 8; kernels of a float query are quick for 4 and 8.
const ScaledKernels& scaled_kernels_float(int bits);
// Against an int8 query (VNNI where there is; exact integer sums, so every instruction set agrees
// to the bit on the sum).
const ScaledKernels& scaled_kernels_int8(int bits);

inline std::size_t code_bytes(int bits, std::size_t dim) {
  return (static_cast<std::size_t>(bits) * dim + 7) / 8;
}
inline std::size_t record_bytes(int bits, std::size_t dim) {
  return code_bytes(bits, dim) + 3 * sizeof(float);
}

// Bytes of a packed int8 query: a multiple of 64 for each part, zero-filled.
inline std::size_t packed_query_bytes(int bits, std::size_t dim) {
  const std::size_t part = ((bits == 4 ? code_bytes(4, dim) : dim) + 63) / 64 * 64;
  return bits == 4 ? 2 * part : part;
}
// Quantises query to int8 with one scale (returned): value = scale * int8. In dimension order, but
// 4 bits: dimensions [0, half) in the first part, [half, dim) in the second. `packed` must be
// 64-byte aligned and have packed_query_bytes bytes. A zero query packs zeros and returns 1.
float pack_query(int bits, const float* query, std::size_t dim, std::int8_t* packed);

// out[i] = base[i] + low + step * code_i. `codes` as in a record; `base` may be `out`.
void decode_codes(int bits, const void* codes, std::size_t dim, float low, float step,
                  const float* base, float* out);

// ---- Bits ---------------------------------------------------------------------------------------
// out[i] = number of bits in which query and row differ, over `bytes` bytes.
void hamming_many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                  std::size_t bytes, std::uint32_t* out);
void hamming_gather(const void* query, const void* rows, std::size_t stride,
                    const std::uint32_t* ids, std::size_t n, std::size_t bytes, std::uint32_t* out);

// ---- Blocks of 4-bit product codes --------------------------------------------------------------
// (Andre, Kermarrec and Le Scouarnec, "Cache locality is not enough", 2015.) A code has one nibble
// a part, which chooses one of the part's 16 table entries; its estimate is
//
//   offset + scale * (sum of the chosen entries) + term
//
// A block holds 32 codes. For each four parts 4 g .. 4 g + 3 it has 64 bytes: byte 4 v + j is part
// 4 g + j of code v in the low nibble and of code v + 16 in the high one. Parts are padded to a
// multiple of four (table entries 0), codes to whole blocks.
struct BlockQuery {
  const std::uint8_t* tables = nullptr;  // 16 entries a part, 64-byte aligned
  std::size_t parts = 0;                 // a multiple of four
  float scale = 0, offset = 0;
};
inline constexpr std::size_t kBlockCodes = 32;
inline std::size_t block_bytes(std::size_t parts) { return parts * kBlockCodes / 2; }

// A list of codes in blocks.
struct BlockList {
  const std::uint8_t* blocks = nullptr;
  std::size_t n = 0;                       // codes
  const float* terms = nullptr;            // one a code; null: zeros
  const std::uint32_t* allowed = nullptr;  // a bit a code, a word a block; null: every code is
  // The blocks that will be scanned next: brought nearer, as many as `n` needs. Need not be there.
  const std::uint8_t* next = nullptr;
};

// Estimates the codes of the list. Of those allowed, estimates of at most `limit` go to
// `estimates`, their places (0 to n - 1, ascending) to `places`, both with room for n rounded up
// to whole blocks. Returns how many. Sums are exact integers.
std::size_t scan_blocks(const BlockQuery& query, const BlockList& list, float limit,
                        float* estimates, std::uint32_t* places);

// One query of several that scan a list together, and what it finds there.
struct BlockScan {
  BlockQuery query;  // all with as many parts
  float limit = 0;
  float* estimates = nullptr;
  std::uint32_t* places = nullptr;
  std::size_t found = 0;
};
// scan_blocks for each: taking a code apart serves several queries.
void scan_blocks_each(BlockScan* scans, std::size_t count, const BlockList& list);

// The tables of a query, for codewords of two dimensions a part or however many: word w of
// dimension j is words[16 j + w], and part p has dimensions p * dim / parts to (p + 1) * dim /
// parts. Entries are weight * <query, word> of the part, less the part's lowest, in bytes of one
// scale. `tables` has room for 16 bytes a part; `entries` is room to work in, 16 a part.
struct TableScale {
  float scale = 0, offset = 0;  // of BlockQuery
};
TableScale fill_tables(const float* words, const float* query, float weight, std::size_t dim,
                       std::size_t parts, float* entries, std::uint8_t* tables);

// ---- Conversions --------------------------------------------------------------------------------
void to_float(ElementType type, const void* from, std::size_t n, float* to);
void from_float(ElementType type, const float* from, std::size_t n, void* to);  // f16, bf16; i8/u8
                                                                                // round and clamp
// ---- Transforms ---------------------------------------------------------------------------------
// In place; every instruction set rounds alike.
void multiply(float* x, const float* by, std::size_t n);  // x[i] *= by[i]
// The Walsh-Hadamard transform of x times `scale`; n is a power of two.
void hadamard(float* x, std::size_t n, float scale);
// (a, b) -> ((a + b) * scale, (a - b) * scale) for each a of `low` and b of `high`.
void butterfly(float* low, float* high, std::size_t n, float scale);

// ---- Small helpers ------------------------------------------------------------------------------
// Indexes i (ascending) with values[i] <= threshold, into out[0, returned); out has room for n.
std::size_t select_at_most(const float* values, std::size_t n, float threshold, std::uint32_t* out);
// How many of the values are at most the threshold.
std::size_t count_at_most(const float* values, std::size_t n, float threshold);
// Numbers of `bits` (1 to 32) bits each, the first in the lowest: little-endian bytes, nothing
// between numbers. (n bits + 7) / 8 bytes are read or written.
void unpack_bits(const void* packed, int bits, std::size_t n, std::uint32_t* out);
void pack_bits(const std::uint32_t* numbers, int bits, std::size_t n, void* packed);
float sum(const float* x, std::size_t n);
float norm_squared(const float* x, std::size_t dim);
// False when any value is NaN or infinite.
bool all_finite(const float* x, std::size_t n);
void min_max(const float* x, std::size_t n, float* low, float* high);  // n > 0

}  // namespace kith::simd
