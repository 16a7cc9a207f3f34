#include "formats/vector_sets.h"

#include "formats/fuzz_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::formats::Input in = kith::formats::fuzz_input(data, size);
  for (const char* format : {"", "npz", "safetensors", "jsonl"}) {
    try {
      const kith::VectorSets found = kith::formats::parse_vector_sets(in, format);
      kith::formats::read_whole({found.sets.vectors, found.labels, {}, {}});
      volatile std::size_t vectors = 0;
      for (std::size_t i = 0; i < found.sets.size(); ++i) {
        vectors = vectors + found.sets.set(i).rows();
      }
    } catch (const kith::Error&) {
    }
  }
  return 0;
}
