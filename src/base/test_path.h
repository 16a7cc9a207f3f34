// Where a test puts a file: two processes, or two tests of one, never share a name.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace kith {

// A path in the folder for temporary files, of this process and this test.
inline std::string test_path(const std::string& name) {
  std::string own = "kith-" + std::to_string(::getpid()) + "-";
  if (const auto* test = testing::UnitTest::GetInstance()->current_test_info()) {
    for (const char c : std::string(test->name())) own += c == '/' ? '-' : c;
  }
  return (std::filesystem::temp_directory_path() / own.append("-" + name)).string();
}

}  // namespace kith
