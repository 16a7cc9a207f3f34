#include "datasets/html.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::datasets;
  volatile std::size_t sum = 0;
  const auto blocks = parse_html({reinterpret_cast<const char*>(data), size});
  for (const Passage& passage : passages(blocks, 100)) {
    sum = sum + passage.text.size() + joined_path(passage).size();
  }
  return 0;
}
