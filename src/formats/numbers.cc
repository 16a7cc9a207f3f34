#include "formats/numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace kith::formats {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether the decimal number in the text is at least 1, from its digits and exponent alone.
bool at_least_one(std::string_view text) {
  constexpr long kLimit = 100'000'000;
  long leading = std::numeric_limits<long>::min();  // power of ten of the first non-zero digit
  long place = 0;
  bool after_point = false;
  std::size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || text[i] == '.' || text[i] == '-'); ++i) {
    if (text[i] == '.') after_point = true;
    if (!is_digit(text[i])) continue;
    const bool first = leading == std::numeric_limits<long>::min() && text[i] != '0';
    if (first) leading = 0;
    if (after_point) {
      ++place;
      if (first) leading = -place;
    } else if (!first && leading != std::numeric_limits<long>::min()) {
      ++leading;
    }
  }
  long exponent = 0;
  if (i + 1 < text.size()) {
    std::string_view digits = text.substr(i + 1);
    const bool negative = digits[0] == '-';
    if (negative || digits[0] == '+') digits.remove_prefix(1);
    for (const char c : digits) exponent = std::min(kLimit, exponent * 10 + (c - '0'));
    if (negative) exponent = -exponent;
  }
  return leading + exponent >= 0;
}

// Out of float32's range: as a double, then narrowed.
ParsedNumber parse_extreme(const char* begin, const char* end) {
  double wide = 0;
  const auto [stop, error] = std::from_chars(begin, end, wide);
  const std::string_view text(begin, static_cast<std::size_t>(stop - begin));
  const bool large =
      error == std::errc{} ? std::isinf(static_cast<float>(wide)) : at_least_one(text);
  if (large) return {0, NumberStatus::too_large, stop};
  if (error != std::errc{}) wide = text.starts_with('-') ? -0.0 : 0.0;
  return {static_cast<float>(wide), NumberStatus::ok, stop};
}

}  // namespace

ParsedNumber parse_float(const char* begin, const char* end) {
  if (begin != end && *begin == '+' && begin + 1 != end && begin[1] != '-') ++begin;
  ParsedNumber number;
  const auto [stop, error] = std::from_chars(begin, end, number.value);
  if (error == std::errc::result_out_of_range) return parse_extreme(begin, end);
  if (error != std::errc{}) number.status = NumberStatus::not_a_number;
  number.end = stop;
  return number;
}

char* print_float(float value, char* out) {
  return std::to_chars(out, out + kFloatText, value).ptr;
}

}  // namespace kith::formats
