#include "formats/numbers.h"

#include <cmath>
#include <cstddef>

// What was read is printed and read again: the same number, sign of zero included.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::formats;
  const char* text = reinterpret_cast<const char*>(data);
  const ParsedNumber number = parse_float(text, text + size);
  if (number.end < text || number.end > text + size) __builtin_trap();
  if (number.status != NumberStatus::ok || std::isnan(number.value)) return 0;
  char printed[kFloatText];
  const char* end = print_float(number.value, printed);
  const ParsedNumber again = parse_float(printed, end);
  const bool same = again.status == NumberStatus::ok && again.end == end &&
                    again.value == number.value &&
                    std::signbit(again.value) == std::signbit(number.value);
  if (!same) __builtin_trap();
  return 0;
}
