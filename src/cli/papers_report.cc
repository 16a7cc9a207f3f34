#include "cli/papers_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/format.h"
#include "cli/svg_heat_map.h"
#include "cli/table.h"

namespace kith::cli {
namespace {

using nlohmann::ordered_json;
using papers::Estimate;
using papers::Paper;
using papers::Report;
using papers::Results;

constexpr int kSignificant = 4;  // of a mean without an interval

// A row's values of a column; rows are shorter than the table when later columns weren't measured.
std::span<const double> values(const Results::Row& row, std::size_t column) {
  return column < row.values.size() ? std::span<const double>(row.values[column])
                                    : std::span<const double>();
}

Cell estimate_cell(std::span<const double> values) {
  if (values.empty()) return {};
  const Estimate estimate = papers::estimate(values);
  return {estimate.mean, estimate_text(estimate)};
}

Table shown(const Results::Table& table) {
  std::vector<Table::Column> columns = {Table::Column("row", table.title)};
  for (const std::string& column : table.columns) columns.emplace_back(column, column);
  Table shown(columns);
  for (const Results::Row& row : table.rows) {
    std::vector<Cell> cells = {Cell(row.name)};
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      cells.push_back(estimate_cell(values(row, c)));
    }
    shown.add(std::move(cells));
  }
  return shown;
}

HeatMap heat_map(const Results::Table& table) {
  HeatMap map{table.title, {}, table.columns, {}};
  for (const Results::Row& row : table.rows) {
    map.rows.push_back(row.name);
    std::vector<double>& means = map.values.emplace_back();
    for (const std::vector<double>& seeds : row.values) {
      means.push_back(papers::estimate(seeds).mean);
    }
  }
  return map;
}

// JSON has no NaN.
ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json();
}

std::string line(const ordered_json& object) { return object.dump() + "\n"; }

// As one would type it.
std::string command_text(const Paper& paper, const std::vector<std::uint64_t>& seeds) {
  std::string text = "kith papers run " + paper.slug;
  if (!seeds.empty() && seeds.front() != 1) text += " --seed " + std::to_string(seeds.front());
  if (seeds.size() > 1 || (!seeds.empty() && seeds.front() == 1)) {
    text += " --seeds " + std::to_string(seeds.size());
  }
  return text;
}

std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\\');
  }
  return text;
}

}  // namespace

std::string estimate_text(const Estimate& estimate) {
  const double half = (estimate.high - estimate.low) / 2;
  if (!(half > 0)) return significant_text(estimate.mean, kSignificant);
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(half))), 0, 9);
  return fixed_text(estimate.mean, decimals) + " ± " + fixed_text(half, decimals);
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  if (seeds.size() > 1 && seeds.back() - seeds.front() + 1 == seeds.size()) {
    return fmt::format("{} to {}", seeds.front(), seeds.back());
  }
  std::string text;
  for (const std::uint64_t seed : seeds) {
    if (!text.empty()) text += ", ";
    text += std::to_string(seed);
  }
  return text;
}

std::string papers_text(const Paper& paper, const Report& report,
                        const papers::RunOptions& options) {
  std::string text = fmt::format("{} ({}): {}\nseeds {}; mean ± half of the 95 % interval{}\n\n",
                                 paper.authors, paper.year, paper.title, seeds_text(options.seeds),
                                 options.quick ? "; a quick run, not a result" : "");
  for (const Results::Table& table : report.results.tables()) text += shown(table).text() + "\n";
  for (std::size_t i = 0; i < paper.claims.size(); ++i) {
    const papers::Judgement& judgement = report.judgements[i];
    text += fmt::format("{:<10} {}\n           {}\n           rule: {}\n", name(judgement.verdict),
                        paper.claims[i].text, judgement.evidence, paper.claims[i].rule);
  }
  return text;
}

std::string papers_json(const Paper& paper, const Report& report) {
  std::string lines;
  for (const Results::Table& table : report.results.tables()) {
    for (const Results::Row& row : table.rows) {
      for (std::size_t c = 0; c < row.values.size(); ++c) {
        if (row.values[c].empty()) continue;
        const Estimate estimate = papers::estimate(row.values[c]);
        lines += line({{"paper", paper.slug},
                       {"table", table.title},
                       {"row", row.name},
                       {"column", table.columns[c]},
                       {"mean", number(estimate.mean)},
                       {"low", number(estimate.low)},
                       {"high", number(estimate.high)},
                       {"values", row.values[c]}});
      }
    }
  }
  for (std::size_t i = 0; i < paper.claims.size(); ++i) {
    lines += line({{"paper", paper.slug},
                   {"claim", paper.claims[i].text},
                   {"rule", paper.claims[i].rule},
                   {"verdict", name(report.judgements[i].verdict)},
                   {"evidence", report.judgements[i].evidence}});
  }
  return lines;
}

std::string papers_markdown(const Paper& paper, const Report& report,
                            const papers::RunOptions& options) {
  std::string text = fmt::format(
      "## {}\n\n{}, *{}* ({}, {}). Seeds {}: `{}`, {} of processor time.\n\n", paper.slug,
      paper.authors, paper.title, paper.year, paper.source, seeds_text(options.seeds),
      command_text(paper, options.seeds), seconds_text(report.cpu_seconds));
  for (std::size_t i = 0; i < paper.claims.size(); ++i) {
    text += fmt::format("- **{}**: {}. {}. Rule: {}.\n", name(report.judgements[i].verdict),
                        paper.claims[i].text, report.judgements[i].evidence, paper.claims[i].rule);
  }
  for (const Results::Table& table : report.results.tables()) {
    text += '\n';
    text += shown(table).markdown();
  }
  if (!paper.grids.empty()) {
    text += fmt::format("\n![{}]({})\n", paper.grids.front(), papers_drawing_name(paper));
  }
  return text;
}

std::string papers_row(const Paper& paper, const Report& report,
                       const papers::RunOptions& options) {
  std::size_t counts[3] = {};
  for (const papers::Judgement& each : report.judgements) {
    ++counts[static_cast<std::size_t>(each.verdict)];
  }
  const auto count = [&](papers::Verdict verdict) {
    return counts[static_cast<std::size_t>(verdict)];
  };
  const std::string first = paper.claims.empty()
                                ? " | | "
                                : fmt::format("{} | {} | {}", in_cell(paper.claims.front().text),
                                              in_cell(report.judgements.front().evidence),
                                              name(report.judgements.front().verdict));
  return fmt::format("| [{0}](#{0}) | {1} | {2}, {3}, {4} | `{5}` | {6} |\n", paper.slug, first,
                     count(papers::Verdict::shown), count(papers::Verdict::refuted),
                     count(papers::Verdict::undecided), command_text(paper, options.seeds),
                     seconds_text(report.cpu_seconds));
}

std::string papers_drawing(const Paper& paper, const Report& report) {
  std::vector<HeatMap> maps;
  for (const std::string& title : paper.grids) {
    for (const Results::Table& table : report.results.tables()) {
      if (table.title == title) maps.push_back(heat_map(table));
    }
  }
  return maps.empty() ? "" : svg_heat_maps(maps);
}

std::string papers_drawing_name(const Paper& paper) { return paper.slug + ".svg"; }

}  // namespace kith::cli
