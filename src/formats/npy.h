// NumPy arrays that aren't rows of vectors.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/format.h"

namespace kith::formats {

// A 1-D array of whole numbers (i4, u4, i8, u8), none below 0. Throws corrupt or unsupported.
std::vector<std::uint64_t> read_npy_counts(const Input& in);

}  // namespace kith::formats
