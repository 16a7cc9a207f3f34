// A whole file as text.
#pragma once

#include <string>

namespace kith {

// Throws not_found, naming the path, when it can't be opened.
std::string read_file(const std::string& path);

}  // namespace kith
