// What the trials of a reproduction measured, by table, row and column: one value a seed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "papers/common/estimate.h"

namespace kith::papers {

class Results {
 public:
  struct Row {
    std::string name;
    std::vector<std::vector<double>> values;  // of each column that was met so far, one a seed
  };
  struct Table {
    std::string title;
    std::vector<std::string> columns;
    std::vector<Row> rows;
  };

  // Tables, rows and columns stand in the order in which they are first named.
  void add(const std::string& table, const std::string& row, const std::string& column,
           double value);

  // Throws invalid_argument, naming the place, unless all that was ever measured has one value of
  // each of so many trials: what stands beside each other is then of the same seed.
  void check_complete(std::size_t trials) const;

  const std::vector<Table>& tables() const { return tables_; }

  // The values of all seeds, in their order; empty where nothing was measured.
  std::span<const double> values(const std::string& table, const std::string& row,
                                 const std::string& column) const;

  Estimate mean(const std::string& table, const std::string& row, const std::string& column) const {
    return estimate(values(table, row, column));
  }
  // Row a minus row b, seed by seed.
  Estimate difference(const std::string& table, const std::string& a, const std::string& b,
                      const std::string& column) const {
    return paired_difference(values(table, a, column), values(table, b, column));
  }

 private:
  std::vector<Table> tables_;
};

}  // namespace kith::papers
