#include "formats/labels_file.h"

#include <sys/stat.h>

#include <vector>

#include "base/mapped_file.h"
#include "formats/bytes.h"
#include "formats/words.h"

namespace kith::formats {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string labels_path(const std::string& path) { return path + ".labels"; }

Labels parse_labels(const Input& in, std::size_t rows) {
  const std::vector<std::string_view> lines = lines_of(in.text());
  if (lines.size() != rows) {
    throw Error(ErrorCode::corrupt, in.name + ": " + std::to_string(lines.size()) +
                                        " labels, but the file beside it has " +
                                        std::to_string(rows) + " rows");
  }
  WordList words;
  words.reserve(rows, in.bytes.size());
  for (std::string_view line : lines) words.add(line);
  return words.labels();
}

Labels read_labels_beside(const std::string& path, std::size_t rows) {
  const std::string beside = labels_path(path);
  struct stat status {};
  if (::stat(beside.c_str(), &status) != 0) return Labels();
  const auto file = MappedFile::open(beside);
  Input in;
  in.name = beside;
  in.bytes = file->bytes();
  return parse_labels(in, rows);
}

void write_labels(AtomicFile& file, const Labels& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string text = labels.text(i);
    if (text.find_first_of("\r\n") != std::string::npos) {
      throw Error(ErrorCode::unsupported, "label of row " + std::to_string(i) +
                                              ": holds a line break, which a file of labels can't");
    }
    file.write(text);
    file.write("\n");
  }
}

}  // namespace kith::formats
