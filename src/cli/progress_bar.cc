#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "cli/format.h"

namespace kith::cli {
namespace {

constexpr double kShortStageSeconds = 2;
constexpr double kTooEarlyToTell = 0.4;  // seconds before a stage's length is estimated
constexpr std::size_t kBarColumns = 30;

double fraction(std::size_t done, std::size_t total) {
  return total == 0 ? 0.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
}

}  // namespace

std::size_t terminal_columns(std::FILE* terminal) {
  winsize size{};
  if (::ioctl(::fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool worth_showing(std::size_t done, std::size_t total, double seconds) {
  if (done >= total) return false;
  if (seconds >= kShortStageSeconds) return true;
  const double part = fraction(done, total);
  return seconds >= kTooEarlyToTell && part > 0 && seconds / part > kShortStageSeconds;
}

std::string progress_line(std::string_view stage, std::size_t done, std::size_t total,
                          double seconds, std::size_t columns) {
  const double part = fraction(done, total);
  const auto filled = static_cast<std::size_t>(part * kBarColumns);
  std::string line = fmt::format("{} [{}{}] {:3.0f} %", stage, std::string(filled, '='),
                                 std::string(kBarColumns - filled, ' '), part * 100);
  if (part > 0) line += fmt::format(", {} left", seconds_text(seconds / part - seconds));
  if (display_width(line) >= columns) {
    line = fmt::format("{} {:.0f} %", stage, part * 100);
    line.resize(std::min(line.size(), columns - 1));
  }
  return line;
}

void ProgressBar::report(std::string_view stage, std::size_t done, std::size_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (stage != stage_ || done == 0) {
    wipe();
    stage_ = stage;
    start_ = now;
  }
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (!worth_showing(done, total, seconds)) {
    wipe();
    return;
  }
  const std::string line = progress_line(stage, done, total, seconds, terminal_columns(terminal_));
  fmt::print(terminal_, "\r{}\x1b[K", line);
  std::fflush(terminal_);
  drawn_ = true;
}

void ProgressBar::wipe() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", terminal_);
  std::fflush(terminal_);
  drawn_ = false;
}

}  // namespace kith::cli
