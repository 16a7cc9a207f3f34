#include "formats/labels_file.h"

#include <algorithm>

#include "formats/fuzz_reading.h"

// As many rows as lines, so that the text is read to its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::formats::Input in = kith::formats::fuzz_input(data, size);
  const bool ended = size == 0 || data[size - 1] == '\n';
  const auto breaks = static_cast<std::size_t>(std::count(data, data + size, '\n'));
  const std::size_t lines = breaks + (ended ? 0 : 1);
  if (kith::formats::parse_labels(in, lines).size() != lines) __builtin_trap();
  try {
    kith::formats::parse_labels(in, lines + 1);
    __builtin_trap();
  } catch (const kith::Error&) {
  }
  return 0;
}
