#include "formats/fuzz_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::fuzz_format(kith::formats::kFbin, data, size);
  kith::formats::fuzz_format(kith::formats::kU8bin, data, size);
  kith::formats::fuzz_format(kith::formats::kI8bin, data, size);
  kith::formats::fuzz_format(kith::formats::kIbin, data, size);
  return 0;
}
