// Tensors for tests of objectives, and plain rows for their references.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "learn/tensor.h"
#include "learn/torch.h"

namespace kith::learn {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

// Standard normal doubles, the same for the same seed.
inline Tensor random_tensor(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  const Tensor x = torch::empty(shape, torch::kDouble);
  Random random(seed);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = random.normal();
  return x;
}

inline Tensor doubles(const Row& values) { return torch::tensor(values, torch::kDouble); }

inline Tensor ids(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kLong);
}

inline Row row_of(const Tensor& x) {
  const Tensor flat = x.detach().to(torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// The rows of the last dimension.
inline Rows rows_of(const Tensor& x) {
  const Row all = row_of(x);
  const auto width = static_cast<std::size_t>(x.size(-1));
  Rows rows;
  for (std::size_t at = 0; at < all.size(); at += width) {
    rows.emplace_back(all.begin() + static_cast<long>(at),
                      all.begin() + static_cast<long>(at + width));
  }
  return rows;
}

inline double plain_dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline double plain_cosine(const Row& a, const Row& b) {
  return plain_dot(a, b) / std::sqrt(plain_dot(a, a) * plain_dot(b, b));
}

// The share of x[i] among all of x, exponents of e.
inline double plain_softmax(const Row& x, std::size_t i) {
  double sum = 0;
  for (const double value : x) sum += std::exp(value - x[i]);
  return 1 / sum;
}

inline double value(const Tensor& loss) { return loss.item<double>(); }

}  // namespace kith::learn
