#include "cli/partial_sets.h"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "formats/labels_file.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

struct Lines {
  std::vector<std::uint64_t> offsets = {0};
  std::string labels;  // a line each, if there are any
};

Lines read_lines(std::string_view text, const std::string& name) {
  Lines lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), length);
    if (error != std::errc{} || length == 0) {
      throw Error(ErrorCode::corrupt, name + ": line " + std::to_string(lines.offsets.size()) +
                                          ", expected a set's number of vectors");
    }
    lines.offsets.push_back(lines.offsets.back() + length);
    const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
    if (!rest.empty()) lines.labels.append(rest.substr(1)).append("\n");
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

}  // namespace

std::vector<std::string> set_lines(const VectorSetsView& sets,
                                   const std::vector<std::string>& labels) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    lines.push_back(std::to_string(sets.length(i)));
    if (!labels.empty()) lines.back().append("\t").append(labels[i]);
  }
  return lines;
}

void finish_sets(PartialRows& rows, const Control& control) {
  {
    const auto vectors = rows.map();
    vectors->advise_sequential();
    const auto file = rows.map_labels();
    const std::string name = rows.output() + ".partial.labels";
    const Lines lines = read_lines(
        {reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()}, name);
    if (lines.offsets.back() != rows.rows()) {
      throw Error(ErrorCode::corrupt, name + ": sets of " + std::to_string(lines.offsets.back()) +
                                          " vectors, but there are " + std::to_string(rows.rows()));
    }
    formats::Input names;
    names.name = name;
    names.bytes = std::as_bytes(std::span(lines.labels));
    const Labels labels =
        lines.labels.empty() ? Labels() : formats::parse_labels(names, lines.offsets.size() - 1);
    WriteOptions options;
    options.control = control;
    write_vector_sets(rows.output(), {lines.offsets, rows.view(*vectors)}, labels, options);
  }
  rows.discard();
}

}  // namespace kith::cli
