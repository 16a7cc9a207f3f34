#include "formats/fuzz_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::fuzz_format(kith::formats::kFvecs, data, size);
  kith::formats::fuzz_format(kith::formats::kBvecs, data, size);
  kith::formats::fuzz_format(kith::formats::kIvecs, data, size);
  return 0;
}
