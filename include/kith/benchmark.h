// Many systems on many tasks: who is best over all, which tasks say the same, and which can be left
// out (Enevoldsen et al., "MMTEB: Massive Multilingual Text Embedding Benchmark", 2025). Pure
// functions: any thread may call them. Part of libkith-encode.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kith/matrix.h"

namespace kith {

struct BenchmarkTable {
  std::vector<std::string> systems, tasks;
  std::vector<std::string> types;  // of the tasks ("Retrieval" ...); empty: all of one type
  Matrix<double> scores;           // systems x tasks, larger is better; NaN where missing
};

struct SystemStanding {
  std::string system;
  double borda = 0;         // points
  double mean_rank = 0;     // over the tasks, 1 is best; ties share the mean; missing is last
  double mean_score = 0;    // over the tasks it has
  double mean_by_type = 0;  // of the means over each type's tasks
  std::size_t tasks = 0;    // that it has
};

// By Borda count, best first: each task is a voter, who gives a system of rank r among n systems n
// - r points and nothing to one without a score (Colombo et al., "What are the best systems?",
// 2022). Points depend on which systems take part. Throws invalid_argument when shapes don't fit.
std::vector<SystemStanding> borda_standings(const BenchmarkTable& table);

// Spearman of the systems' scores between every two tasks (tasks x tasks); NaN where one side is
// constant or a score is missing.
Matrix<double> task_correlations(const BenchmarkTable& table);

struct TaskSelectionOptions {
  // A task may go when the others predict it so well. The defaults are of MTEB's English benchmark;
  // its multilingual one takes 0.8 and 0.5.
  double least_spearman = 0.95;
  double most_error = 0.2;  // mean squared, of z-scores
  std::vector<std::string> keep = {};
};

struct RemovedTask {
  std::string task;
  double spearman = 0, error = 0;  // of the prediction at which it went
};

struct TaskSelection {
  std::vector<std::string> kept;
  std::vector<RemovedTask> removed;   // in the order of removal
  std::vector<std::string> unusable;  // with a missing score or one score only: left out first
};

// Again and again predicts each task's scores from the other tasks' by least squares, leaving out
// the system that is predicted (the minimum-norm solution where tasks outnumber systems), and
// removes the best predicted one that may go; the last task of a type stays. Throws
// invalid_argument for fewer than 5 systems. O(tasks^2 systems fits).
TaskSelection select_tasks(const BenchmarkTable& table, const TaskSelectionOptions& options = {});

}  // namespace kith
