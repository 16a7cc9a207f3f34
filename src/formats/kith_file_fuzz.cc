#include "formats/kith_file.h"

#include <vector>

#include "formats/fuzz_repair.h"

namespace {

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, read_whole);
  return 0;
}
