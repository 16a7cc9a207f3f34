// Results in the form of MTEB's files.
#include <cmath>
#include <nlohmann/json.hpp>

#include "kith/judge.h"

namespace kith {
namespace {

// The version of MTEB whose form and names these are.
constexpr char kMtebForm[] = "2.0.0";

nlohmann::ordered_json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace

std::string mteb_json(const TaskResult& result) {
  nlohmann::ordered_json scores = nlohmann::ordered_json::object();
  for (const auto& [name, value] : result.scores) scores[name] = number(value);
  scores["main_score"] = number(result.main_score);
  scores["hf_subset"] = "default";
  scores["languages"] = nlohmann::ordered_json::array();
  if (!result.language.empty()) scores["languages"].push_back(result.language);
  const nlohmann::ordered_json object = {
      {"dataset_revision", nullptr},
      {"task_name", result.task},
      {"mteb_version", kMtebForm},
      {"scores", {{"test", nlohmann::ordered_json::array({scores})}}},
      {"evaluation_time", number(result.seconds)},
      {"kg_co2_emissions", nullptr},
      // MTEB passes over what follows.
      {"system", result.system},
      {"task_type", result.type},
      {"main_metric", result.main_metric},
      {"units", result.units},
      {"interval", {number(result.interval.low), number(result.interval.high)}},
  };
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace kith
