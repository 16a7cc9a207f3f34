#include "learn/weights/ties.h"

#include <algorithm>
#include <cmath>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void check(const TiesOptions& options) {
  if (!(options.top > 0 && options.top <= 100)) {
    throw Error(ErrorCode::invalid_argument, "top " + std::to_string(options.top) +
                                                 ", expected a percentage above 0, at most 100");
  }
  if (!std::isfinite(options.scale)) {
    throw Error(ErrorCode::invalid_argument,
                "scale " + std::to_string(options.scale) + ", expected a finite number");
  }
}

// The least magnitude that stays.
float threshold_of(const Parameters& vector, double top) {
  std::vector<float> magnitudes;
  magnitudes.reserve(static_cast<std::size_t>(vector.values()));
  for (const Parameter& each : vector) {
    const at::Tensor values = each.value.abs().contiguous();
    magnitudes.insert(magnitudes.end(), values.data_ptr<float>(),
                      values.data_ptr<float>() + values.numel());
  }
  if (magnitudes.empty()) return 0;
  const auto kept = static_cast<std::size_t>(
      std::max(1LL, std::llround(top / 100 * static_cast<double>(magnitudes.size()))));
  const auto at = magnitudes.begin() + static_cast<long>(kept - 1);
  std::nth_element(magnitudes.begin(), at, magnitudes.end(), std::greater<>());
  return *at;
}

Parameters trimmed(const Parameters& vector, double top) {
  const float least = threshold_of(vector, top);
  Parameters kept;
  for (const Parameter& each : vector) {
    kept.add(each.name, each.value * (each.value.abs() >= least));
  }
  return kept;
}

// The mean of those that have the sign of all together.
at::Tensor mean_of_agreeing(const std::vector<at::Tensor>& values) {
  const at::Tensor all = torch::stack(values).to(torch::kDouble);
  const at::Tensor sign = all.sum(0).sign();
  const at::Tensor agrees = (all.sign() == sign) & (sign != 0);
  return ((all * agrees).sum(0) / agrees.sum(0).clamp_min(1)).to(torch::kFloat32);
}

}  // namespace

Parameters merge_ties(const TaskVectors& vectors, const TiesOptions& options) {
  check(options);
  std::vector<Parameters> kept;
  double mean_norm = 0;
  for (const Parameters& vector : vectors.vectors) {
    kept.push_back(trimmed(vector, options.top));
    mean_norm += norm(kept.back()) / static_cast<double>(vectors.size());
  }
  Parameters merged;
  for (const Parameter& each : vectors.base) {
    std::vector<at::Tensor> values;
    for (const Parameters& vector : kept) values.push_back(vector[each.name]);
    merged.add(each.name, mean_of_agreeing(values));
  }
  double factor = options.scale;
  if (options.rescale) {
    const double length = norm(merged);
    if (length > 0) factor *= mean_norm / length;
  }
  for (const Parameter& each : merged) at::Tensor(each.value).mul_(factor);
  return merged;
}

}  // namespace kith::learn
