#include "papers/common/results.h"

#include <algorithm>
#include <string_view>

#include "kith/error.h"

namespace kith::papers {
namespace {

std::string_view key(const std::string& column) { return column; }
std::string_view key(const Results::Row& row) { return row.name; }
std::string_view key(const Results::Table& table) { return table.title; }

template <class T>
std::size_t place(const std::vector<T>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& each) { return key(each) == name; });
  return static_cast<std::size_t>(found - all.begin());
}

}  // namespace

void Results::add(const std::string& table, const std::string& row, const std::string& column,
                  double value) {
  const std::size_t t = place(tables_, table);
  if (t == tables_.size()) tables_.push_back({table, {}, {}});
  Table& home = tables_[t];
  const std::size_t c = place(home.columns, column), r = place(home.rows, row);
  if (c == home.columns.size()) home.columns.push_back(column);
  if (r == home.rows.size()) home.rows.push_back({row, {}});
  std::vector<std::vector<double>>& values = home.rows[r].values;
  if (values.size() <= c) values.resize(c + 1);
  values[c].push_back(value);
}

void Results::check_complete(std::size_t trials) const {
  for (const Table& table : tables_) {
    for (const Row& row : table.rows) {
      for (std::size_t c = 0; c < row.values.size(); ++c) {
        const std::size_t count = row.values[c].size();
        if (count == 0 || count == trials) continue;
        throw Error(ErrorCode::invalid_argument,
                    table.title + ", " + row.name + ", " + table.columns[c] + ": " +
                        std::to_string(count) + " values after " + std::to_string(trials) +
                        " trials, expected one each");
      }
    }
  }
}

std::span<const double> Results::values(const std::string& table, const std::string& row,
                                        const std::string& column) const {
  const std::size_t t = place(tables_, table);
  if (t == tables_.size()) return {};
  const std::size_t c = place(tables_[t].columns, column), r = place(tables_[t].rows, row);
  if (r == tables_[t].rows.size() || c >= tables_[t].rows[r].values.size()) return {};
  return tables_[t].rows[r].values[c];
}

}  // namespace kith::papers
