// Any bytes as each of the forms end in texts or in a kith::Error, and never in more texts than
// lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>

#include "formats/text_stream.h"
#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const char* format : {"lines", "jsonl", "csv", "tsv"}) {
    try {
      kith::formats::TextStreamOptions options;
      options.format = format;
      kith::formats::TextStream stream(std::make_unique<std::istringstream>(text), "fuzz", options);
      kith::formats::TextRecord record;
      std::size_t records = 0;
      while (stream.next(record)) ++records;
      if (records > lines || stream.bytes() != size) __builtin_trap();
    } catch (const kith::Error&) {
    }
  }
  return 0;
}
