#include "learn/loss/similarity.h"

#include <limits>

#include "learn/torch.h"

namespace kith::learn {

Tensor unit(const Tensor& x) {
  const Tensor length = torch::linalg_vector_norm(x, 2, {-1}, /*keepdim=*/true);
  return x / length.masked_fill(length == 0, std::numeric_limits<double>::infinity());
}

Tensor similarity(const Tensor& a, const Tensor& b, Similarity kind) {
  return kind == Similarity::cosine ? (unit(a) * unit(b)).sum(-1) : (a * b).sum(-1);
}

Tensor similarities(const Tensor& a, const Tensor& b, Similarity kind) {
  return kind == Similarity::cosine ? unit(a).mm(unit(b).t()) : a.mm(b.t());
}

}  // namespace kith::learn
