// Codes that stand for small odd whole numbers: a code c of `bits` bits (1, 2 or 4) stands for
// 2 c - K with K = 2^bits - 1, so that one bit is a sign and four are -15, -13 ... 15. Products of
// two such vectors are exact in whole numbers, whatever the instruction set. Thread-safe; no
// allocation.
//
// Packed: with n = odd_bytes(bits, dim), byte i holds dimensions i, n + i, 2 n + i ... , 8 / bits
// of them, the first in the lowest bits; those beyond the last are 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kith::simd {

inline std::size_t odd_bytes(int bits, std::size_t dim) {
  return (dim * static_cast<std::size_t>(bits) + 7) / 8;
}
void pack_odd(int bits, const std::uint8_t* codes, std::size_t dim, void* packed);
void unpack_odd(int bits, const void* packed, std::size_t dim, std::uint8_t* codes);

// A query has its odd numbers, those of each 8 / bits-th of the dimensions in a part of its own.
inline std::size_t odd_part_bytes(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
inline std::size_t odd_query_bytes(int bits, std::size_t dim) {
  return odd_part_bytes(odd_bytes(bits, dim)) * (8 / static_cast<std::size_t>(bits));
}
// Of 2 c - largest: K, or less where codes use fewer bits than they are stored in. `query` is
// 64-byte aligned and has odd_query_bytes(). Returns the numbers' sum.
std::int32_t pack_odd_query(int bits, int largest, const std::uint8_t* codes, std::size_t dim,
                            std::int8_t* query);

// out[i] = sum over dimensions of query_j c_ij, with c_i the codes of row i, 2 or 4 bits each, in
// `bytes` bytes. The product of the odd numbers is 2 out[i] - K sum over j of query_j. (One bit:
// dim - 2 hamming_many.)
using OddManyFn = void (*)(const std::int8_t* query, const void* rows, std::size_t stride,
                           std::size_t n, std::size_t bytes, std::int32_t* out);
using OddGatherFn = void (*)(const std::int8_t* query, const void* rows, std::size_t stride,
                             const std::uint32_t* ids, std::size_t n, std::size_t bytes,
                             std::int32_t* out);
struct OddKernels {
  OddManyFn many;
  OddGatherFn gather;
};
const OddKernels& odd_kernels(int bits);  // 2 or 4

inline std::size_t odd_index(int bits) { return bits == 4 ? 1 : 0; }

}  // namespace kith::simd
