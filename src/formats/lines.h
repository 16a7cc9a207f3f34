// A text line by line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace kith::formats {

// Calls use(line, first byte, number from 1) for every line, without its end.
template <class Use>
void for_each_line(std::string_view text, const Use& use) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    use(line, at, ++number);
    at = end + 1;
  }
}

}  // namespace kith::formats
