// A stage's codec as scans of ids see it, where its vectors may be in another order (Stage::row).
#pragma once

#include <algorithm>
#include <cstddef>

#include "codec/stage.h"

namespace kith {

// Keeps references. Has of a codec what scan_nearest (scan_codes.h) asks for.
template <class C>
class ById {
 public:
  using Query = typename C::Query;

  ById(const Stage& stage, const C& codec) : stage_(stage), codec_(codec) {}

  void prefetch(Id id) const { codec_.prefetch(stage_.row(id)); }
  void prefetch_best(Id id) const { codec_.prefetch_best(stage_.row(id)); }
  void score(const Query& query, const Id* ids, std::size_t n, float* out) const {
    in_pieces(
        n, out, [&](std::size_t i) { return ids[i]; },
        [&](const Id* rows, std::size_t count, float* to) {
          codec_.score(query, rows, count, to);
        });
  }
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const {
    in_pieces(
        n, out, [&](std::size_t i) { return ids[i]; },
        [&](const Id* rows, std::size_t count, float* to) {
          codec_.score_best(query, rows, count, to);
        });
  }
  void score_range(const Query& query, Id first, std::size_t n, float* out) const {
    if (!stage_.has_order()) return codec_.score_range(query, first, n, out);
    in_pieces(
        n, out, [&](std::size_t i) { return first + static_cast<Id>(i); },
        [&](const Id* rows, std::size_t count, float* to) {
          codec_.score(query, rows, count, to);
        });
  }

 private:
  template <class IdOf, class Score>
  void in_pieces(std::size_t n, float* out, const IdOf& id_of, const Score& score) const {
    constexpr std::size_t kPiece = 64;
    Id rows[kPiece];
    for (std::size_t first = 0; first < n; first += kPiece) {
      const std::size_t count = std::min(kPiece, n - first);
      for (std::size_t i = 0; i < count; ++i) rows[i] = stage_.row(id_of(first + i));
      score(rows, count, out + first);
    }
  }

  const Stage& stage_;
  const C& codec_;
};

}  // namespace kith
