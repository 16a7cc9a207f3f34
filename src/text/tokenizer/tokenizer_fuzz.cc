#include <cstdint>
#include <string_view>

#include "kith/error.h"
#include "kith/tokenizer.h"

// Any bytes as a tokenizer.json; one that is read then encodes and decodes a text of many scripts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kText =
      "A b, c 12! \u00e9e\u0301 \u4e2d\u6587\r\n\t<s>[MASK] \xff'll ab";
  try {
    const auto tokenizer =
        kith::Tokenizer::parse({reinterpret_cast<const char*>(data), size}, "fuzzed");
    kith::Encoding encoding = tokenizer.encode(kText, "second text", {.use_file = false});
    (void)tokenizer.decode(encoding.ids);
    (void)tokenizer.encode(kText, {.truncation = kith::Truncation{.max_length = 8, .stride = 2}});
  } catch (const kith::Error&) {
  }
  return 0;
}
