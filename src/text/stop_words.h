// English words so frequent that they tell texts apart hardly at all.
#pragma once

#include <string_view>

namespace kith::text {

// The 33 words that Lucene's English analyser leaves out by default.
bool is_stop_word(std::string_view word);

}  // namespace kith::text
