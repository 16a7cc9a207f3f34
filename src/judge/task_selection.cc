#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "judge/benchmark_table.h"
#include "kith/benchmark.h"
#include "kith/correlation.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr std::size_t kLeastSystems = 5;

struct Prediction {
  double spearman = 0, error = 0;
};

// Ordinary least squares with an intercept; of all solutions the one of least norm, on centred
// data.
double predict(const Eigen::MatrixXd& inputs, const Eigen::VectorXd& outputs,
               const Eigen::RowVectorXd& at) {
  const Eigen::RowVectorXd mean = inputs.colwise().mean();
  const double level = outputs.mean();
  const Eigen::MatrixXd centred = inputs.rowwise() - mean;
  const Eigen::VectorXd targets = outputs.array() - level;
  const Eigen::VectorXd weights =
      Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd>(centred).solve(targets);
  return level + (at - mean).dot(weights);
}

// Mean squared difference of z-scores, both by the observed mean and deviation.
double z_error(const Eigen::VectorXd& observed, const Eigen::VectorXd& predicted) {
  const double variance = (observed.array() - observed.mean()).square().mean();
  return (observed - predicted).squaredNorm() / static_cast<double>(observed.size()) / variance;
}

// How well the columns `others` of the scores predict column `task`.
Prediction predict_task(const Eigen::MatrixXd& scores, Eigen::Index task,
                        const std::vector<Eigen::Index>& others) {
  const Eigen::Index systems = scores.rows();
  const Eigen::MatrixXd inputs = scores(Eigen::all, others);
  Eigen::VectorXd predicted(systems);
  for (Eigen::Index left_out = 0; left_out < systems; ++left_out) {
    std::vector<Eigen::Index> rest;
    for (Eigen::Index s = 0; s < systems; ++s) {
      if (s != left_out) rest.push_back(s);
    }
    predicted(left_out) =
        predict(inputs(rest, Eigen::all), scores(rest, task), inputs.row(left_out));
  }
  const Eigen::VectorXd observed = scores.col(task);
  const auto span_of = [](const Eigen::VectorXd& v) {
    return std::span<const double>(v.data(), static_cast<std::size_t>(v.size()));
  };
  return {spearman(span_of(observed), span_of(predicted)), z_error(observed, predicted)};
}

class Selector {
 public:
  Selector(const BenchmarkTable& table, const TaskSelectionOptions& options)
      : table_(table), options_(options) {
    scores_.resize(static_cast<Eigen::Index>(table.systems.size()),
                   static_cast<Eigen::Index>(table.tasks.size()));
    for (std::size_t t = 0; t < table.tasks.size(); ++t) {
      const std::vector<double> column = judge::scores_of(table, t);
      if (judge::usable(column)) {
        kept_.push_back(static_cast<Eigen::Index>(t));
      } else {
        result_.unusable.push_back(table.tasks[t]);
      }
      for (std::size_t s = 0; s < column.size(); ++s) {
        scores_(static_cast<Eigen::Index>(s), static_cast<Eigen::Index>(t)) = column[s];
      }
    }
  }

  TaskSelection run() {
    while (remove_one()) {
    }
    for (const Eigen::Index task : kept_) result_.kept.push_back(name(task));
    return std::move(result_);
  }

 private:
  const std::string& name(Eigen::Index task) const {
    return table_.tasks[static_cast<std::size_t>(task)];
  }
  std::string type(Eigen::Index task) const {
    return table_.types.empty() ? std::string() : table_.types[static_cast<std::size_t>(task)];
  }

  // Whether the task is not on the list of those to keep, nor the last of its type.
  bool may_go(Eigen::Index task) const {
    const auto& keep = options_.keep;
    if (std::find(keep.begin(), keep.end(), name(task)) != keep.end()) return false;
    return std::count_if(kept_.begin(), kept_.end(),
                         [&](Eigen::Index other) { return type(other) == type(task); }) > 1;
  }

  bool remove_one() {
    if (kept_.size() < 2) return false;
    std::optional<Eigen::Index> best;
    Prediction prediction;
    for (const Eigen::Index task : kept_) {
      if (!may_go(task)) continue;
      std::vector<Eigen::Index> others = kept_;
      std::erase(others, task);
      const Prediction trial = predict_task(scores_, task, others);
      const bool clear =
          trial.spearman >= options_.least_spearman && trial.error <= options_.most_error;
      if (!clear || (best && trial.spearman <= prediction.spearman)) continue;
      best = task;
      prediction = trial;
    }
    if (!best) return false;
    result_.removed.push_back({name(*best), prediction.spearman, prediction.error});
    std::erase(kept_, *best);
    return true;
  }

  const BenchmarkTable& table_;
  const TaskSelectionOptions& options_;
  Eigen::MatrixXd scores_;
  std::vector<Eigen::Index> kept_;
  TaskSelection result_;
};

}  // namespace

TaskSelection select_tasks(const BenchmarkTable& table, const TaskSelectionOptions& options) {
  judge::check_table(table);
  if (table.systems.size() < kLeastSystems) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(table.systems.size()) +
                    " systems, expected 5 or more: fewer say nothing of how tasks go together");
  }
  return Selector(table, options).run();
}

}  // namespace kith
