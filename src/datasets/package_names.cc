#include "datasets/package_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace kith::datasets {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool equal_letters(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

}  // namespace

std::string stem_of(std::string_view name) {
  constexpr std::array<std::string_view, 10> kStarts = {"lib",     "python3-", "python-", "ruby-",
                                                        "node-",   "r-cran-",  "r-bioc-", "php-",
                                                        "golang-", "elpa-"};
  constexpr std::array<std::string_view, 8> kEnds = {"-dev", "-doc",    "-dbg",  "-data",
                                                     "-bin", "-common", "-perl", "-java"};
  const std::string_view whole = name;
  for (const std::string_view start : kStarts) {
    if (name.size() > start.size() && name.starts_with(start)) {
      name.remove_prefix(start.size());
      break;
    }
  }
  for (bool cut = true; cut;) {
    cut = false;
    for (const std::string_view end : kEnds) {
      if (name.size() <= end.size() || !name.ends_with(end)) continue;
      name.remove_suffix(end.size());
      cut = true;
    }
    while (name.size() > 1 && (std::isdigit(static_cast<unsigned char>(name.back())) != 0 ||
                               name.back() == '.' || name.back() == '-')) {
      name.remove_suffix(1);
      cut = true;
    }
  }
  return std::string(name.empty() ? whole : name);
}

std::string without_names(const std::string& text, const std::vector<std::string>& names) {
  constexpr std::size_t kLeastLetters = 3;
  std::vector<std::string> sought;
  for (const std::string& name : names) {
    sought.push_back(name);
    if (stem_of(name).size() >= kLeastLetters) sought.push_back(stem_of(name));
  }
  std::stable_sort(sought.begin(), sought.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::string left;
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const auto found = std::find_if(sought.begin(), sought.end(), [&](const std::string& name) {
      const std::size_t end = at + name.size();
      return begins && end <= text.size() && (end == text.size() || !is_word(text[end])) &&
             std::equal(name.begin(), name.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                        equal_letters);
    });
    if (found == sought.end()) {
      left += text[at++];
    } else {
      at += found->size();
    }
  }
  return left;
}

}  // namespace kith::datasets
