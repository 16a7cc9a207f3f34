// What the lists of an inverted file are scanned by: blocks of product codes (list_blocks.h), or
// the scores of stored codes that lie as the lists do (row_scan.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "simd/kernels.h"

namespace kith {

// One query of several that scan a list together.
struct ListQuery {
  std::uint32_t query = 0;  // which of those that the scan was prepared for
  float centre = 0;         // its distance from the list's centre
};

// Prepared for some queries. For one thread.
class ListScan {
 public:
  static constexpr std::size_t kTogether = 4;  // queries at most, so that a list serves several
  static constexpr std::uint32_t kNoList = ~std::uint32_t{0};

  virtual ~ListScan() = default;
  // Fills in what each query finds in `list`, of `size` vectors: scans[i] has its limit, and room
  // for the whole list, rounded up to blocks of product codes; its table is the scan's own. `next`
  // is the list that will be scanned next, if any.
  virtual void scan(std::uint32_t list, std::size_t size, std::uint32_t next,
                    std::span<const ListQuery> queries, simd::BlockScan* scans) = 0;
};

}  // namespace kith
