// The files in a zip archive that are stored as they are, which is how numpy.savez writes arrays:
// each one's bytes lie in the archive in one piece.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "formats/format.h"

namespace kith::formats {

struct ZipEntry {
  std::string name;
  std::span<const std::byte> bytes;
};

// Of one disk, up to 64-bit sizes. Throws corrupt with the position, unsupported for files that are
// compressed or encrypted. CRCs aren't checked, no more than other formats' bytes are.
std::vector<ZipEntry> read_stored_zip(const Input& in);

bool looks_like_zip(const Input& in);

}  // namespace kith::formats
