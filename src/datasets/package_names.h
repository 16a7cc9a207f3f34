// Names of packages, as far as they tell that two packages are one thing's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kith::datasets {

// What the name says apart from its form: of "libpng16-16", "libpng-dev" and "libpng-doc" "png".
std::string stem_of(std::string_view name);

// The text without these names and their stems of three letters and more, where they stand as
// words, in whatever letters.
std::string without_names(const std::string& text, const std::vector<std::string>& names);

}  // namespace kith::datasets
