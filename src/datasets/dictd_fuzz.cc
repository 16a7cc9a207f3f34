#include "datasets/dictd.h"

#include "kith/error.h"

// The first half of the input is the index, the rest the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t half = size / 2;
  try {
    volatile std::size_t sum = 0;
    for (const kith::datasets::DictionaryEntry& entry :
         kith::datasets::parse_dictionary("fuzz", text.substr(0, half), text.substr(half))) {
      sum = sum + kith::datasets::without_word(entry.text, entry.headword).size();
    }
  } catch (const kith::Error&) {
  }
  return 0;
}
