// Processes that train one model together, on this machine or several, by LibTorch's Gloo. Every
// process calls the same functions in the same order; alone, each costs nothing.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "learn/learn.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

class Processes {
 public:
  Processes();  // this one alone
  // Waits until all have come. Throws invalid_argument for a place that can't be, io when the
  // others don't come within ten minutes. All that is below throws io when one of them is lost.
  explicit Processes(const ProcessPlace& place);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  std::size_t rank() const;
  std::size_t count() const;
  bool is_first() const { return rank() == 0; }
  // What is this process' of so many parts: every count()-th, from rank().
  std::vector<std::size_t> share(std::size_t parts) const;

  // Sums over all processes, to the same bits in each; in place.
  void sum(at::Tensor& values) const;
  // The same for gradients; one that no process has stays undefined.
  void sum_gradients(const Parameters& trained) const;
  bool any(bool value) const;
  std::string from_first(const std::string& text) const;  // the first process' text

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kith::learn
