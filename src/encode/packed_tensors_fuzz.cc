#include "encode/packed_tensors.h"

#include <cstddef>
#include <cstdint>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  for (const auto& tensor : kith::encode::read_packed(reader)) {
    if (tensor.decode().rows() != tensor.rows) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}
