#include "learn/weights/fisher.h"

#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr double kFloor = 1e-8;  // where all are 0, the base's value stays

// As doubles.
at::Tensor fisher_of(const TaskVectors& vectors, std::size_t i, const Parameters& fisher,
                     const Parameter& place) {
  const std::string& model = vectors.names[i];
  if (!fisher.has(place.name)) refuse(model + ": no Fisher values of tensor '" + place.name + "'");
  const at::Tensor values = fisher[place.name].detach().to(torch::kCPU, torch::kDouble);
  if (values.sizes() != place.value.sizes()) {
    refuse(model + ": Fisher values of tensor '" + place.name + "' have another shape than it");
  }
  if (!(values.ge(0) & at::isfinite(values)).all().item<bool>()) {
    refuse(model + ": Fisher values of tensor '" + place.name + "' that are below 0 or not finite");
  }
  return values;
}

}  // namespace

Parameters merge_fisher(const TaskVectors& vectors, const std::vector<Parameters>& fishers,
                        const std::vector<double>& weights) {
  if (fishers.size() != vectors.size()) {
    refuse("Fisher values of " + std::to_string(fishers.size()) + " models, expected " +
           std::to_string(vectors.size()));
  }
  std::vector<double> given = weights;
  if (given.empty()) given.assign(vectors.size(), 1);
  check_one_each(vectors, given, "weights");
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i] < 0) refuse(vectors.names[i] + ": a weight below 0");
  }
  Parameters merged;
  for (const Parameter& place : vectors.base) {
    at::Tensor above = torch::zeros(place.value.sizes(), torch::kDouble);
    at::Tensor below = torch::full(place.value.sizes(), kFloor, torch::kDouble);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      const at::Tensor weight = fisher_of(vectors, i, fishers[i], place) * given[i];
      above += weight * vectors.vectors[i][place.name];
      below += weight;
    }
    merged.add(place.name, (above / below).to(torch::kFloat32));
  }
  return merged;
}

}  // namespace kith::learn
