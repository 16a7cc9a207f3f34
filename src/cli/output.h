// Files a verb writes: checked before the long work starts, whole or not there.
#pragma once

#include <string>

namespace kith::cli {

// Throws io naming `path` unless a file can be created there now; leaves no trace.
void check_writable(const std::string& path);

// The whole text under that name, or the file as it was. Throws io naming the path.
void write_text(const std::string& path, const std::string& text);

}  // namespace kith::cli
