#include "datasets/python_source.h"

#include <algorithm>

#include "datasets/split.h"
#include "formats/lines.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kMostSignatureLines = 30;
constexpr std::string_view kIndentation = "    ";  // of a body below its signature

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

bool is_blank(std::string_view line) { return indentation(line) == line.size(); }

class Reader {
 public:
  explicit Reader(std::string_view source) {
    formats::for_each_line(
        source, [&](std::string_view line, std::size_t, std::size_t) { lines_.push_back(line); });
  }

  std::vector<PythonFunction> read() {
    std::vector<PythonFunction> functions;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const std::string_view code = lines_[i].substr(indentation(lines_[i]));
      if (!code.starts_with("def ") && !code.starts_with("async def ")) continue;
      PythonFunction function;
      std::size_t next = i;
      if (signature(next, function) && docstring(next, function)) {
        function.body = body(next, indentation(lines_[i]));
        functions.push_back(std::move(function));
      }
    }
    return functions;
  }

 private:
  // Moves `next` past the signature's lines: to where brackets are closed and a colon ends the
  // line.
  bool signature(std::size_t& next, PythonFunction& function) const {
    std::string text;
    int depth = 0;
    for (const std::size_t first = next; next < lines_.size(); ++next) {
      if (next - first == kMostSignatureLines) return false;
      const std::string line = squeeze(lines_[next]);
      for (const char c : line) depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
      text += (text.empty() ? "" : " ") + line;
      if (depth <= 0 && text.ends_with(':')) break;
    }
    if (next++ >= lines_.size()) return false;
    const std::size_t def = text.find("def ") + 4, bracket = text.find('(', def);
    if (bracket == std::string::npos) return false;
    function.name = squeeze(text.substr(def, bracket - def));
    function.signature = std::move(text);
    return !function.name.empty();
  }

  // Moves `next` past the docstring.
  bool docstring(std::size_t& next, PythonFunction& function) const {
    while (next < lines_.size() && is_blank(lines_[next])) ++next;
    if (next == lines_.size()) return false;
    std::string_view line = lines_[next].substr(indentation(lines_[next]));
    if (line.starts_with('r') || line.starts_with('R')) line.remove_prefix(1);
    const std::string_view quotes = line.substr(0, std::min<std::size_t>(3, line.size()));
    if (quotes != "\"\"\"" && quotes != "'''") return false;
    line.remove_prefix(quotes.size());
    std::string paragraph;
    const auto finish = [&] {
      if (!paragraph.empty()) {
        function.docstring += (function.docstring.empty() ? "" : "\n\n") + paragraph;
      }
      paragraph.clear();
    };
    for (;;) {
      const std::size_t end = line.find(quotes);
      const std::string words = squeeze(line.substr(0, end));
      if (words.empty()) finish();
      if (!words.empty()) paragraph += (paragraph.empty() ? "" : " ") + words;
      ++next;
      if (end != line.npos || next == lines_.size()) break;
      line = lines_[next];
    }
    finish();
    return !function.docstring.empty();
  }

  // The lines from `next` on that are indented more than the function is.
  std::string body(std::size_t next, std::size_t outer) const {
    std::size_t end = next, common = std::string_view::npos;
    for (std::size_t i = next; i < lines_.size(); ++i) {
      if (is_blank(lines_[i])) continue;
      if (indentation(lines_[i]) <= outer) break;
      common = std::min(common, indentation(lines_[i]));
      end = i + 1;
    }
    std::string text;
    for (std::size_t i = next; i < end; ++i) {
      if (is_blank(lines_[i])) continue;
      if (!text.empty()) text += '\n';
      text.append(kIndentation).append(lines_[i].substr(common));
    }
    return text;
  }

  std::vector<std::string_view> lines_;
};

}  // namespace

std::vector<PythonFunction> parse_python(std::string_view source) { return Reader(source).read(); }

}  // namespace kith::datasets
