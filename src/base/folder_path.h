// Names of folders as people write them.
#pragma once

#include <filesystem>
#include <string>

namespace kith {

// The path without "." and ".." where they can go, and without a slash at its end.
inline std::filesystem::path folder_path(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// The last part of it.
inline std::string folder_name(const std::string& path) {
  return folder_path(path).filename().string();
}

}  // namespace kith
