// The 64-bit checksum of kith's files: XXH3 (Collet), about the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kith {

std::uint64_t checksum(std::span<const std::byte> bytes);

}  // namespace kith
