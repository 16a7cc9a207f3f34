// A text as JSON writes it, for files whose other parts need no document in memory.
#pragma once

#include <string>
#include <string_view>

namespace kith::formats {

// In quotes; bytes beyond ASCII stay as they are.
std::string json_string(std::string_view text);

}  // namespace kith::formats
