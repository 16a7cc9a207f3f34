#include "papers/common/paired_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kith/error.h"
#include "kith/significance.h"

namespace kith::papers {
namespace {

constexpr double kLevel = 0.05;

const Results::Table& find_table(const Results& results, const std::string& title) {
  for (const Results::Table& table : results.tables()) {
    if (table.title == title) return table;
  }
  throw Error(ErrorCode::invalid_argument, "no table '" + title + "'");
}

std::string p_text(double p) { return std::isnan(p) ? "not testable" : fmt::format("{:.2g}", p); }

}  // namespace

PairedSets compare_sets(const Results& results, const std::string& table, const std::string& a,
                        const std::string& b) {
  std::vector<double> first, second, by_seed;
  for (const std::string& set : find_table(results, table).columns) {
    const auto own = results.values(table, a, set), other = results.values(table, b, set);
    if (own.empty() || own.size() != other.size()) continue;
    first.push_back(results.mean(table, a, set).mean);
    second.push_back(results.mean(table, b, set).mean);
    by_seed.resize(own.size(), 0);
    for (std::size_t s = 0; s < own.size(); ++s) by_seed[s] += own[s] - other[s];
  }
  PairedSets result;
  result.what = a + " - " + b + ", " + table;
  result.difference = paired_difference(first, second).mean;
  result.in_every_seed =
      by_seed.size() > 1 && std::all_of(by_seed.begin(), by_seed.end(), [&](double seed) {
        return (seed > 0) == (result.difference > 0);
      });
  result.p_value = result.corrected = wilcoxon(first, second).p_value;
  return result;
}

void correct(std::vector<PairedSets>& comparisons) {
  std::vector<double> p_values;
  for (const PairedSets& each : comparisons) p_values.push_back(each.p_value);
  const std::vector<double> corrected = holm(p_values);
  for (std::size_t i = 0; i < corrected.size(); ++i) comparisons[i].corrected = corrected[i];
}

Judgement all_better(const std::vector<PairedSets>& comparisons) {
  std::vector<Judgement> parts;
  for (const PairedSets& each : comparisons) {
    Judgement part{Verdict::undecided, text(each)};
    if (each.p_value < kLevel && each.in_every_seed) {
      part.verdict = each.difference > 0 ? Verdict::shown : Verdict::refuted;
    }
    parts.push_back(part);
  }
  return all_of(parts);
}

std::string text(const PairedSets& comparison) {
  return fmt::format("{} {:.4f} (p {}, Holm {})", comparison.what, comparison.difference,
                     p_text(comparison.p_value), p_text(comparison.corrected));
}

}  // namespace kith::papers
