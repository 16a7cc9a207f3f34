// Tables of positions for longer texts, of which the new rows alone are trained: D. Zhu et al.,
// "LongEmbed: extending embedding models for long context retrieval", 2024.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace kith::learn {

inline constexpr const char* kPositionKinds[] = {"interpolated", "recurrent"};

struct PositionsOptions {
  std::int64_t tokens = 0;  // of the longest text afterwards
  // interpolated: new rows lie between the old ones, and short texts skip from one of these to the
  // next, so that they stay what they were; recurrent: behind the old ones, of which they start as
  // copies.
  std::string kind = "interpolated";
};

struct LongTable {
  at::Tensor rows;      // [rows, width]: `offset` as they were, then the positions
  at::Tensor added;     // int64: which of them are new
  std::int64_t tokens;  // positions that it has, at least as many as were asked for
};

// `table` [rows, width] has `trained` positions behind its first `offset` rows; what stands behind
// those is left out. Throws invalid_argument for a length that is no more than `trained`.
LongTable longer_table(const at::Tensor& table, std::int64_t offset, std::int64_t trained,
                       const PositionsOptions& options);

}  // namespace kith::learn
