#include "index/row_scan.h"

#include <algorithm>
#include <memory>
#include <variant>
#include <vector>

#include "simd/kernels.h"

namespace kith {

void RowScan::scan(std::uint32_t list, std::uint32_t next, std::span<ListQuery> queries) {
  constexpr std::size_t kPiece = 256;  // whose codes one query after the other finds in cache
  float distances[kPiece];
  std::uint32_t near[kPiece];
  const auto size_of = [&](std::uint32_t of) {
    return static_cast<std::size_t>(starts_[of + 1] - starts_[of]);
  };
  const std::size_t size = size_of(list), coming = next == kNoList ? 0 : size_of(next);
  for (ListQuery& query : queries) query.found = 0;
  for (std::size_t first = 0; first < size; first += kPiece) {
    const std::size_t piece = std::min(kPiece, size - first);
    if (first < coming) {
      prefetch_(static_cast<Id>(starts_[next] + first), std::min(piece, coming - first));
    }
    for (ListQuery& query : queries) {
      score_(query.query, static_cast<Id>(starts_[list] + first), piece, distances);
      const std::size_t found = simd::select_at_most(distances, piece, query.limit, near);
      for (std::size_t i = 0; i < found; ++i) {
        query.estimates[query.found + i] = distances[near[i]];
        query.places[query.found + i] = static_cast<std::uint32_t>(first) + near[i];
      }
      query.found += found;
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
