// One line on a terminal that shows how far the current stage is and how long it will still take.
// Stages expected to end within two seconds show nothing; the line is wiped when its stage ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace kith::cli {

class ProgressBar {
 public:
  explicit ProgressBar(std::FILE* terminal) : terminal_(terminal) {}
  ~ProgressBar() { wipe(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Fits Control::progress.
  void report(std::string_view stage, std::size_t done, std::size_t total);

 private:
  void wipe();

  std::FILE* terminal_;
  std::string stage_;
  std::chrono::steady_clock::time_point start_;
  bool drawn_ = false;
};

// Columns of a terminal; 80 of what is none.
std::size_t terminal_columns(std::FILE* terminal);

// Whether a stage that has run for `seconds` deserves a line: it is or will be over two seconds.
bool worth_showing(std::size_t done, std::size_t total, double seconds);

// The line, at most `columns` wide.
std::string progress_line(std::string_view stage, std::size_t done, std::size_t total,
                          double seconds, std::size_t columns);

}  // namespace kith::cli
