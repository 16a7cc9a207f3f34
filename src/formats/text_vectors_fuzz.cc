#include "formats/fuzz_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::fuzz_format(kith::formats::kWord2vecText, data, size);
  kith::formats::fuzz_format(kith::formats::kFasttextVec, data, size);
  kith::formats::fuzz_format(kith::formats::kGlove, data, size);
  return 0;
}
