#include "datasets/roff.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  volatile std::size_t sum = 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const kith::datasets::ManualSection& section : kith::datasets::parse_manual(text)) {
    sum = sum + section.title.size() + kith::datasets::references(section.text).size();
  }
  return 0;
}
