#include "simd/odd_codes.h"

#include <cstring>

#include "simd/row_source.h"
#include "simd/tables.h"

namespace kith::simd {
namespace {

template <int bits, class Rows>
void add_products(const std::int8_t* query, const Rows& rows, std::size_t n, std::size_t bytes,
                  std::int32_t* out) {
  const std::size_t part = odd_part_bytes(bytes);
  for (std::size_t r = 0; r < n; ++r) {
    const unsigned char* row = rows[r];
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      for (std::size_t p = 0; p < 8 / bits; ++p) {
        sum += ((row[i] >> (p * bits)) & ((1 << bits) - 1)) * query[p * part + i];
      }
    }
    out[r] = sum;
  }
}

template <int bits>
void many(const std::int8_t* query, const void* rows, std::size_t stride, std::size_t n,
          std::size_t bytes, std::int32_t* out) {
  add_products<bits>(query, contiguous(rows, stride), n, bytes, out);
}
template <int bits>
void gather(const std::int8_t* query, const void* rows, std::size_t stride,
            const std::uint32_t* ids, std::size_t n, std::size_t bytes, std::int32_t* out) {
  add_products<bits>(query, gathered(rows, stride, ids), n, bytes, out);
}

}  // namespace

void add_scalar_odd(KernelTable& table) {
  table.odd[odd_index(2)] = {many<2>, gather<2>};
  table.odd[odd_index(4)] = {many<4>, gather<4>};
}

const OddKernels& odd_kernels(int bits) {
  static const KernelTable& chosen = tables_for(level());
  return chosen.odd[odd_index(bits)];
}

void pack_odd(int bits, const std::uint8_t* codes, std::size_t dim, void* packed) {
  auto* to = static_cast<std::uint8_t*>(packed);
  const std::size_t bytes = odd_bytes(bits, dim);
  std::memset(to, 0, bytes);
  for (std::size_t j = 0; j < dim; ++j) {
    to[j % bytes] |= static_cast<std::uint8_t>(codes[j] << (j / bytes * bits));
  }
}

void unpack_odd(int bits, const void* packed, std::size_t dim, std::uint8_t* codes) {
  const auto* from = static_cast<const std::uint8_t*>(packed);
  const std::size_t bytes = odd_bytes(bits, dim);
  for (std::size_t j = 0; j < dim; ++j) {
    codes[j] =
        static_cast<std::uint8_t>((from[j % bytes] >> (j / bytes * bits)) & ((1 << bits) - 1));
  }
}

std::int32_t pack_odd_query(int bits, int largest, const std::uint8_t* codes, std::size_t dim,
                            std::int8_t* query) {
  const std::size_t bytes = odd_bytes(bits, dim), part = odd_part_bytes(bytes);
  std::memset(query, 0, odd_query_bytes(bits, dim));
  std::int32_t sum = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    const int value = 2 * codes[j] - largest;
    query[j / bytes * part + j % bytes] = static_cast<std::int8_t>(value);
    sum += value;
  }
  return sum;
}

}  // namespace kith::simd
