#include "datasets/rest.h"

#include <algorithm>
#include <string>
#include <utility>

#include "datasets/split.h"
#include "formats/lines.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kLeastAdornment = 3;
constexpr int kMostLevels = 6;

std::string_view trim_end(std::string_view line) {
  while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  return line;
}

bool is_indented(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

// The sign that a line of nothing else consists of; 0 for other lines.
char adornment(std::string_view line) {
  constexpr std::string_view kSigns = "=-~^\"'`#*+.:_<>";
  if (line.size() < kLeastAdornment || kSigns.find(line[0]) == kSigns.npos) return 0;
  return line.find_first_not_of(line[0]) == line.npos ? line[0] : 0;
}

// A row or a rule of a table: "| a | b |", "+---+", "=== ===".
bool is_table(std::string_view line) {
  if (line.starts_with('|') || line.starts_with("+-") || line.starts_with("+=")) return true;
  return line.find_first_not_of("= ") == line.npos && line.find("= =") != line.npos;
}

// ".. note::", ".. a comment"
bool is_directive(std::string_view line) { return line == ".." || line.starts_with(".. "); }

// ":Author: somebody"
bool is_field(std::string_view line) {
  const std::size_t end = line.starts_with(':') ? line.find(':', 1) : line.npos;
  return end != line.npos && end > 1 && (end + 1 == line.size() || line[end + 1] == ' ');
}

// "text <target>" -> "text"
std::string_view without_target(std::string_view text) {
  const std::size_t target = text.find(" <");
  return target == text.npos || !text.ends_with('>') ? text : text.substr(0, target);
}

// ":doc:`text <target>`_" -> "text", "``code``" -> "code", "**much**" -> "much".
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("**")) {
      at += 2;
      continue;
    }
    if (text[at] != '`') {
      out += text[at++];
      continue;
    }
    const std::string_view mark = text.substr(at).starts_with("``") ? "``" : "`";
    const std::size_t begin = at + mark.size(), end = text.find(mark, begin);
    if (end == text.npos) {
      at = begin;
      continue;
    }
    const std::size_t colon =
        out.ends_with(':') && out.size() > 1 ? out.rfind(':', out.size() - 2) : std::string::npos;
    if (colon != std::string::npos && out.find(' ', colon) == std::string::npos) out.erase(colon);
    out += without_target(text.substr(begin, end - begin));
    at = end + mark.size();
    while (mark.size() == 1 && at < text.size() && text[at] == '_') ++at;
  }
  return squeeze(out);
}

std::string_view without_bullet(std::string_view line) {
  const bool bullet = line.size() > 1 && std::string_view("-*+").find(line[0]) != line.npos &&
                      (line[1] == ' ' || line[1] == '\t');
  return bullet ? line.substr(2) : line;
}

class Reader {
 public:
  explicit Reader(std::string_view text) {
    formats::for_each_line(text, [&](std::string_view line, std::size_t, std::size_t) {
      lines_.push_back(trim_end(line));
    });
  }

  std::vector<Block> read() {
    while (at_ < lines_.size()) {
      const std::string_view line = lines_[at_];
      if (line.empty()) {
        ++at_;
      } else if (is_directive(line) || is_field(line)) {
        skip_with_what_is_indented();
      } else if (!heading()) {
        paragraph();
      }
    }
    return std::move(blocks_);
  }

 private:
  std::string_view line(std::size_t i) const { return i < lines_.size() ? lines_[i] : ""; }

  void skip_with_what_is_indented() {
    ++at_;
    while (at_ < lines_.size() && (lines_[at_].empty() || is_indented(lines_[at_]))) ++at_;
  }

  bool heading() {
    const char over = adornment(line(at_));
    const std::string_view title = line(over != 0 ? at_ + 1 : at_);
    const char under = adornment(line(over != 0 ? at_ + 2 : at_ + 1));
    const bool one = over == 0 && under != 0 && !is_indented(title);
    const bool two = over != 0 && under == over && !title.empty();
    if (!one && !two) return false;
    std::string text = plain(title);
    if (!text.empty()) blocks_.push_back({level_of({under, two}), std::move(text)});
    at_ += two ? 3 : 2;
    return true;
  }

  // Styles are levels in the order in which the document first uses them.
  int level_of(std::pair<char, bool> style) {
    auto found = std::find(styles_.begin(), styles_.end(), style);
    if (found == styles_.end()) found = styles_.insert(styles_.end(), style);
    return std::min(static_cast<int>(found - styles_.begin()) + 1, kMostLevels);
  }

  void paragraph() {
    std::string text;
    bool table = false;
    const std::size_t first = at_;
    for (; at_ < lines_.size() && !lines_[at_].empty(); ++at_) {
      if (at_ > first && !is_indented(lines_[at_]) && adornment(line(at_ + 1)) != 0) break;
      table = table || is_table(lines_[at_]) || adornment(lines_[at_]) != 0;
      const std::string own = squeeze(lines_[at_]);
      const bool item = at_ > first && without_bullet(own).size() < own.size();
      if (item) finish(text, table);
      if (!text.empty()) text += ' ';
      text += without_bullet(own);
    }
    const bool literal = text.ends_with("::");
    if (literal) text.pop_back();
    finish(text, table);
    if (!literal) return;
    while (at_ < lines_.size() && (lines_[at_].empty() || is_indented(lines_[at_]))) ++at_;
  }

  void finish(std::string& text, bool table) {
    std::string own = plain(text);
    if (!table && own.size() > 1) blocks_.push_back({0, std::move(own)});
    text.clear();
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  std::vector<std::pair<char, bool>> styles_;  // sign, and whether there is a line above, too
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> parse_rest(std::string_view text) { return Reader(text).read(); }

}  // namespace kith::datasets
