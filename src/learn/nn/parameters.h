// The named tensors of a model, which all that works on whole models (optimisers, averages,
// checkpoints, merging) goes over.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace kith::learn {

struct Parameter {
  std::string name;
  at::Tensor value;
};

// In the order in which they were added. Copies share the tensors' memory.
class Parameters {
 public:
  // Throws invalid_argument for a name that is there already.
  void add(std::string name, at::Tensor value);
  // All of `others`, each name behind `prefix`.
  void add(const std::string& prefix, const Parameters& others);

  bool has(const std::string& name) const { return places_.contains(name); }
  // Throws not_found.
  const at::Tensor& operator[](const std::string& name) const;

  std::size_t size() const { return list_.size(); }
  std::vector<Parameter>::const_iterator begin() const { return list_.begin(); }
  std::vector<Parameter>::const_iterator end() const { return list_.end(); }

  std::int64_t values() const;  // of all tensors together
  // Copies of other memory, without gradients.
  Parameters copy() const;
  // Overwrites every tensor. Throws invalid_argument naming what isn't in both, or differs in
  // shape.
  void assign(const Parameters& from) const;

 private:
  std::vector<Parameter> list_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace kith::learn
