#include "learn/weights/merge_folders.h"

#include <algorithm>
#include <cmath>

#include "base/folder_path.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/weights/atlas.h"
#include "learn/weights/average.h"
#include "learn/weights/fisher.h"
#include "learn/weights/geometry.h"
#include "learn/weights/model_weights.h"
#include "learn/weights/probe.h"
#include "learn/weights/self_positioning.h"
#include "learn/weights/slerp.h"
#include "learn/weights/ties.h"

namespace kith::learn {
namespace {

using json = nlohmann::ordered_json;

bool is_search(const std::string& method) {
  return method == "self-positioning" || method == "atlas";
}
bool looks_at_data(const std::string& method) { return is_search(method) || method == "fisher"; }

void check_options(const MergeRequest& request) {
  const std::string& method = request.method;
  constexpr const char* kMethods[] = {"average", "arithmetic",       "slerp", "ties",
                                      "fisher",  "self-positioning", "atlas"};
  if (std::ranges::count(kMethods, method) == 0) {
    refuse("method '" + method +
           "', expected average, arithmetic, slerp, ties, fisher, self-positioning or atlas");
  }
  if (looks_at_data(method) == request.probe.empty()) {
    refuse(method + (request.probe.empty() ? " needs a probe: a file of which data it looks at"
                                           : " looks at no data, expected no probe"));
  }
  if (is_search(method) && !request.weights.empty()) refuse(method + " finds weights by itself");
  if (looks_at_data(method) && request.scale) refuse(method + " takes no scale");
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

// What merge.json says of the sources, before what the method adds.
json record_of(const MergeRequest& request, const MergeSummary& summary) {
  json record = {{"method", request.method}};
  if (!request.base.empty()) {
    record["base"] = folder_name(request.base);
    record["base_hash"] = summary.base_hash;
  }
  record["models"] = json::array();
  for (const std::string& model : request.models) record["models"].push_back(folder_name(model));
  return record;
}

void take_losses(const std::vector<double>& losses, MergeSummary& summary) {
  const std::size_t some = std::max<std::size_t>(1, losses.size() / 10);
  for (std::size_t i = 0; i < some; ++i) {
    summary.first_loss += losses[i] / static_cast<double>(some);
    summary.last_loss += losses[losses.size() - 1 - i] / static_cast<double>(some);
  }
}

// What is added to the base, by methods that look at data.
Parameters merge_by_data(const MergeRequest& request, const TaskVectors& vectors,
                         MergeSummary& summary, json& record) {
  const ProbeOptions options = read_probe(request.probe);
  Probe probe(request.base, options, without_progress(request.control));
  if (request.method == "fisher") {
    const auto fishers = fisher_weights(probe, vectors, options.fisher_steps);
    return merge_fisher(vectors, fishers, request.weights);
  }
  const Parameters model = probe.tensors(vectors.base);
  const auto steps = static_cast<std::size_t>(
      request.method == "atlas" ? options.atlas.steps : options.self_positioning.steps);
  Progress progress(request.control, "search", steps);
  const GradientStep step = [&](std::int64_t number) {
    throw_if_cancelled(request.control);
    progress.add(1);
    return probe.step(number);
  };
  if (request.method == "self-positioning") {
    const SelfPositioning found = self_position(vectors, model, step, options.self_positioning);
    take_losses(found.losses, summary);
    summary.coefficients = found.coefficients;
    record["weights"] = found.weights;
    record["scale"] = found.scale;
    record["coefficients"] = found.coefficients;
    return combine(vectors.vectors, found.coefficients);
  }
  const Atlas found = learn_atlas(vectors, model, step, options.atlas);
  take_losses(found.losses, summary);
  record["blocks"] = found.blocks;
  for (std::int64_t i = 0; i < found.coefficients.size(0); ++i) {
    const at::Tensor own = found.coefficients[i].contiguous();
    const auto* values = own.data_ptr<double>();
    summary.coefficients.push_back(own.mean().item<double>());
    record["coefficients"].push_back(std::vector<double>(values, values + own.numel()));
  }
  Parameters change;  // the search left the composed weights in the model
  for (const Parameter& each : vectors.base) {
    change.add(each.name, (model[each.name] - each.value).detach().clone());
  }
  return change;
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
  json record = json::object();
  Parameters merged;
  if (looks_at_data(request.method)) {
    merged = merge_by_data(request, vectors, summary, record);
  } else if (request.method == "ties") {
    merged = merge_ties(vectors, {.top = request.top.value_or(TiesOptions{}.top),
                                  .scale = request.scale.value_or(1),
                                  .rescale = request.rescale});
    record["top"] = request.top.value_or(TiesOptions{}.top);
    record["rescale"] = request.rescale;
    record["scale"] = request.scale.value_or(1);
  } else {
    summary.coefficients = coefficients_of(request, vectors);
    merged = combine(vectors.vectors, summary.coefficients);
    record["coefficients"] = summary.coefficients;
  }
  summary.output = request.output;
  summary.tensors = static_cast<std::int64_t>(merged.size());
  summary.parameters = merged.values();
  summary.norms = geometry.norms;
  summary.angles = geometry.angles;
  summary.norm = norm(merged);
  if (!request.base.empty()) summary.base_hash = hash_of(vectors.base);
  throw_if_cancelled(request.control);
  json whole = record_of(request, summary);
  whole.update(record);
  write_merged(request.output, sources.folders.front(), add_to_base(vectors, merged), whole);
  return summary;
}

}  // namespace kith::learn
