#include "learn/weights/merge_folders.h"

#include <cmath>
#include <filesystem>

#include "base/parallel.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/weights/average.h"
#include "learn/weights/geometry.h"
#include "learn/weights/model_weights.h"
#include "learn/weights/slerp.h"
#include "learn/weights/ties.h"

namespace kith::learn {
namespace {

void check_options(const MergeRequest& request) {
  const std::string& method = request.method;
  if (method != "average" && method != "arithmetic" && method != "slerp" && method != "ties") {
    refuse("method '" + method + "', expected average, arithmetic, slerp or ties");
  }
  if (request.models.empty()) refuse("no models, expected at least one to merge");
  const bool ties = method == "ties";
  if (!ties && request.top) refuse("top is an option of ties, not of " + method);
  if (!ties && request.rescale) refuse("rescale is an option of ties, not of " + method);
  if (ties && !request.weights.empty()) refuse("ties takes no weights");
  if (request.scale && !std::isfinite(*request.scale)) {
    refuse("scale " + std::to_string(*request.scale) + ", expected a finite number");
  }
  if (!request.base.empty()) return;
  if (method != "average") {
    refuse(method + " needs the base that the models were trained from; without it only average");
  }
  if (request.scale) refuse("a scale needs the base that the models were trained from");
}

struct Sources {
  std::vector<ModelWeights> folders;  // the base first, if there is one
  TaskVectors vectors;
};

Sources read_sources(const MergeRequest& request) {
  std::vector<std::string> paths = request.models;
  if (!request.base.empty()) paths.insert(paths.begin(), request.base);
  Sources sources;
  for (const std::string& path : paths) {
    throw_if_cancelled(request.control);
    sources.folders.push_back(read_model_weights(path));
  }
  tie_equal_weights(sources.folders);
  sources.vectors =
      request.base.empty() ? plain_vectors_of(sources.folders) : task_vectors_of(sources.folders);
  return sources;
}

std::vector<double> coefficients_of(const MergeRequest& request, const TaskVectors& vectors) {
  const double scale = request.scale.value_or(1);
  if (request.method == "arithmetic") {
    return arithmetic_coefficients(vectors, request.weights, scale);
  }
  std::vector<double> coefficients = request.method == "slerp"
                                         ? slerp_coefficients(vectors, request.weights)
                                         : average_coefficients(vectors, request.weights);
  for (double& coefficient : coefficients) coefficient *= scale;
  return coefficients;
}

nlohmann::ordered_json record_of(const MergeRequest& request, const MergeSummary& summary) {
  const auto name = [](const std::string& path) {
    const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
    return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
  };
  nlohmann::ordered_json record = {{"method", request.method}};
  if (!request.base.empty()) {
    record["base"] = name(request.base);
    record["base_hash"] = summary.base_hash;
  }
  record["models"] = nlohmann::ordered_json::array();
  for (const std::string& model : request.models) record["models"].push_back(name(model));
  if (summary.coefficients.empty()) {
    record["top"] = request.top.value_or(TiesOptions{}.top);
    record["rescale"] = request.rescale;
    record["scale"] = request.scale.value_or(1);
  } else {
    record["coefficients"] = summary.coefficients;
  }
  return record;
}

}  // namespace

MergeSummary merge_folders(const MergeRequest& request) {
  check_options(request);
  set_threads(request.control);
  const Sources sources = read_sources(request);
  const TaskVectors& vectors = sources.vectors;
  const Geometry geometry = geometry_of(vectors);
  throw_if_cancelled(request.control);

  MergeSummary summary;
  Parameters merged;
  if (request.method == "ties") {
    merged = merge_ties(vectors, {.top = request.top.value_or(TiesOptions{}.top),
                                  .scale = request.scale.value_or(1),
                                  .rescale = request.rescale});
  } else {
    summary.coefficients = coefficients_of(request, vectors);
    merged = combine(vectors.vectors, summary.coefficients);
  }
  summary.output = request.output;
  summary.tensors = static_cast<std::int64_t>(merged.size());
  summary.parameters = merged.values();
  summary.norms = geometry.norms;
  summary.angles = geometry.angles;
  summary.norm = norm(merged);
  if (!request.base.empty()) summary.base_hash = hash_of(vectors.base);
  throw_if_cancelled(request.control);
  write_merged(request.output, sources.folders.front(), add_to_base(vectors, merged),
               record_of(request, summary));
  return summary;
}

}  // namespace kith::learn
