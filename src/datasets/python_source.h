// Functions of Python's source files with the texts that describe them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kith::datasets {

struct PythonFunction {
  std::string name;
  std::string signature;  // "def name(a, b=1):" in one line
  std::string docstring;  // paragraphs apart by "\n\n", without indentation
  std::string body;  // the lines after the docstring, indented by four spaces and what they need
};

// Those with a docstring in three quotes, in the file's order; functions inside others, too. Never
// fails: what it can't follow it passes over.
std::vector<PythonFunction> parse_python(std::string_view source);

}  // namespace kith::datasets
