#include "learn/weights/scaled_model.h"

#include <cmath>
#include <map>

#include "base/random.h"
#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// The part that each value of a tensor of this shape belongs to: equal sizes, drawn at random.
at::Tensor draw_parts(at::IntArrayRef shape, std::int64_t partitions, std::uint64_t seed) {
  const at::Tensor parts = torch::empty({shape[0] * shape[1]}, torch::kLong);
  auto* values = parts.data_ptr<std::int64_t>();
  for (std::int64_t k = 0; k < parts.numel(); ++k) values[k] = k % partitions;
  Random random(seed,
                static_cast<std::uint64_t>(shape[0]) << 32 | static_cast<std::uint64_t>(shape[1]));
  for (std::int64_t k = parts.numel() - 1; k > 0; --k) {
    std::swap(values[k], values[random.below(static_cast<std::uint64_t>(k) + 1)]);
  }
  return parts;
}

void check_finite(double value, const char* what, std::int64_t number) {
  if (std::isfinite(value)) return;
  throw Error(
      ErrorCode::invalid_argument,
      std::string(what) + " of step " + std::to_string(number) + " is " + std::to_string(value));
}

}  // namespace

ScaledModel::ScaledModel(const TaskVectors& vectors, Parameters model, std::int64_t partitions,
                         std::uint64_t seed) {
  if (partitions < 1) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(partitions) + " partitions, expected 1 or more");
  }
  model = distinct(model);
  model.assign(vectors.base);
  std::map<std::vector<std::int64_t>, at::Tensor> parts;
  for (const Parameter& each : vectors.base) {
    Place place;
    place.value = model[each.name];
    const at::Device device = place.value.device();
    place.base = each.value.to(device);
    for (const Parameters& vector : vectors.vectors) {
      place.vectors.push_back(vector[each.name].to(device));
    }
    place.first = static_cast<std::int64_t>(blocks_.size());
    if (partitions == 1) {
      blocks_.push_back(each.name);
    } else if (each.value.dim() == 2) {
      at::Tensor& drawn = parts[each.value.sizes().vec()];
      if (!drawn.defined()) drawn = draw_parts(each.value.sizes(), partitions, seed).to(device);
      place.groups = drawn;
      place.count = partitions;
      for (std::int64_t k = 0; k < partitions; ++k) {
        blocks_.push_back(each.name + "#" + std::to_string(k));
      }
    } else {
      place.count = 0;
    }
    place.required_gradient = place.value.requires_grad();
    place.value.set_requires_grad(true);
    places_.push_back(std::move(place));
  }
}

ScaledModel::~ScaledModel() {
  for (const Place& place : places_) {
    place.value.mutable_grad() = at::Tensor();
    place.value.set_requires_grad(place.required_gradient);
  }
}

void ScaledModel::place(const at::Tensor& scales) const {
  const torch::NoGradGuard constant;
  const at::Tensor given = scales.detach();
  for (const Place& place : places_) {
    at::Tensor value = place.value;
    value.copy_(place.base);
    if (place.count == 0) continue;
    for (std::size_t i = 0; i < place.vectors.size(); ++i) {
      const auto row = given[static_cast<std::int64_t>(i)];
      if (!place.groups.defined()) {
        value.add_(place.vectors[i], row[place.first].item<double>());
        continue;
      }
      const at::Tensor own =
          row.slice(0, place.first, place.first + place.count).to(value.device(), torch::kFloat32);
      value.addcmul_(own.index_select(0, place.groups).view_as(value), place.vectors[i]);
    }
  }
}

double ScaledModel::run(const GradientStep& step, std::int64_t number, at::Tensor& slopes) const {
  for (const Place& place : places_) place.value.mutable_grad() = at::Tensor();
  const double loss = step(number);
  check_finite(loss, "the loss", number);
  const torch::NoGradGuard constant;
  const auto count = static_cast<std::int64_t>(places_.empty() ? 0 : places_[0].vectors.size());
  slopes = torch::zeros({count, static_cast<std::int64_t>(blocks_.size())}, torch::kDouble);
  for (const Place& place : places_) {
    const at::Tensor& gradient = place.value.grad();
    if (!gradient.defined() || place.count == 0) continue;
    for (std::int64_t i = 0; i < count; ++i) {
      const at::Tensor& vector = place.vectors[static_cast<std::size_t>(i)];
      if (!place.groups.defined()) {
        slopes[i][place.first] = precise_dot(gradient, vector);
        continue;
      }
      const at::Tensor products = gradient.to(torch::kDouble).mul(vector).reshape({-1});
      const at::Tensor sums = torch::zeros({place.count}, products.options());
      sums.index_add_(0, place.groups, products);
      slopes[i].slice(0, place.first, place.first + place.count).copy_(sums);
    }
  }
  check_finite(slopes.sum().item<double>(), "the gradient", number);
  return loss;
}

}  // namespace kith::learn
