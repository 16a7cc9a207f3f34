#include "datasets/roff.h"

#include <algorithm>
#include <cctype>

#include "formats/lines.h"

namespace kith::datasets {
namespace {

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What a two-letter or longer name of a character prints; nothing where that isn't ASCII.
std::string_view named_character(std::string_view name) {
  if (one_of(name, {"aq", "cq", "oq"})) return "'";
  if (one_of(name, {"dq", "lq", "rq"})) return "\"";
  if (one_of(name, {"em", "en", "hy", "mi"})) return "-";
  if (name == "ti") return "~";
  if (name == "ha") return "^";
  if (name == "rs") return "\\";
  return {};
}

// The text with its escapes resolved.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      if (text[at] != '\\') plain += text[at];
      continue;
    }
    const char kind = text[++at];
    const auto name_after = [&](std::size_t from) -> std::string_view {
      if (from >= text.size()) return {};
      if (text[from] == '(') {
        at = std::min(from + 2, text.size() - 1);
        return text.substr(from + 1, 2);
      }
      if (text[from] == '[') {
        const std::size_t end = std::min(text.find(']', from), text.size() - 1);
        at = end;
        return text.substr(from + 1, end - from - 1);
      }
      at = from;
      return text.substr(from, 1);
    };
    if (kind == '"') break;  // a comment to the end of the line
    if (kind == '(' || kind == '[') {
      plain += named_character(name_after(at));
    } else if (kind == 'f' || kind == '*' || kind == 'n') {
      name_after(at + 1);  // a font, a string, a number
    } else if (kind == 's') {
      while (at + 1 < text.size() && (std::isdigit(static_cast<unsigned char>(text[at + 1])) != 0 ||
                                      text[at + 1] == '+' || text[at + 1] == '-')) {
        ++at;
      }
    } else if (kind == 'e') {
      plain += '\\';
    } else if (kind == '-') {
      plain += '-';
    } else if (kind == ' ' || kind == '~' || kind == '0') {
      plain += ' ';
    } else if (kind == '\\' || kind == '.' || kind == '\'' || kind == '`') {
      plain += kind;
    }
  }
  return plain;
}

// A macro's arguments; quotes keep spaces.
std::vector<std::string> arguments_of(std::string_view text) {
  std::vector<std::string> found;
  bool quoted = false, open = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = open = !quoted;
      if (quoted) found.emplace_back();
    } else if (c == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) found.emplace_back();
      open = true;
      found.back() += c;
    }
  }
  return found;
}

class Parser {
 public:
  void line(std::string_view line) {
    if (line.empty()) return;
    if (line[0] != '.' && line[0] != '\'') return add(unescape(line));
    line.remove_prefix(1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    const std::size_t end = std::min(line.find(' '), line.size());
    macro(line.substr(0, end), line.substr(std::min(end + 1, line.size())));
  }
  std::vector<ManualSection> take() { return std::move(sections_); }

 private:
  void macro(std::string_view name, std::string_view rest) {
    if (one_of(name, {"SH", "SS"})) {
      std::string title;
      for (const std::string& word : arguments_of(unescape(rest))) {
        title += (title.empty() ? "" : " ") + word;
      }
      if (name == "SS") return add(title);
      sections_.push_back({title, {}});
    } else if (one_of(name, {"B", "I", "SM", "SB"})) {
      std::string all;
      for (const std::string& word : arguments_of(unescape(rest))) {
        all += (all.empty() ? "" : " ") + word;
      }
      add(all);
    } else if (one_of(name, {"BR", "BI", "IR", "IB", "RB", "RI"})) {
      std::string all;  // alternating fonts, no space between
      for (const std::string& word : arguments_of(unescape(rest))) all += word;
      add(all);
    } else if (one_of(name, {"IP", "TQ"})) {
      const std::vector<std::string> words = arguments_of(unescape(rest));
      if (!words.empty()) add(words.front());
    }
  }

  void add(const std::string& text) {
    if (sections_.empty()) return;  // what stands before the first heading is no text
    std::string& all = sections_.back().text;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = text.find_first_not_of(" \t", at);
      if (begin == std::string::npos) break;
      at = std::min(text.find_first_of(" \t", begin), text.size());
      if (!all.empty()) all += ' ';
      all.append(text, begin, at - begin);
    }
  }

  std::vector<ManualSection> sections_;
};

bool of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_.+-:@").find(c) != std::string_view::npos;
}

}  // namespace

std::vector<ManualSection> parse_manual(std::string_view roff) {
  Parser parser;
  formats::for_each_line(
      roff, [&](std::string_view line, std::size_t, std::size_t) { parser.line(line); });
  return parser.take();
}

std::vector<std::string> references(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t open = text.find('('); open != std::string_view::npos;
       open = text.find('(', open + 1)) {
    const std::size_t close = text.find(')', open);
    if (close == std::string_view::npos) break;
    const std::string_view section = text.substr(open + 1, close - open - 1);
    const bool numbered =
        !section.empty() && section.size() <= 3 && section[0] >= '1' && section[0] <= '9';
    std::size_t end = open;
    while (end > 0 && text[end - 1] == ' ') --end;
    std::size_t begin = end;
    while (begin > 0 && of_name(text[begin - 1])) --begin;
    if (!numbered || begin == end) continue;
    found.push_back(std::string(text.substr(begin, end - begin)) + "(" + std::string(section) +
                    ")");
  }
  return found;
}

}  // namespace kith::datasets
