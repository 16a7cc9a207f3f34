// What the lists of an inverted file are scanned by: blocks of product codes (list_blocks.h), or
// the scores of stored codes that lie as the lists do (row_scan.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kith {

// One query of several that scan a list together, and what it finds there.
struct ListQuery {
  std::size_t query = 0;  // which of those that the scan was prepared for
  float centre = 0;       // its distance from the list's centre
  float limit = 0;
  // Estimated distances of at most the limit, and their places in the list, ascending. Both have
  // room for the whole list, rounded up to blocks of product codes.
  float* estimates = nullptr;
  std::uint32_t* places = nullptr;
  std::size_t found = 0;
};

// Prepared for some queries. For one thread.
class ListScan {
 public:
  static constexpr std::size_t kTogether = 4;  // queries at most, so that a list serves several
  static constexpr std::uint32_t kNoList = ~std::uint32_t{0};

  virtual ~ListScan() = default;
  // Fills in what each query finds in `list`; `next` is the one that will be scanned next, if any.
  virtual void scan(std::uint32_t list, std::uint32_t next, std::span<ListQuery> queries) = 0;
};

}  // namespace kith
