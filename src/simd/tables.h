// Inside simd/: one table of kernels a level. A family of kernels (a file) overwrites the entries
// it does better than the levels below; tables_for(level) is what the layers up to `level` leave.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/dispatch.h"
#include "simd/kernels.h"
#include "simd/odd_codes.h"

#if defined(__x86_64__)
#define KITH_X86 1
#else
#define KITH_X86 0
#endif

namespace kith::simd {

inline constexpr std::size_t kElementTypes = 5;
inline constexpr std::size_t kOps = 3;

using HammingManyFn = decltype(&hamming_many);
using HammingGatherFn = decltype(&hamming_gather);
using BlockScanFn = decltype(&scan_blocks);

struct KernelTable {
  RowKernels float_query[kElementTypes][kOps];
  RowKernels same_type[kElementTypes][kOps];
  ScaledKernels scaled_float[8];  // 1 to 8 bits
  ScaledKernels scaled_int8[8];
  HammingManyFn hamming_many;
  HammingGatherFn hamming_gather;
  OddKernels odd[2];  // 2 and 4 bits
  BlockScanFn scan_blocks;
  decltype(&simd::scan_blocks_each) scan_blocks_each;
  decltype(&simd::fill_tables) fill_tables;
  void (*to_float[kElementTypes])(const void* from, std::size_t n, float* to);
  void (*from_float[kElementTypes])(const float* from, std::size_t n, void* to);
  void (*quantize)(const float* from, std::size_t n, float inverse_scale, std::int8_t* to);
  std::size_t (*select_at_most)(const float* values, std::size_t n, float threshold,
                                std::uint32_t* out);
  void (*unpack_bits)(const void* packed, int bits, std::size_t n, std::uint32_t* out);
  decltype(&simd::decode_codes) decode_codes;
  decltype(&simd::multiply) multiply;
  decltype(&simd::hadamard) hadamard;
  decltype(&simd::butterfly) butterfly;
  float (*sum)(const float* x, std::size_t n);
  float (*norm_squared)(const float* x, std::size_t dim);
  bool (*all_finite)(const float* x, std::size_t n);
  void (*min_max)(const float* x, std::size_t n, float* low, float* high);
  std::size_t (*count_at_most)(const float* values, std::size_t n, float threshold);
};

// The kernels of a level, which must be one of supported_levels().
const KernelTable& tables_for(Level level);

inline std::size_t index_of(ElementType type) { return static_cast<std::size_t>(type); }
inline std::size_t index_of(Op op) { return static_cast<std::size_t>(op); }
inline std::size_t bits_index(int bits) { return static_cast<std::size_t>(bits - 1); }

// ---- The families -------------------------------------------------------------------------------
void add_scalar(KernelTable& table);
void add_scalar_odd(KernelTable& table);
// Those below add what they have for this very level, and nothing for the others. Highway comes
// before the raw intrinsics that do better.
void add_highway_rows(Level level, KernelTable& table);
void add_highway_scaled(Level level, KernelTable& table);
void add_highway_bytes(Level level, KernelTable& table);
void add_highway_odd(Level level, KernelTable& table);
void add_avx512_float(Level level, KernelTable& table);
void add_avx512_values(Level level, KernelTable& table);
void add_avx512_transforms(Level level, KernelTable& table);
void add_vnni_scaled(Level level, KernelTable& table);
void add_vnni_bytes(Level level, KernelTable& table);  // and bits
void add_vnni_odd(Level level, KernelTable& table);
void add_vbmi_blocks(Level level, KernelTable& table);
void add_vbmi_bits(Level level, KernelTable& table);
void add_avx512_bf16(Level level, KernelTable& table);

}  // namespace kith::simd
