// For fuzz targets of .kith files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "kith/error.h"

namespace kith::formats {

inline constexpr std::size_t kRow = 64;  // of the header and of each entry of the table

template <class T>
T number_at(const std::vector<std::byte>& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

inline void set_number(std::vector<std::byte>& bytes, std::size_t at, std::uint64_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Mutated bytes fail their checksums, which would hide everything behind: makes size and checksums
// right where the table can be found. docs/format.md has the offsets.
inline void repair(std::vector<std::byte>& bytes) {
  if (bytes.size() < kRow) return;
  set_number(bytes, 16, bytes.size());
  const std::size_t count = number_at<std::uint32_t>(bytes, 12);
  if (count > bytes.size() / kRow - 1) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = kRow * (i + 1);
    const auto offset = number_at<std::uint64_t>(bytes, entry + 32);
    const auto size = number_at<std::uint64_t>(bytes, entry + 40);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    set_number(bytes, entry + 48, checksum(std::span(bytes).subspan(offset, size)));
  }
  set_number(bytes, 24, checksum(std::span(bytes).subspan(kRow, count * kRow)));
}

// Calls read(bytes, verify) with the input as it is and repaired, verified and not. An Error is an
// answer like any other.
template <class Read>
void try_to_read(const std::uint8_t* data, std::size_t size, const Read& read) {
  const auto* start = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(start, start + size);
  for (const bool repaired : {false, true}) {
    if (repaired) repair(bytes);
    for (const bool verify : {true, false}) {
      try {
        read(std::span<const std::byte>(bytes), verify);
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace kith::formats
