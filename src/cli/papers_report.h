// What a reproduction found: for people, for programs, and as a section of docs/results.md.
#pragma once

#include <string>
#include <vector>

#include "papers/common/paper.h"

namespace kith::cli {

// "0.9312 ± 0.0043": the half width of the interval with two significant digits, the mean with as
// many decimals; without an interval the mean alone.
std::string estimate_text(const papers::Estimate& estimate);

// "1 to 5", "7" or "1, 4, 9".
std::string seeds_text(const std::vector<std::uint64_t>& seeds);

// Tables, then every claim with its verdict, evidence and rule.
std::string papers_text(const papers::Paper& paper, const papers::Report& report,
                        const papers::RunOptions& options);

// One object a measured value {paper, table, row, column, mean, low, high, values}, then one a
// claim {paper, claim, rule, verdict, evidence}.
std::string papers_json(const papers::Paper& paper, const papers::Report& report);

// The section "## SLUG", and the row of the table of all at the page's top.
std::string papers_markdown(const papers::Paper& paper, const papers::Report& report,
                            const papers::RunOptions& options);
std::string papers_row(const papers::Paper& paper, const papers::Report& report,
                       const papers::RunOptions& options);

// The paper's grids as SVG; empty where it has none. papers_markdown shows them as a picture called
// so beside the page.
std::string papers_drawing(const papers::Paper& paper, const papers::Report& report);
std::string papers_drawing_name(const papers::Paper& paper);

}  // namespace kith::cli
