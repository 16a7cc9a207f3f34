#include "formats/labels_file.h"

#include <sys/stat.h>

#include <charconv>
#include <memory>
#include <vector>

#include "base/mapped_file.h"
#include "formats/bytes.h"

namespace kith::formats {
namespace {

struct OwnedText {
  std::vector<std::uint64_t> offsets{0};
  std::string text;
};

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

bool usual_number(std::string_view word, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc{} && end == word.data() + word.size();
  return whole && (word.size() == 1 || word[0] != '0');
}

}  // namespace

std::string labels_path(const std::string& path) { return path + ".labels"; }

std::optional<Labels> as_numbers(std::span<const std::string_view> words) {
  std::vector<std::uint64_t> numbers(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!usual_number(words[i], numbers[i])) return std::nullopt;
  }
  return Labels(std::move(numbers));
}

Labels string_labels(std::span<const std::string_view> words) {
  auto owned = std::make_shared<OwnedText>();
  std::size_t bytes = 0;
  for (std::string_view word : words) bytes += word.size();
  owned->text.reserve(bytes);
  owned->offsets.reserve(words.size() + 1);
  for (std::string_view word : words) {
    owned->text.append(word);
    owned->offsets.push_back(owned->text.size());
  }
  const OwnedText& text = *owned;
  return Labels::strings_view(text.offsets, text.text, std::move(owned));
}

Labels parse_labels(const Input& in, std::size_t rows) {
  const std::vector<std::string_view> lines = lines_of(in.text());
  if (lines.size() != rows) {
    throw Error(ErrorCode::corrupt, in.name + ": " + std::to_string(lines.size()) +
                                        " labels, but the file beside it has " +
                                        std::to_string(rows) + " rows");
  }
  if (std::optional<Labels> numbers = as_numbers(lines)) return *numbers;
  return string_labels(lines);
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
