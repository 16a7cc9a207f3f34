// NumPy arrays that aren't rows of vectors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/format.h"

namespace kith::formats {

// A 1-D array of whole numbers (i4, u4, i8, u8), none below 0. Throws corrupt or unsupported.
std::vector<std::uint64_t> read_npy_counts(const Input& in);

// What stands before an array of this element ("<f4") and shape, whose rows follow one another.
std::string npy_header(const std::string& descr, const std::vector<std::uint64_t>& shape);
std::string npy_descr(ElementType type);

}  // namespace kith::formats
