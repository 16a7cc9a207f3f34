// Whether an inverted file would answer quickly: tried on a few vectors before anything is built.
// What a search of lists costs is how many codes it must scan, and that depends on how well the
// nearest neighbours gather in few lists (docs/performance.md has both kinds on three collections).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// Table look-ups that a search for recall@10 of about 0.95 would take in an inverted file of so
// many `lists` and `parts` a product code. Deterministic; costs a rough k-means and the exact
// neighbours of 200 rows, some hundredths of a build.
double lookups_by_lists(const AnyMatrixView& rows, Metric metric, std::size_t lists,
                        std::size_t parts, std::uint64_t seed, const Control& control);

}  // namespace kith
