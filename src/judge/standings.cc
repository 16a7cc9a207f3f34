#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "judge/benchmark_table.h"
#include "kith/benchmark.h"
#include "kith/correlation.h"
#include "kith/error.h"

namespace kith {
namespace {

// Ranks from 1 by descending score; NaNs share the last places.
std::vector<double> ranks_of(std::vector<double> column) {
  for (double& score : column) {
    score = std::isnan(score) ? std::numeric_limits<double>::max() : -score;
  }
  return average_ranks(column);
}

void add_means(const BenchmarkTable& table, std::size_t system, SystemStanding& standing) {
  std::map<std::string, std::vector<double>> by_type;
  for (std::size_t t = 0; t < table.tasks.size(); ++t) {
    const double score = table.scores(system, t);
    if (std::isnan(score)) continue;
    standing.mean_score += score;
    ++standing.tasks;
    by_type[table.types.empty() ? std::string() : table.types[t]].push_back(score);
  }
  if (standing.tasks == 0) {
    standing.mean_score = standing.mean_by_type = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  standing.mean_score /= static_cast<double>(standing.tasks);
  for (const auto& [type, scores] : by_type) {
    standing.mean_by_type += std::accumulate(scores.begin(), scores.end(), 0.0) /
                             static_cast<double>(scores.size() * by_type.size());
  }
}

}  // namespace

namespace judge {

void check_table(const BenchmarkTable& table) {
  const bool typed = table.types.empty() || table.types.size() == table.tasks.size();
  if (table.systems.empty() || table.tasks.empty() || !typed ||
      table.scores.rows() != table.systems.size() || table.scores.cols() != table.tasks.size()) {
    throw Error(ErrorCode::invalid_argument,
                "a table of " + std::to_string(table.scores.rows()) + " x " +
                    std::to_string(table.scores.cols()) + " scores for " +
                    std::to_string(table.systems.size()) + " systems and " +
                    std::to_string(table.tasks.size()) + " tasks, expected one score for each");
  }
}

std::vector<double> scores_of(const BenchmarkTable& table, std::size_t task) {
  std::vector<double> column;
  for (std::size_t s = 0; s < table.systems.size(); ++s) column.push_back(table.scores(s, task));
  return column;
}

bool usable(const std::vector<double>& column) {
  bool differ = false;
  for (const double score : column) {
    if (std::isnan(score)) return false;
    differ = differ || score != column.front();
  }
  return differ;
}

}  // namespace judge

std::vector<SystemStanding> borda_standings(const BenchmarkTable& table) {
  judge::check_table(table);
  const auto systems = static_cast<double>(table.systems.size());
  std::vector<SystemStanding> standings(table.systems.size());
  for (std::size_t s = 0; s < standings.size(); ++s) {
    standings[s].system = table.systems[s];
    add_means(table, s, standings[s]);
  }
  for (std::size_t t = 0; t < table.tasks.size(); ++t) {
    const std::vector<double> ranks = ranks_of(judge::scores_of(table, t));
    for (std::size_t s = 0; s < standings.size(); ++s) {
      standings[s].mean_rank += ranks[s] / static_cast<double>(table.tasks.size());
      if (!std::isnan(table.scores(s, t))) standings[s].borda += systems - ranks[s];
    }
  }
  std::stable_sort(
      standings.begin(), standings.end(),
      [](const SystemStanding& a, const SystemStanding& b) { return a.borda > b.borda; });
  return standings;
}

Matrix<double> task_correlations(const BenchmarkTable& table) {
  judge::check_table(table);
  const std::size_t tasks = table.tasks.size();
  Matrix<double> result(tasks, tasks);
  for (std::size_t a = 0; a < tasks; ++a) {
    const std::vector<double> column = judge::scores_of(table, a);
    for (std::size_t b = 0; b <= a; ++b) {
      const std::vector<double> other = judge::scores_of(table, b);
      const bool both = judge::usable(column) && judge::usable(other);
      result(a, b) = result(b, a) =
          both ? spearman(column, other) : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return result;
}

}  // namespace kith
