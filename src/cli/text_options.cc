#include "cli/text_options.h"

#include <sstream>

#include "kith/error.h"
#include "text/utf8.h"

namespace kith::cli {

void add_text_options(CLI::App& verb, std::string& format, std::string& fields, bool& strict) {
  verb.add_option("--format", format,
                  "lines, jsonl, csv or tsv (default: by the name's end, else lines)")
      ->type_name("NAME");
  verb.add_option("--field", fields,
                  "Members or columns that make the text, with commas between (default: text, and "
                  "title before it)")
      ->type_name("NAMES");
  verb.add_flag("--strict", strict,
                "Refuse bytes that are no UTF-8 (default: replaced and counted)");
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) names.push_back(name);
  return names;
}

void refuse_bytes(const std::string& input, std::uint64_t line, std::string_view text) {
  throw Error(ErrorCode::corrupt, input + ": line " + std::to_string(line) + ": byte " +
                                      std::to_string(text::first_wrong_byte(text)) +
                                      " of the text is no UTF-8");
}

}  // namespace kith::cli
