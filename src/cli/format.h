// Numbers the way people read them: grouped counts, binary byte units, durations, and values with
// the digits that mean something. JSON gets the full value instead; see table.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kith::cli {

std::string count_text(std::uint64_t value);             // 341479 -> "341,479"
std::string bytes_text(double bytes);                    // 1536 -> "1.50 KiB"
std::string seconds_text(double seconds);                // 0.0123 -> "12.3 ms", 125 -> "2 min 5 s"
std::string rate_text(double per_second);                // 12345.6 -> "12,300" (three digits)
std::string fixed_text(double value, int decimals);      // 0.95123, 3 -> "0.951"
std::string significant_text(double value, int digits);  // 0.0123456, 3 -> "0.0123"

// Columns `text` takes on a terminal: wide East Asian characters and emoji count 2, combining marks
// 0. Bytes that aren't UTF-8 count 1 each.
std::size_t display_width(std::string_view text);

// `text` safe for a terminal: control characters and bytes that aren't UTF-8 become "?".
std::string printable(std::string_view text);

}  // namespace kith::cli
