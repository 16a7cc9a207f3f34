// Porter's stemmer for English: M. F. Porter, "An algorithm for suffix stripping", Program 14(3),
// 1980. "relational" and "relate" both become "relat".
#pragma once

#include <string>

namespace kith::text {

// Cuts the suffixes of a lower-case word. Words with other characters than a to z, and those of
// one or two letters, stay as they are.
void porter_stem(std::string& word);

}  // namespace kith::text
