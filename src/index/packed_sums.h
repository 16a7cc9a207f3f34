// The postings of one query's packed lists, added up by document: as an array with a sum for every
// document when there are many, else sorted into windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/types.h"
#include "simd/postings.h"

namespace kith {

class PackedSums {
 public:
  // Before a query that brings about `expected` postings of documents below `docs`.
  void start(std::size_t docs, std::size_t expected);
  // A list's documents, ascending, and their impacts. `bounds`: one a window; may be raised here.
  void add(std::span<const Id> docs, const std::int32_t* impacts, std::int32_t* bounds);
  // After the last list; raises each window's bound by no less than any of its documents' sums.
  void finish(const simd::PostingKernels& kernels, std::int32_t* bounds);
  // Sets a window's sums.
  void copy(std::size_t window, std::int32_t* sums) const;

 private:
  void sort_into_windows();

  std::size_t docs_ = 0, windows_ = 0;
  bool dense_ = false;
  std::vector<std::int32_t> sums_;  // a document, padded to whole windows

  std::size_t count_ = 0;
  std::vector<Id> all_docs_;
  std::vector<std::int32_t> all_impacts_;
  std::vector<std::uint32_t> starts_;  // a window
  std::vector<std::uint8_t> places_;   // by window
  std::vector<std::int32_t> impacts_;
};

}  // namespace kith
