#include "datasets/dictd.h"

#include <algorithm>
#include <cctype>

#include "base/mapped_file.h"
#include "datasets/gzip.h"
#include "formats/bytes.h"
#include "formats/lines.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

std::size_t base64_number(const formats::Input& in, std::size_t line, std::string_view digits) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kMost = 8;  // digits; 48 bits
  std::size_t number = 0;
  for (const char c : digits) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos || digits.size() > kMost) {
      formats::corrupt_line(
          in, line, std::string("'").append(digits).append("', expected a number in base 64"));
    }
    number = number * 64 + digit;
  }
  return number;
}

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool word_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<signed char>(c) < 0;
}

}  // namespace

std::vector<DictionaryEntry> parse_dictionary(const std::string& name, std::string_view index,
                                              std::string_view text) {
  formats::Input in;
  in.name = name;
  std::vector<DictionaryEntry> entries;
  formats::for_each_line(index, [&](std::string_view line, std::size_t, std::size_t number) {
    const std::size_t first = line.find('\t');
    const std::size_t second = first == line.npos ? line.npos : line.find('\t', first + 1);
    if (second == line.npos) {
      formats::corrupt_line(in, number, "expected a headword, an offset and a length with tabs");
    }
    const std::string_view headword = line.substr(0, first);
    const std::size_t third = std::min(line.find('\t', second + 1), line.size());
    const std::size_t offset =
        base64_number(in, number, line.substr(first + 1, second - first - 1));
    const std::size_t length =
        base64_number(in, number, line.substr(second + 1, third - second - 1));
    if (offset > text.size() || length > text.size() - offset) {
      formats::corrupt_line(in, number, "an entry beyond the end of the text");
    }
    if (headword.starts_with("00-database") || headword.starts_with("00database")) return;
    entries.push_back({std::string(headword), std::string(text.substr(offset, length))});
  });
  return entries;
}

std::vector<DictionaryEntry> read_dictionary(const std::string& folder, const std::string& name) {
  const std::string base = folder + "/usr/share/dictd/" + name;
  const auto index = MappedFile::open(base + ".index");
  const std::string_view lines(reinterpret_cast<const char*>(index->bytes().data()),
                               index->bytes().size());
  return parse_dictionary(base + ".index", lines, read_gzip(base + ".dict.dz"));
}

std::string without_word(std::string_view definition, std::string_view word) {
  if (word.empty()) return std::string(definition);
  std::string result;
  for (std::size_t at = 0; at < definition.size();) {
    const auto found = std::search(definition.begin() + static_cast<std::ptrdiff_t>(at),
                                   definition.end(), word.begin(), word.end(), same_letter);
    const auto place = static_cast<std::size_t>(found - definition.begin());
    result.append(definition.substr(at, place - at));
    if (found == definition.end()) break;
    const std::size_t end = place + word.size();
    const bool inside = (place > 0 && word_letter(definition[place - 1])) ||
                        (end < definition.size() && word_letter(definition[end]));
    if (inside) result.append(definition.substr(place, word.size()));
    at = end;
  }
  return result;
}

}  // namespace kith::datasets
