// Kernels over the lists of an inverted index. A posting's impact on a score is a whole number,
//
//   impact = round(query * weight),
//
// the query's weight being scaled so that no sum of impacts exceeds 31 bits: whole numbers add up
// to the same in any order, so a score does not depend on the way in which it was found. Products
// and quotients are single float operations, never fused, so every instruction set gives the same
// bits. Rounding is to the nearest, ties to even.
//
// All may read and write up to kPostingsSlack elements past the end of what they are given.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/dispatch.h"

namespace kith::simd {

inline constexpr std::size_t kPostingsSlack = 16;  // elements
inline constexpr std::size_t kWindow = 256;        // documents that one byte tells apart

// Of a sound index no sum overflows; of one whose weights break their bounds it may wrap.
inline std::int32_t add_impact(std::int32_t sum, std::int32_t impact) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) +
                                   static_cast<std::uint32_t>(impact));
}

// Postings of one window from any number of lists, gathered so that their impacts are computed in
// whole registers however few each list has.
struct PostingBatch {
  static constexpr std::size_t kCapacity = 2048;

  std::size_t size = 0;  // at most kCapacity - kWindow before an append
  std::uint8_t places[kCapacity + kPostingsSlack];
  float weights[kCapacity + kPostingsSlack];  // or counts
  float queries[kCapacity + kPostingsSlack];
};

struct PostingKernels {
  // out[i] = base + slope * lengths[i]: what BM25 adds to a count under its fraction.
  void (*norms)(const std::uint32_t* lengths, std::size_t n, float base, float slope, float* out);
  // Weights count / (count + norm).
  void (*count_impacts)(const std::uint8_t* counts, const float* norms, std::size_t n, float query,
                        std::int32_t* out);
  // Weights as they are (floats or half floats, without alignment), or code * step.
  void (*float_impacts)(const void* weights, std::size_t n, float query, std::int32_t* out);
  void (*half_impacts)(const void* weights, std::size_t n, float query, std::int32_t* out);
  void (*code_impacts)(const std::uint8_t* codes, std::size_t n, float step, float query,
                       std::int32_t* out);
  // Append n postings of one list, at most kWindow, to a batch: codes * step, floats, half floats.
  void (*append_codes)(const std::uint8_t* places, const std::uint8_t* codes, std::size_t n,
                       float step, float query, PostingBatch& batch);
  void (*append_floats)(const std::uint8_t* places, const void* weights, std::size_t n, float query,
                        PostingBatch& batch);
  void (*append_halves)(const std::uint8_t* places, const void* weights, std::size_t n, float query,
                        PostingBatch& batch);
  // Add a batch's impacts to a window's sums; norms has one a place.
  void (*add_counts)(const PostingBatch& batch, const float* norms, std::int32_t* sums);
  void (*add_weights)(const PostingBatch& batch, std::int32_t* sums);
  // sums[i] += round(query * (codes[i] * step)).
  void (*add_code_impacts)(const std::uint8_t* codes, std::size_t n, float step, float query,
                           std::int32_t* sums);
  // The largest of a window's sums.
  std::int32_t (*largest)(const std::int32_t* sums);
  // The places i in a window (ascending) with sums[i] >= least, into out[0, returned).
  std::size_t (*select_at_least)(const std::int32_t* sums, std::int32_t least, std::uint32_t* out);
};

// For the instruction set in use (see dispatch.h).
const PostingKernels& posting_kernels();
// For a level, which must be one of supported_levels().
const PostingKernels& posting_kernels(Level level);

}  // namespace kith::simd
