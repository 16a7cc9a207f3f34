#include "index/row_scan.h"

#include <algorithm>
#include <memory>
#include <variant>
#include <vector>

#include "simd/kernels.h"

namespace kith {

void RowScan::scan(std::uint32_t list, std::size_t size, std::uint32_t next,
                   std::span<const ListQuery> queries, simd::BlockScan* scans) {
  constexpr std::size_t kPiece = 256;  // whose codes one query after the other finds in cache
  float distances[kPiece];
  std::uint32_t near[kPiece];
  const std::size_t coming = next == kNoList ? 0 : starts_[next + 1] - starts_[next];
  for (std::size_t i = 0; i < queries.size(); ++i) scans[i].found = 0;
  for (std::size_t first = 0; first < size; first += kPiece) {
    const std::size_t piece = std::min(kPiece, size - first);
    if (first < coming) {
      prefetch_(static_cast<Id>(starts_[next] + first), std::min(piece, coming - first));
    }
    for (std::size_t i = 0; i < queries.size(); ++i) {
      simd::BlockScan& scan = scans[i];
      score_(queries[i].query, static_cast<Id>(starts_[list] + first), piece, distances);
      const std::size_t found = simd::select_at_most(distances, piece, scan.limit, near);
      for (std::size_t j = 0; j < found; ++j) {
        scan.estimates[scan.found + j] = distances[near[j]];
        scan.places[scan.found + j] = static_cast<std::uint32_t>(first) + near[j];
      }
      scan.found += found;
    }
  }
}

RowScan row_scan(std::span<const std::uint64_t> starts, const Stage& stage,
                 MatrixView<const float> queries) {
  return std::visit(
      [&]<class C>(const C& codec) {
        auto prepared = std::make_shared<std::vector<typename C::Query>>(queries.rows());
        std::vector<float> x(queries.cols());
        for (std::size_t q = 0; q < queries.rows(); ++q) {
          std::copy_n(queries.row(q), queries.cols(), x.data());
          stage.transform_query(x.data());
          codec.prepare(x.data(), (*prepared)[q]);
        }
        return row_scan(starts, codec, [prepared](std::size_t query) -> const typename C::Query& {
          return (*prepared)[query];
        });
      },
      stage.codec());
}

}  // namespace kith
