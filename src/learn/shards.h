// Parts of a batch side by side, each on one thread. LibTorch's own threads share out one operation
// at a time, and for the many small ones of a training wait longer than they work.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "learn/nn/parameters.h"

namespace kith::learn {

// How many parts are computed at once: the threads that set_threads() has set.
std::size_t shard_count();

// How many of so many sequences a shard has, where `processes` of shard_count() each share them;
// all of them on other devices than the CPU.
std::int64_t shard_size(std::int64_t sequences, const at::Device& device,
                        std::size_t processes = 1);

// body(i) for i below `count`, at most shard_count() at once, each on one thread, with gradients on
// or off as in the caller. Rethrows the first exception when all have ended.
void run_shards(std::size_t count, const std::function<void(std::size_t)>& body);

// Gradients that parts of a batch add up, each shard in memory of its own, so that sums are of one
// order and the same on every run with so many threads.
class ShardGradients {
 public:
  ShardGradients(const Parameters& trained, std::size_t shards);

  // Adds the gradients of sum_i <outputs[i], gradients[i]>, of one shard at a time from one thread;
  // undefined gradients stand for 1. Frees the outputs' graph.
  void add(std::size_t shard, const std::vector<at::Tensor>& outputs,
           const std::vector<at::Tensor>& gradients);
  // Adds all shards' to the tensors' own gradients.
  void finish();

 private:
  std::vector<at::Tensor> trained_;
  std::vector<std::vector<at::Tensor>> sums_;  // by shard
};

}  // namespace kith::learn
