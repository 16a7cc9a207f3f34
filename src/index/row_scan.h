// Lists of stored codes: the vectors of a list are consecutive rows of a codec, scored as they
// come. What FAISS calls IVFFlat and IVFScalarQuantizer, and the lists of binary codes of "Binary
// embedding-based retrieval at Tencent" (KDD 2023).
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "codec/codec.h"
#include "codec/stage.h"
#include "index/list_scan.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// Keeps references.
class RowScan : public ListScan {
 public:
  // Distances of n rows from a query of those that the scan was prepared for.
  using Score = std::function<void(std::size_t query, Id first, std::size_t n, float* distances)>;
  using Prefetch = std::function<void(Id first, std::size_t n)>;

  // List l has the rows from starts[l] to starts[l + 1].
  RowScan(std::span<const std::uint64_t> starts, Score score, Prefetch prefetch)
      : starts_(starts), score_(std::move(score)), prefetch_(std::move(prefetch)) {}

  void scan(std::uint32_t list, std::size_t size, std::uint32_t next,
            std::span<const ListQuery> queries, simd::BlockScan* scans) override;

 private:
  std::span<const std::uint64_t> starts_;
  Score score_;
  Prefetch prefetch_;
};

// By queries that are prepared: query_of(i) is the i-th.
template <Codec C, class QueryOf>
RowScan row_scan(std::span<const std::uint64_t> starts, const C& codec, QueryOf query_of) {
  return RowScan(
      starts,
      [&codec, query_of](std::size_t query, Id first, std::size_t n, float* distances) {
        codec.score_range(query_of(query), first, n, distances);
      },
      [&codec](Id first, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) codec.prefetch(first + static_cast<Id>(i));
      });
}

// By a stage's codes, of queries as people give them.
RowScan row_scan(std::span<const std::uint64_t> starts, const Stage& stage,
                 MatrixView<const float> queries);

}  // namespace kith
