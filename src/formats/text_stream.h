// Texts one after the other out of a file or standard input, however large: plain lines, JSON
// lines, CSV and TSV with named columns. (read_texts, of kith/texts.h, gives all texts of a file at
// once.)
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kith::formats {

struct TextStreamOptions {
  // "lines", "jsonl", "csv" or "tsv"; empty: by the name's end, .jsonl, .ndjson, .csv or .tsv, else
  // lines.
  std::string format = {};
  // Members or columns whose texts stand side by side with a space between. Empty: "text", with
  // "title" before it where there is one.
  std::vector<std::string> fields = {};
  // Member or column of a text's id. Empty: "_id" or "id", where there is one.
  std::string id = {};
};

struct TextRecord {
  std::string text;
  std::optional<std::string> id;
  // What they were taken from: a line of JSON lines, or a table's fields in the order of columns().
  std::string line = {};
  std::vector<std::string> row = {};
};

// The record of one line of JSON lines, as options.fields and options.id name its parts. Throws
// corrupt; errors begin with `name`.
TextRecord parse_json_record(std::string line, const std::string& name,
                             const TextStreamOptions& options);

// CSV is RFC 4180's: fields may stand in double quotes and then hold commas and line ends; its
// first line names the columns. TSV has no quotes; without a column of that name in its first line
// every line is an ID, a tab and a text. An empty line is a text in plain lines only. A byte order
// mark is passed over. Every malformed record is Error{corrupt} naming the file and its line.
class TextStream {
 public:
  // `path` may be "-", standard input. Throws not_found, or invalid_argument for options.
  TextStream(const std::string& path, TextStreamOptions options);
  // Reads `in`, which errors call `name`.
  TextStream(std::unique_ptr<std::istream> in, const std::string& name, TextStreamOptions options);

  // False at the end. Memory is that of the longest record.
  bool next(TextRecord& record);

  std::uint64_t bytes() const { return bytes_; }       // read so far
  std::uint64_t line() const { return record_line_; }  // where the last record began, from 1
  const std::string& format() const { return options_.format; }
  // Names of a table's columns; none where a line is an ID and a text.
  const std::vector<std::string>& columns() const { return header_; }

 private:
  bool next_line(std::string& line);
  bool next_row(std::vector<std::string>& row);
  std::string quoted(std::string& line, std::size_t& at);
  void read_header();
  void take_row(TextRecord& record);
  std::optional<std::size_t> column(const std::string& name) const;
  std::size_t needed_column(const std::string& name) const;
  [[noreturn]] void fail(const std::string& reason) const;

  std::unique_ptr<std::istream> owned_;
  std::istream* in_;
  std::string name_;
  TextStreamOptions options_;
  std::uint64_t bytes_ = 0, line_ = 0, record_line_ = 0;
  // Of tables: the names of the columns, and those of a record's text and id. Without names a line
  // is an ID and a text, and the first one is kept.
  std::vector<std::string> header_, first_row_;
  std::vector<std::size_t> text_columns_;
  std::optional<std::size_t> id_column_;
};

}  // namespace kith::formats
