#include "formats/texts.h"

#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::Input in;
  in.name = "fuzz";
  in.bytes = std::as_bytes(std::span(data, size));
  for (const char* format : {"lines", "tsv", "jsonl"}) {
    try {
      const kith::Texts texts = kith::formats::parse_texts(in, format);
      volatile std::size_t sum = 0;
      for (const std::string_view text : texts.texts) sum = sum + text.size();
    } catch (const kith::Error&) {
    }
  }
  return 0;
}
