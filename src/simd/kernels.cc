// The public kernels: entries of the table of the level in use, and what is the same for all
// levels.
#include "simd/kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "simd/tables.h"

namespace kith::simd {
namespace {

constexpr std::size_t kLevels = static_cast<std::size_t>(Level::neon) + 1;

// What a level adds to the levels below it: each family knows for which it has kernels.
void add_level(Level level, KernelTable& table) {
  if (level == Level::scalar) {
    add_scalar(table);
    add_scalar_odd(table);
  }
  add_highway_rows(level, table);
  add_highway_scaled(level, table);
  add_highway_bytes(level, table);
  add_highway_odd(level, table);
  add_avx512_float(level, table);
  add_avx512_values(level, table);
  add_avx512_transforms(level, table);
  add_vnni_scaled(level, table);
  add_vnni_bytes(level, table);
  add_vnni_odd(level, table);
  add_vbmi_bits(level, table);
  add_vbmi_blocks(level, table);
  add_avx512_bf16(level, table);
}

std::array<KernelTable, kLevels> make_tables() {
  std::array<KernelTable, kLevels> tables{};
  KernelTable table{};
  for (const Level level : supported_levels()) {
    add_level(level, table);
    tables[static_cast<std::size_t>(level)] = table;
  }
  return tables;
}

const KernelTable& table() {
  static const KernelTable& chosen = tables_for(level());
  return chosen;
}

float largest_magnitude(const float* x, std::size_t n) {
  if (n == 0) return 0;
  float low, high;
  table().min_max(x, n, &low, &high);
  return std::max(std::fabs(low), std::fabs(high));
}

}  // namespace

const KernelTable& tables_for(Level level) {
  static const std::array<KernelTable, kLevels> tables = make_tables();
  return tables[static_cast<std::size_t>(level)];
}

const RowKernels& float_query_kernels(ElementType rows, Op op) {
  return table().float_query[index_of(rows)][index_of(op)];
}
const RowKernels& same_type_kernels(ElementType type, Op op) {
  return table().same_type[index_of(type)][index_of(op)];
}
const ScaledKernels& scaled_kernels_float(int bits) {
  return table().scaled_float[bits_index(bits)];
}
const ScaledKernels& scaled_kernels_int8(int bits) { return table().scaled_int8[bits_index(bits)]; }

float pack_query(int bits, const float* query, std::size_t dim, std::int8_t* packed) {
  std::memset(packed, 0, packed_query_bytes(bits, dim));
  const float scale = largest_magnitude(query, dim) / 127;
  const float inverse = 1 / scale;
  if (!(scale > 0) || !std::isfinite(inverse)) return 1;  // zero, or too small for a float's range
  const std::size_t first = bits == 4 ? code_bytes(4, dim) : dim;
  table().quantize(query, first, inverse, packed);
  if (first < dim) {
    table().quantize(query + first, dim - first, inverse,
                     packed + packed_query_bytes(bits, dim) / 2);
  }
  return scale;
}

void decode_codes(int bits, const void* codes, std::size_t dim, float low, float step,
                  const float* base, float* out) {
  table().decode_codes(bits, codes, dim, low, step, base, out);
}

void multiply(float* x, const float* by, std::size_t n) { table().multiply(x, by, n); }
void hadamard(float* x, std::size_t n, float scale) { table().hadamard(x, n, scale); }
void butterfly(float* low, float* high, std::size_t n, float scale) {
  table().butterfly(low, high, n, scale);
}

void hamming_many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                  std::size_t bytes, std::uint32_t* out) {
  table().hamming_many(query, rows, stride, n, bytes, out);
}
void hamming_gather(const void* query, const void* rows, std::size_t stride,
                    const std::uint32_t* ids, std::size_t n, std::size_t bytes,
                    std::uint32_t* out) {
  table().hamming_gather(query, rows, stride, ids, n, bytes, out);
}

std::size_t scan_blocks(const BlockQuery& query, const BlockList& list, float limit,
                        float* estimates, std::uint32_t* places) {
  return table().scan_blocks(query, list, limit, estimates, places);
}
void scan_blocks_each(BlockScan* scans, std::size_t count, const BlockList& list) {
  table().scan_blocks_each(scans, count, list);
}
TableScale fill_tables(const float* words, const float* query, float weight, std::size_t dim,
                       std::size_t parts, float* entries, std::uint8_t* tables) {
  return table().fill_tables(words, query, weight, dim, parts, entries, tables);
}

void to_float(ElementType type, const void* from, std::size_t n, float* to) {
  table().to_float[index_of(type)](from, n, to);
}
void from_float(ElementType type, const float* from, std::size_t n, void* to) {
  table().from_float[index_of(type)](from, n, to);
}

std::size_t select_at_most(const float* values, std::size_t n, float threshold,
                           std::uint32_t* out) {
  return table().select_at_most(values, n, threshold, out);
}
std::size_t count_at_most(const float* values, std::size_t n, float threshold) {
  return table().count_at_most(values, n, threshold);
}
void unpack_bits(const void* packed, int bits, std::size_t n, std::uint32_t* out) {
  table().unpack_bits(packed, bits, n, out);
}
void pack_bits(const std::uint32_t* numbers, int bits, std::size_t n, void* packed) {
  auto* bytes = static_cast<unsigned char*>(packed);
  std::uint64_t waiting = 0;
  int held = 0;  // bits in waiting
  for (std::size_t i = 0; i < n; ++i) {
    waiting |= std::uint64_t{numbers[i]} << held;
    for (held += bits; held >= 8; held -= 8, waiting >>= 8) {
      *bytes++ = static_cast<unsigned char>(waiting);
    }
  }
  if (held > 0) *bytes = static_cast<unsigned char>(waiting);
}
float sum(const float* x, std::size_t n) { return table().sum(x, n); }
float norm_squared(const float* x, std::size_t dim) { return table().norm_squared(x, dim); }
bool all_finite(const float* x, std::size_t n) { return table().all_finite(x, n); }
void min_max(const float* x, std::size_t n, float* low, float* high) {
  table().min_max(x, n, low, high);
}

}  // namespace kith::simd
