#include "learn/shards.h"

#include "base/parallel.h"
#include "learn/torch.h"

extern "C" void omp_set_num_threads(int threads);

namespace kith::learn {
namespace {

// Operations of this thread are not shared out while it lives.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const int before_;
};

}  // namespace

std::size_t shard_count() { return static_cast<std::size_t>(at::get_num_threads()); }

std::int64_t shard_size(std::int64_t sequences, const at::Device& device, std::size_t processes) {
  const std::size_t each = device.is_cpu() ? shard_count() : 1;
  const auto shards = static_cast<std::int64_t>(each * processes);
  return (sequences + shards - 1) / shards;
}

void run_shards(std::size_t count, const std::function<void(std::size_t)>& body) {
  const bool gradients = at::GradMode::is_enabled();
  Control control;
  control.threads = shard_count();
  parallel_for(control, count, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    const OneThread alone;
    const torch::AutoGradMode mode(gradients);
    for (std::size_t i = begin; i < end; ++i) body(i);
  });
}

ShardGradients::ShardGradients(const Parameters& trained, std::size_t shards) : sums_(shards) {
  for (const Parameter& each : trained) trained_.push_back(each.value);
  for (auto& sum : sums_) sum.resize(trained_.size());
}

void ShardGradients::add(std::size_t shard, const std::vector<at::Tensor>& outputs,
                         const std::vector<at::Tensor>& gradients) {
  if (outputs.empty() || trained_.empty()) return;
  const std::vector<at::Tensor> own =
      torch::autograd::grad(outputs, trained_, gradients, false, false, true);
  for (std::size_t p = 0; p < own.size(); ++p) {
    if (!own[p].defined()) continue;
    at::Tensor& sum = sums_[shard][p];
    if (sum.defined()) {
      sum.add_(own[p]);
    } else {
      sum = own[p];
    }
  }
}

void ShardGradients::finish() {
  run_shards(trained_.size(), [&](std::size_t p) {
    for (const auto& sum : sums_) {
      if (!sum[p].defined()) continue;
      at::Tensor& gradient = trained_[p].mutable_grad();
      if (gradient.defined()) {
        gradient.add_(sum[p]);
      } else {
        gradient = sum[p].clone();
      }
    }
  });
}

}  // namespace kith::learn
