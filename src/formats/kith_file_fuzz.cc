#include "formats/kith_file.h"

#include <cstring>
#include <vector>

#include "base/checksum.h"

namespace {

constexpr std::size_t kRow = 64;  // of the header and of each entry of the table

template <class T>
T number_at(const std::vector<std::byte>& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

void set_number(std::vector<std::byte>& bytes, std::size_t at, std::uint64_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Mutated bytes fail their checksums, which would hide everything behind: makes size and checksums
// right where the table can be found. docs/format.md has the offsets.
void repair(std::vector<std::byte>& bytes) {
  if (bytes.size() < kRow) return;
  set_number(bytes, 16, bytes.size());
  const std::size_t count = number_at<std::uint32_t>(bytes, 12);
  if (count > bytes.size() / kRow - 1) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = kRow * (i + 1);
    const auto offset = number_at<std::uint64_t>(bytes, entry + 32);
    const auto size = number_at<std::uint64_t>(bytes, entry + 40);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    set_number(bytes, entry + 48, kith::checksum(std::span(bytes).subspan(offset, size)));
  }
  set_number(bytes, 24, kith::checksum(std::span(bytes).subspan(kRow, count * kRow)));
}

void read_whole(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto file = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  volatile unsigned sum = 0;
  for (const auto& section : file.sections()) {
    for (const std::byte byte : file.bytes(section.name)) sum = sum + static_cast<unsigned>(byte);
  }
  const kith::Meta meta = file.meta();
  meta.text();
  meta.number("dim", 65536);
  meta.real("recall");
}

void attempt(std::span<const std::byte> bytes) {
  for (const bool verify : {true, false}) {
    try {
      read_whole(bytes, verify);
    } catch (const kith::Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* start = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(start, start + size);
  attempt(bytes);
  repair(bytes);
  attempt(bytes);
  return 0;
}
