// The header of an index's second file: bytes as they are, and with their checksum made right.
#include <cstring>
#include <vector>

#include "base/checksum.h"
#include "formats/tier_file.h"
#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kChecksumAt = 88;
  const auto* start = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(start, start + size);
  for (const bool repaired : {false, true}) {
    if (repaired && size >= kChecksumAt + sizeof(std::uint64_t)) {
      const std::uint64_t sum = kith::checksum(std::span(bytes).first(kChecksumAt));
      std::memcpy(bytes.data() + kChecksumAt, &sum, sizeof sum);
    }
    try {
      const kith::TierHeader header = kith::TierHeader::parse(bytes, "fuzz");
      if (header.shape.rows > kith::kMaxVectors) __builtin_trap();
    } catch (const kith::Error&) {
    }
  }
  return 0;
}
