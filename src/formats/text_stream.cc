#include "formats/text_stream.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <span>
#include <utility>

#include "formats/bytes.h"
#include "formats/json_reader.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

std::string format_of(const std::string& path) {
  for (const auto& [end, format] : std::to_array<std::pair<const char*, const char*>>(
           {{".jsonl", "jsonl"}, {".ndjson", "jsonl"}, {".csv", "csv"}, {".tsv", "tsv"}})) {
    if (path.ends_with(end)) return format;
  }
  return "lines";
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == line.npos; }

void append_field(std::string& text, std::string_view field) {
  if (!text.empty() && !field.empty()) text.push_back(' ');
  text.append(field);
}

std::unique_ptr<std::istream> open_file(const std::string& path) {
  if (path == "-") return nullptr;
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) throw Error(ErrorCode::not_found, path + ": cannot be read");
  return file;
}

}  // namespace

TextStream::TextStream(const std::string& path, TextStreamOptions options)
    : TextStream(open_file(path), path == "-" ? "standard input" : path, std::move(options)) {}

TextStream::TextStream(std::unique_ptr<std::istream> in, const std::string& name,
                       TextStreamOptions options)
    : owned_(std::move(in)),
      in_(owned_ ? owned_.get() : &std::cin),
      name_(name),
      options_(std::move(options)) {
  std::string& format = options_.format;
  if (format.empty()) format = format_of(name);
  if (format != "lines" && format != "jsonl" && format != "csv" && format != "tsv") {
    throw Error(ErrorCode::invalid_argument,
                "format '" + format + "' of texts: expected lines, jsonl, csv or tsv");
  }
  if (format == "lines" && !(options_.fields.empty() && options_.id.empty())) {
    throw Error(ErrorCode::invalid_argument,
                name_ + ": plain lines have no fields; expected jsonl, csv or tsv");
  }
  if (format == "csv" || format == "tsv") read_header();
}

void TextStream::fail(const std::string& reason) const {
  throw Error(ErrorCode::corrupt, name_ + ": line " + std::to_string(record_line_) + ": " + reason);
}

bool TextStream::next(TextRecord& record) {
  record = {};
  if (options_.format == "lines") {
    if (!next_line(record.text)) return false;
  } else if (options_.format == "jsonl") {
    std::string line;
    do {
      if (!next_line(line)) return false;
    } while (is_blank(line));
    record = parse_json_record(std::move(line), name_ + ": line " + std::to_string(record_line_),
                               options_);
  } else {
    std::vector<std::string>& row = record.row;
    row = std::exchange(first_row_, {});
    while (row.empty() || (row.size() == 1 && row[0].empty())) {
      if (!next_row(row)) return false;
    }
    take_row(record);
  }
  if (record.id && record.id->find_first_of("\r\n") != std::string::npos) {
    fail("an id with a line break, which a file of labels can't hold");
  }
  return true;
}

// A line without its end.
bool TextStream::next_line(std::string& line) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";  // of byte order
  if (!std::getline(*in_, line)) {
    if (in_->bad()) throw Error(ErrorCode::io, name_ + ": cannot be read to its end");
    return false;
  }
  bytes_ += line.size() + (in_->eof() ? 0 : 1);
  record_line_ = ++line_;
  if (line_ == 1 && line.starts_with(kMark)) line.erase(0, kMark.size());
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

// ---- JSON lines ---------------------------------------------------------------------------------

TextRecord parse_json_record(std::string line, const std::string& name,
                             const TextStreamOptions& options) {
  TextRecord record;
  record.line = std::move(line);
  Input in;
  in.name = name;
  in.bytes = std::as_bytes(std::span(record.line));
  const bool usual = options.fields.empty();
  const std::vector<std::string> fields =
      usual ? std::vector<std::string>{"title", "text"} : options.fields;
  std::vector<std::optional<std::string>> found(fields.size());
  JsonReader json(in, 0, record.line.size());
  json.object([&](const std::string& key) {
    const auto field = std::ranges::find(fields, key);
    const bool is_id = options.id.empty() ? key == "_id" || key == "id" : key == options.id;
    if (field != fields.end()) {
      std::string text = json.string();
      if (is_id) record.id = text;
      found[static_cast<std::size_t>(field - fields.begin())] = std::move(text);
    } else if (is_id && !(key == "id" && record.id)) {
      record.id = json.string_or_whole();
    } else {
      json.skip();
    }
  });
  json.end();
  const auto fail = [&](const std::string& field) {
    throw Error(ErrorCode::corrupt, name + ": no \"" + field + "\"");
  };
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!found[i] && usual && i == 0) continue;  // a title may be missing
    if (!found[i]) fail(fields[i]);
    append_field(record.text, *found[i]);
  }
  if (!options.id.empty() && !record.id) fail(options.id);
  return record;
}

// ---- Tables -------------------------------------------------------------------------------------

// What stands in the quotes that open at `at`, which is moved behind them; it may go on in the next
// lines.
std::string TextStream::quoted(std::string& line, std::size_t& at) {
  const std::uint64_t first = record_line_;
  std::string field;
  for (++at;; ++at) {
    while (at >= line.size()) {
      if (!next_line(line)) {
        record_line_ = first;
        fail("a quote isn't closed");
      }
      field.push_back('\n');
      at = 0;
    }
    if (line[at] == '"') {
      const bool twice = at + 1 < line.size() && line[at + 1] == '"';
      if (!twice) break;
      ++at;
    }
    field.push_back(line[at]);
  }
  ++at;
  record_line_ = first;
  return field;
}

// A row of TSV is a line; one of CSV may span several.
bool TextStream::next_row(std::vector<std::string>& row) {
  row.clear();
  std::string line;
  if (!next_line(line)) return false;
  const bool quotes = options_.format == "csv";
  const char separator = quotes ? ',' : '\t';
  for (std::size_t at = 0;; ++at) {
    if (quotes && at < line.size() && line[at] == '"') {
      row.push_back(quoted(line, at));
      if (at < line.size() && line[at] != separator) fail("text behind a quoted field");
    } else {
      const std::size_t end = std::min(line.find(separator, at), line.size());
      row.push_back(line.substr(at, end - at));
      at = end;
    }
    if (at >= line.size()) return true;
  }
}

std::optional<std::size_t> TextStream::column(const std::string& name) const {
  const auto at = std::ranges::find(header_, name);
  if (at == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - header_.begin());
}

std::size_t TextStream::needed_column(const std::string& name) const {
  if (const auto found = column(name)) return *found;
  std::string all;
  for (const std::string& known : header_) all += (all.empty() ? "" : ", ") + known;
  fail("no column '" + name + "'; there are: " + all);
}

void TextStream::read_header() {
  if (!next_row(header_)) return;
  const bool named = !options_.fields.empty() || !options_.id.empty();
  if (options_.format == "tsv" && !named && !column("text")) {
    first_row_ = std::exchange(header_, {});
    return;
  }
  if (options_.fields.empty()) {
    if (const auto title = column("title")) text_columns_.push_back(*title);
    text_columns_.push_back(needed_column("text"));
  }
  for (const std::string& field : options_.fields) text_columns_.push_back(needed_column(field));
  id_column_ = column("_id") ? column("_id") : column("id");
  if (!options_.id.empty()) id_column_ = needed_column(options_.id);
}

void TextStream::take_row(TextRecord& record) {
  const std::vector<std::string>& row = record.row;
  if (header_.empty()) {
    if (row.size() < 2) fail("no tab, expected an ID, a tab and a text");
    record.id = row[0];
    record.text = row[1];
    for (std::size_t i = 2; i < row.size(); ++i) record.text += '\t' + row[i];
    return;
  }
  if (row.size() != header_.size()) {
    fail(std::to_string(row.size()) + " fields, but the first line names " +
         std::to_string(header_.size()));
  }
  for (const std::size_t c : text_columns_) append_field(record.text, row[c]);
  if (id_column_) record.id = row[*id_column_];
}

}  // namespace kith::formats
