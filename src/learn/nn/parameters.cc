#include "learn/nn/parameters.h"

#include "kith/error.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t extent : tensor.sizes()) {
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  }
  return text;
}

}  // namespace

void Parameters::add(std::string name, at::Tensor value) {
  if (!places_.emplace(name, list_.size()).second) refuse("tensor '" + name + "' twice");
  list_.push_back({std::move(name), std::move(value)});
}

void Parameters::add(const std::string& prefix, const Parameters& others) {
  for (const Parameter& each : others) add(prefix + each.name, each.value);
}

const at::Tensor& Parameters::operator[](const std::string& name) const {
  const auto at = places_.find(name);
  if (at == places_.end()) {
    throw Error(ErrorCode::not_found, "tensor '" + name + "' is missing");
  }
  return list_[at->second].value;
}

std::int64_t Parameters::values() const {
  std::int64_t sum = 0;
  for (const Parameter& each : list_) sum += each.value.numel();
  return sum;
}

Parameters Parameters::copy() const {
  Parameters copies;
  for (const Parameter& each : list_) copies.add(each.name, each.value.detach().clone());
  return copies;
}

void Parameters::assign(const Parameters& from) const {
  for (const Parameter& each : from) {
    if (!has(each.name)) refuse("tensor '" + each.name + "' has no place here");
  }
  const torch::NoGradGuard constant;
  for (const Parameter& each : list_) {
    if (!from.has(each.name)) refuse("tensor '" + each.name + "' is missing");
    const at::Tensor& other = from[each.name];
    if (other.sizes() != each.value.sizes()) {
      refuse("tensor '" + each.name + "': " + shape_text(other) + ", expected " +
             shape_text(each.value));
    }
    each.value.copy_(other);
  }
}

}  // namespace kith::learn
