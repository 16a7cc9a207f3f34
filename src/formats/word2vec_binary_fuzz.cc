#include "formats/fuzz_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::fuzz_format(kith::formats::kWord2vecBinary, data, size);
  return 0;
}
