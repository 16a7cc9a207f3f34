#include "learn/nn/random_tensors.h"

#include <cmath>

#include "learn/torch.h"

namespace kith::learn {

at::Tensor normal_tensor(at::IntArrayRef shape, Random& random, double spread) {
  at::Tensor tensor = torch::empty(shape);
  float* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(spread * random.normal());
  }
  return tensor;
}

at::Tensor uniform_tensor(at::IntArrayRef shape, std::int64_t inputs, Random& random) {
  at::Tensor tensor = torch::empty(shape);
  const double most = 1 / std::sqrt(static_cast<double>(inputs));
  float* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(most * (2 * random.uniform() - 1));
  }
  return tensor;
}

}  // namespace kith::learn
