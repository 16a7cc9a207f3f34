#include "learn/weights/task_vectors.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t extent : tensor.sizes()) {
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  }
  return text.empty() ? "one value" : text;
}

std::vector<std::string> distinct_names(const Parameters& tensors) {
  std::vector<std::string> names;
  for (const Parameter& each : distinct(tensors)) names.push_back(each.name);
  return names;
}

Parameters ordered(const NamedModel& model, const std::vector<std::string>& names) {
  Parameters copies;
  for (const std::string& name : names) {
    const at::Tensor value =
        model.tensors[name].detach().to(torch::kCPU, torch::kFloat32).contiguous().clone();
    if (!at::isfinite(value).all().item<bool>()) {
      refuse(model.name + ": tensor '" + name + "' has a value that is not finite");
    }
    copies.add(name, value);
  }
  return copies;
}

void check_same_tensors(const NamedModel& base, const NamedModel& model) {
  std::string differing;
  const auto add = [&](const std::string& text) {
    differing += (differing.empty() ? "" : ", ") + text;
  };
  for (const std::string& name : distinct_names(base.tensors)) {
    if (!model.tensors.has(name)) {
      add(name + " (only in " + base.name + ")");
    } else if (base.tensors[name].sizes() != model.tensors[name].sizes()) {
      add(name + " (" + shape_text(base.tensors[name]) + ", " + shape_text(model.tensors[name]) +
          ")");
    }
  }
  for (const std::string& name : distinct_names(model.tensors)) {
    if (!base.tensors.has(name)) add(name + " (only in " + model.name + ")");
  }
  if (!differing.empty()) {
    refuse(base.name + " and " + model.name + " differ in tensors: " + differing);
  }
}

void check_any(const std::vector<NamedModel>& models) {
  if (models.empty()) refuse("no models, expected at least one to merge");
}

}  // namespace

Parameters distinct(const Parameters& tensors) {
  std::vector<std::string> names;
  for (const Parameter& each : tensors) names.push_back(each.name);
  std::sort(names.begin(), names.end());
  std::set<const void*> seen;
  Parameters once;
  for (const std::string& name : names) {
    const at::Tensor& value = tensors[name];
    if (value.numel() == 0 || seen.insert(value.data_ptr()).second) once.add(name, value);
  }
  return once;
}

TaskVectors make_task_vectors(const NamedModel& base, const std::vector<NamedModel>& models) {
  check_any(models);
  const std::vector<std::string> names = distinct_names(base.tensors);
  TaskVectors all;
  all.base = ordered(base, names);
  for (const NamedModel& model : models) {
    check_same_tensors(base, model);
    const Parameters vector = ordered(model, names);
    for (const Parameter& each : vector) at::Tensor(each.value).sub_(all.base[each.name]);
    all.names.push_back(model.name);
    all.vectors.push_back(vector);
  }
  return all;
}

TaskVectors make_plain_vectors(const std::vector<NamedModel>& models) {
  check_any(models);
  NamedModel zeros{models.front().name, {}};
  for (const Parameter& each : models.front().tensors) {
    zeros.tensors.add(each.name, torch::zeros(each.value.sizes()));
  }
  return make_task_vectors(zeros, models);
}

double precise_dot(const at::Tensor& a, const at::Tensor& b) {
  constexpr std::int64_t kChunk = 1 << 18;  // so that the doubles stay in the cache
  const at::Tensor x = a.detach().reshape({-1}), y = b.detach().reshape({-1});
  double sum = 0;
  for (std::int64_t at = 0; at < x.numel(); at += kChunk) {
    const std::int64_t end = std::min(at + kChunk, x.numel());
    sum +=
        torch::dot(x.slice(0, at, end).to(torch::kDouble), y.slice(0, at, end).to(torch::kDouble))
            .item<double>();
  }
  return sum;
}

double precise_dot(const Parameters& a, const Parameters& b) {
  double sum = 0;
  for (const Parameter& each : a) sum += precise_dot(each.value, b[each.name]);
  return sum;
}

double norm(const Parameters& a) { return std::sqrt(precise_dot(a, a)); }

at::Tensor gram_of(const std::vector<Parameters>& vectors) {
  const auto count = static_cast<std::int64_t>(vectors.size());
  const at::Tensor gram = torch::empty({count, count}, torch::kDouble);
  auto values = gram.accessor<double, 2>();
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      values[i][j] = values[j][i] =
          precise_dot(vectors[static_cast<std::size_t>(i)], vectors[static_cast<std::size_t>(j)]);
    }
  }
  return gram;
}

Parameters combine(const std::vector<Parameters>& vectors, std::span<const double> coefficients) {
  Parameters sum;
  for (const Parameter& each : vectors.at(0)) {
    at::Tensor total = torch::zeros(each.value.sizes(), torch::kDouble);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      total.add_(vectors[i][each.name], coefficients[i]);
    }
    sum.add(each.name, total.to(torch::kFloat32));
  }
  return sum;
}

Parameters add_to_base(const TaskVectors& vectors, const Parameters& vector, double scale) {
  Parameters sum;
  for (const Parameter& each : vectors.base) {
    const at::Tensor total =
        each.value.to(torch::kDouble).add_(vector[each.name].to(torch::kDouble), scale);
    sum.add(each.name, total.to(torch::kFloat32));
  }
  return sum;
}

void check_one_each(const TaskVectors& vectors, std::span<const double> numbers, const char* what) {
  if (numbers.size() != vectors.size()) {
    refuse(std::to_string(numbers.size()) + " " + what + ", expected one for each of " +
           std::to_string(vectors.size()) + " models");
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!std::isfinite(numbers[i])) {
      refuse(vectors.names[i] + ": one of the " + what + " is " + std::to_string(numbers[i]) +
             ", expected a finite number");
    }
  }
}

}  // namespace kith::learn
