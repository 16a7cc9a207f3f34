#include "cli/benchmark_results.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "kith/error.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

struct Score {
  std::string type;
  double main = std::numeric_limits<double>::quiet_NaN();
};
using Scores = std::map<std::string, Score>;  // by task

// The mean of a split's main scores over its subsets, as MTEB takes it.
double main_score(const std::string& path, const nlohmann::json& subsets) {
  double sum = 0;
  for (const nlohmann::json& subset : subsets) {
    const auto score = subset.is_object() ? subset.find("main_score") : subset.end();
    if (!subset.is_object() || score == subset.end() || !(score->is_number() || score->is_null())) {
      throw Error(ErrorCode::corrupt, path + ": scores without a number \"main_score\"");
    }
    sum += score->is_null() ? std::numeric_limits<double>::quiet_NaN() : score->get<double>();
  }
  return sum / static_cast<double>(subsets.size());
}

void read_result(const std::string& path, Scores& scores) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  const bool named = json.is_object() && json.contains("task_name") &&
                     json["task_name"].is_string() && json.contains("scores") &&
                     json["scores"].is_object() && !json["scores"].empty();
  if (!named) {
    throw Error(ErrorCode::corrupt,
                path + ": not a result, expected \"task_name\" and \"scores\" as MTEB writes them");
  }
  const nlohmann::json& splits = json["scores"];
  const nlohmann::json& subsets = splits.contains("test") ? splits["test"] : splits.front();
  if (!subsets.is_array() || subsets.empty()) {
    throw Error(ErrorCode::corrupt, path + ": \"scores\" holds no list of subsets");
  }
  Score& score = scores[json["task_name"].get<std::string>()];
  score.main = main_score(path, subsets);
  if (json.contains("task_type") && json["task_type"].is_string()) {
    score.type = json["task_type"].get<std::string>();
  }
}

Scores read_folder(const std::string& folder) {
  if (!fs::is_directory(folder)) throw Error(ErrorCode::not_found, folder + ": no such folder");
  Scores scores;
  for (const auto& entry : fs::directory_iterator(folder)) {
    // MTEB writes one file beside the results that tells of the model.
    const bool result =
        entry.path().extension() == ".json" && entry.path().filename() != "model_meta.json";
    if (result) read_result(entry.path().string(), scores);
  }
  if (scores.empty())
    throw Error(ErrorCode::not_found, folder + ": no results, expected TASK.json");
  return scores;
}

}  // namespace

BenchmarkTable read_results(const std::vector<std::string>& folders) {
  BenchmarkTable table;
  std::vector<Scores> all;
  std::map<std::string, std::string> types;
  for (const std::string& folder : folders) {
    all.push_back(read_folder(folder));
    table.systems.push_back(fs::canonical(folder).filename().string());
    for (const auto& [task, score] : all.back()) types[task] = score.type;
  }
  for (const auto& [task, type] : types) {
    table.tasks.push_back(task);
    table.types.push_back(type);
  }
  table.scores = Matrix<double>(table.systems.size(), table.tasks.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    for (std::size_t t = 0; t < table.tasks.size(); ++t) {
      const auto found = all[s].find(table.tasks[t]);
      table.scores(s, t) =
          found == all[s].end() ? std::numeric_limits<double>::quiet_NaN() : found->second.main;
    }
  }
  return table;
}

}  // namespace kith::cli
