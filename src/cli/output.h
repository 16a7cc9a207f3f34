// Checks of what a verb was given, made before the long work starts.
#pragma once

#include <string>

namespace kith::cli {

// Throws io naming `path` unless a file can be created there now; leaves no trace.
void check_writable(const std::string& path);

}  // namespace kith::cli
