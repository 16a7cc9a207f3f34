// Floats in text: std::from_chars, plus what people's files hold beside it: a leading plus, numbers
// too small for float32 (read as the nearest, often 0), and a distinction between no number and one
// that is too large.
#pragma once

#include <cstdint>
#include <string_view>

namespace kith::formats {

enum class NumberStatus : std::uint8_t { ok, not_a_number, too_large };

struct ParsedNumber {
  float value = 0;
  NumberStatus status = NumberStatus::ok;
  const char* end = nullptr;  // just behind the number
};

// The number that starts at `begin`; text after it is the caller's business.
ParsedNumber parse_float(const char* begin, const char* end);

// The shortest text that reads back as the same float; returns the end of what was written. `out`
// has room for kFloatText characters.
inline constexpr int kFloatText = 24;
char* print_float(float value, char* out);

}  // namespace kith::formats
