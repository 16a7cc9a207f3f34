#include "cli/table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/format.h"

namespace kith::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr double kWorthAVector = 0.1;  // bytes; a part smaller than that isn't kept by vector

std::string dump(const nlohmann::ordered_json& object) {
  // A label may hold any bytes; JSON holds only UTF-8.
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void pad(std::string& line, std::size_t columns) { line.append(columns, ' '); }

void end_line(std::string& text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  text += '\n';
}

}  // namespace

bool Cell::is_number() const { return value_.index() >= 3; }

std::string Cell::shown() const {
  if (!shown_.empty()) return shown_;
  if (const auto* text = std::get_if<std::string>(&value_)) return printable(*text);
  if (const auto* flag = std::get_if<bool>(&value_)) return *flag ? "yes" : "no";
  if (const auto* whole = std::get_if<std::int64_t>(&value_)) {
    const auto bits = static_cast<std::uint64_t>(*whole);
    std::string digits = count_text(*whole < 0 ? 0 - bits : bits);
    if (*whole < 0) digits.insert(digits.begin(), '-');
    return digits;
  }
  if (const auto* whole = std::get_if<std::uint64_t>(&value_)) {
    return count_text(*whole);
  }
  if (const auto* real = std::get_if<double>(&value_)) return significant_text(*real, 4);
  return {};
}

nlohmann::ordered_json Cell::json() const {
  if (const auto* text = std::get_if<std::string>(&value_)) return *text;
  if (const auto* flag = std::get_if<bool>(&value_)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&value_)) return *whole;
  if (const auto* whole = std::get_if<std::uint64_t>(&value_)) return *whole;
  if (const auto* real = std::get_if<double>(&value_)) {
    if (std::isfinite(*real)) return *real;
  }
  return nullptr;
}

void Table::add(std::vector<Cell> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

bool Table::is_numeric(std::size_t column) const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [&](const std::vector<Cell>& row) { return row[column].is_number(); });
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(display_width(columns_[c].title));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], display_width(row[c].shown()));
    right.push_back(is_numeric(c));
  }
  std::string text;
  const auto add_cell = [&](std::size_t c, const std::string& shown) {
    const std::size_t space = widths[c] - display_width(shown);
    if (right[c]) pad(text, space);
    text += shown;
    pad(text, (right[c] ? 0 : space) + kGap);
  };
  for (std::size_t c = 0; c < columns_.size(); ++c) add_cell(c, columns_[c].title);
  end_line(text);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < columns_.size(); ++c) add_cell(c, row[c].shown());
    end_line(text);
  }
  return text;
}

std::string Table::markdown() const {
  std::string text = "|", rule = "|";
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    text += " " + columns_[c].title + " |";
    rule += is_numeric(c) ? "---:|" : "---|";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : rows_) {
    text += "|";
    for (const Cell& cell : row) text += " " + cell.shown() + " |";
    text += "\n";
  }
  return text;
}

std::string Table::json_lines() const {
  std::string lines;
  for (const auto& row : rows_) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (std::size_t c = 0; c < columns_.size(); ++c) object[columns_[c].key] = row[c].json();
    lines += dump(object);
  }
  return lines;
}

void Table::print(std::FILE* file, bool json) const {
  const std::string output = json ? json_lines() : text();
  std::fwrite(output.data(), 1, output.size(), file);
}

void Record::add(std::string key, std::string title, Cell value) {
  entries_.push_back({Table::Column(std::move(key), std::move(title)), std::move(value), {}});
}

void Record::add_sizes(const std::string& key, const std::string& title, const Sizes& parts,
                       std::size_t items) {
  const auto shown = [&](std::size_t bytes) {
    std::string text = bytes_text(static_cast<double>(bytes));
    const double each = items > 0 ? static_cast<double>(bytes) / static_cast<double>(items) : 0;
    if (each >= kWorthAVector) {
      text += " (" + significant_text(each, 3) + " bytes a vector)";
    }
    return text;
  };
  std::size_t total = 0;
  for (const auto& [part, bytes] : parts) total += bytes;
  add(key, title, Cell(total, shown(total)));
  for (const auto& [part, bytes] : parts) {
    entries_.push_back(
        {Table::Column(part, "  " + part), Cell(bytes, shown(bytes)), key + "_by_part"});
  }
}

std::string Record::text() const {
  std::size_t width = 0;
  for (const Entry& entry : entries_) width = std::max(width, display_width(entry.column.title));
  std::string text;
  for (const Entry& entry : entries_) {
    text += entry.column.title;
    pad(text, width - display_width(entry.column.title) + kGap);
    text += entry.cell.shown();
    end_line(text);
  }
  return text;
}

std::string Record::json_line() const {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Entry& entry : entries_) {
    nlohmann::ordered_json& home = entry.parent.empty() ? object : object[entry.parent];
    home[entry.column.key] = entry.cell.json();
  }
  return dump(object);
}

void Record::print(std::FILE* file, bool json) const {
  const std::string output = json ? json_line() : text();
  std::fwrite(output.data(), 1, output.size(), file);
}

}  // namespace kith::cli
