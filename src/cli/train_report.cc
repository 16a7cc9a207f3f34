#include "cli/train_report.h"

#include <string>

#include "cli/format.h"
#include "cli/table.h"

namespace kith::cli {
namespace {

Cell rounded(double value) {
  constexpr int kDigits = 4;
  return {value, significant_text(value, kDigits)};
}

std::string shown_metric(const std::string& metric) {
  return metric == "mrr_at_10" ? "MRR@10" : metric;
}

}  // namespace

void print_training(const learn::TrainSummary& summary, const Times& times, bool json) {
  Record record;
  record.add("output", summary.output);
  record.add("parameters", summary.parameters);
  record.add("trained", "of which trained", summary.trained);
  record.add("steps", summary.steps);
  if (summary.first_step > 0) record.add("first_step", "went on from step", summary.first_step);
  if (summary.candidates > 0) {
    record.add("candidates", "candidates a query", summary.candidates);
  }
  record.add("first_loss", "loss at first", rounded(summary.first_loss));
  record.add("last_loss", "loss at last", rounded(summary.last_loss));
  if (!summary.metric.empty()) {
    record.add(summary.metric, "best " + shown_metric(summary.metric) + " of held-out data",
               rounded(summary.best_score));
    record.add("best_step", "of step", summary.best_step);
    for (const learn::ValidationLine& line : summary.validations) {
      if (line.step != summary.best_step || line.metric == summary.metric) continue;
      record.add(line.metric, line.metric + " then", rounded(line.score));
    }
  }
  if (summary.tokens_per_second > 0)
    record.add("tokens_per_second", "tokens a second", rounded(summary.tokens_per_second));
  add_times(record, times);
  record.print(stdout, json);
}

}  // namespace kith::cli
