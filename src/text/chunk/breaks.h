// Where a text may be cut, by ICU's rules.
#pragma once

#include <string_view>
#include <vector>

#include "kith/passages.h"

namespace kith::chunk {

enum class Break : unsigned char { sentence, line };

// The ends of the pieces that break rules give, in bytes, the last being the text's. Line ends are
// read as spaces. Throws invalid_argument for 2 GiB or more.
std::vector<std::size_t> ends(std::string_view text, Break kind);

// The range without white space around.
TextRange trimmed(std::string_view text, TextRange range);

}  // namespace kith::chunk
