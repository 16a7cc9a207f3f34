// Holding rows out: a seeded random sample of a file's vectors and all the others, labels included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/vectors.h"

namespace kith::cli {

struct SampledRows {
  std::vector<std::uint32_t> sample, rest;  // row numbers, ascending; together every row once
};

// `wanted` of `rows` rows (fewer than all of them), the same for the same seed.
SampledRows sample_rows(std::size_t rows, std::size_t wanted, std::uint64_t seed);

// A copy of the given rows with their labels.
Vectors select_rows(const Vectors& from, std::span<const std::uint32_t> rows);

}  // namespace kith::cli
