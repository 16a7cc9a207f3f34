// A verb's result, printed for people as an aligned table (text to the left, numbers to the right)
// or for programs as JSON, one object a line. A cell holds both forms: what to show and the value.
//
//   Table table({"word", "cosine"});
//   table.add({Cell(label), Cell(similarity, fixed_text(similarity, 3))});
//   table.print(stdout, options.json);
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kith::cli {

class Cell {
 public:
  Cell() = default;  // nothing: blank for people, null in JSON
  Cell(std::string_view text) : value_(std::string(text)) {}
  Cell(const std::string& text) : value_(text) {}
  Cell(const char* text) : value_(std::string(text)) {}
  Cell(bool value) : value_(value) {}
  // Whole numbers are shown with their digits grouped unless `shown` says otherwise.
  template <std::signed_integral T>
  Cell(T value, std::string shown = {})
      : value_(static_cast<std::int64_t>(value)), shown_(std::move(shown)) {}
  template <std::unsigned_integral T>
  Cell(T value, std::string shown = {})
      : value_(static_cast<std::uint64_t>(value)), shown_(std::move(shown)) {}
  Cell(double value, std::string shown) : value_(value), shown_(std::move(shown)) {}

  bool is_number() const;
  std::string shown() const;
  nlohmann::ordered_json json() const;

 private:
  std::variant<std::monostate, std::string, bool, std::int64_t, std::uint64_t, double> value_;
  std::string shown_;
};

class Table {
 public:
  struct Column {
    std::string key;    // the name in JSON
    std::string title;  // above the column
    Column(const char* name) : key(name), title(name) {}
    Column(std::string json_key, std::string shown_title)
        : key(std::move(json_key)), title(std::move(shown_title)) {}
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell a column, in order; missing ones at the end are blank.
  void add(std::vector<Cell> row);
  std::size_t rows() const { return rows_.size(); }

  std::string text() const;  // with a header line; blank cells at a line's end are dropped
  std::string markdown() const;
  std::string json_lines() const;  // one object a line
  void print(std::FILE* file, bool json) const;

 private:
  // Whether a column holds a number: it is set to the right then.
  bool is_numeric(std::size_t column) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Names and values below each other ("vectors  341,479"), or one JSON object.
class Record {
 public:
  using Sizes = std::vector<std::pair<std::string, std::size_t>>;

  void add(std::string key, std::string title, Cell value);
  void add(const char* name, Cell value) { add(name, name, std::move(value)); }
  // Sizes by part, indented below their total; in JSON an object of bytes. `items` > 0 adds how
  // many bytes that is for each.
  void add_sizes(const std::string& key, const std::string& title, const Sizes& parts,
                 std::size_t items);

  std::string text() const;
  std::string json_line() const;
  void print(std::FILE* file, bool json) const;

 private:
  struct Entry {
    Table::Column column;
    Cell cell;
    std::string parent;  // the JSON object it belongs to; empty: the record itself
  };
  std::vector<Entry> entries_;
};

}  // namespace kith::cli
