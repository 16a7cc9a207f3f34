// What describes code -> the code: functions of Python with a docstring, pages on C++.
#include "base/read_file.h"
#include "datasets/html.h"
#include "datasets/python_source.h"
#include "datasets/train_sets.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kLeastLetters = 40;
constexpr std::size_t kMostLetters = 2000;

// Whole lines, as many as fit.
std::string first_lines(const std::string& code) {
  if (code.size() <= kMostLetters) return code;
  const std::size_t end = code.rfind('\n', kMostLetters);
  return end == code.npos ? std::string() : code.substr(0, end);
}

void add_functions(const std::string& path, const std::string& module, TrainingFile& file) {
  for (const PythonFunction& function : parse_python(read_file(path))) {
    const std::size_t end = std::min(function.docstring.find("\n\n"), function.docstring.size());
    const std::string summary = function.docstring.substr(0, end);
    const std::string code = first_lines(function.signature + "\n" + function.body);
    if (function.body.size() >= kLeastLetters && !code.empty()) {
      file.add({summary, code, "python-code", module, {}, {}});
    }
    if (end == function.docstring.size()) continue;
    const std::vector<std::string> rest =
        pieces(std::string_view(function.docstring).substr(end), kMostLetters);
    if (rest.empty() || rest.front().size() < kLeastLetters) continue;
    file.add({function.name + ": " + summary, rest.front(), "python-docstring", module, {}, {}});
  }
}

}  // namespace

void train_code(Packages& packages, std::uint64_t, TrainingFile& file) {
  for (const auto& [package, folder] :
       {std::pair("libpython3.11-stdlib", "/usr/lib/python3.11"),
        std::pair("python3-networkx", "/usr/lib/python3/dist-packages/networkx")}) {
    const std::string base = packages.deb(package) + folder;
    for (const std::string& path : files_below(base, ".py", package)) {
      add_functions(path, path.substr(base.size() + 1), file);
    }
  }
  const std::string base =
      packages.deb("cppreference-doc-en-html") + "/usr/share/cppreference/doc/html/en";
  for (const std::string& path : files_below(base, ".html", "cppreference-doc-en-html")) {
    for (const Passage& passage : passages(parse_html(read_file(path)), kMostLetters)) {
      if (passage.text.size() < kLeastLetters) continue;
      file.add({joined_path(passage),
                passage.text,
                "cppreference",
                path.substr(base.size() + 1),
                {},
                {}});
    }
  }
}

}  // namespace kith::datasets
