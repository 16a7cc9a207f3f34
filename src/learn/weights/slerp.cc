#include "learn/weights/slerp.h"

#include <cmath>
#include <numbers>

#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr double kParallel = 1e-4, kOpposite = std::numbers::pi - 1e-3;

void check(const at::Tensor& gram, const at::Tensor& weights,
           const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const double weight = weights[at].item<double>();
    if (!(weight > 0) || !std::isfinite(weight)) {
      refuse(names[i] + ": weight " + std::to_string(weight) + ", expected a number above 0");
    }
    if (!(gram[at][at].item<double>() > 0)) {
      refuse(names[i] + ": its weights are the base's, so its task vector has no direction");
    }
  }
}

std::string all_of(const std::vector<std::string>& names, std::size_t count) {
  std::string text = names[0];
  for (std::size_t i = 1; i < count; ++i) text += " + " + names[i];
  return count == 1 ? text : "the merge " + text;
}

// What is merged so far, c, and vector k in the shares 1 - b and b.
at::Tensor fold(const at::Tensor& gram, const at::Tensor& c, std::int64_t k, const at::Tensor& b,
                const std::vector<std::string>& names) {
  const at::Tensor next = torch::zeros_like(c.detach());
  next[k] = 1;
  const at::Tensor products = gram.mv(c);
  const at::Tensor lengths = torch::sqrt(torch::dot(c, products) * gram[k][k]);
  const at::Tensor cosine = products[k] / lengths;
  const double angle = std::acos(std::min(1.0, std::max(-1.0, cosine.item<double>())));
  if (!(lengths.item<double>() > 0) || angle > kOpposite) {
    const auto count = static_cast<std::size_t>(k);
    refuse(all_of(names, count) + " and " + names[count] +
           ": task vectors that point opposite ways, so that none lies between them");
  }
  if (angle < kParallel) return (1 - b) * c + b * next;
  const at::Tensor alpha = torch::acos(cosine);
  return (torch::sin((1 - b) * alpha) * c + torch::sin(b * alpha) * next) / torch::sin(alpha);
}

}  // namespace

at::Tensor slerp_coefficients(const at::Tensor& gram, const at::Tensor& weights,
                              const std::vector<std::string>& names) {
  check(gram, weights, names);
  at::Tensor c = torch::zeros({weights.size(0)}, torch::kDouble);
  c[0] = 1;
  for (std::int64_t k = 1; k < weights.size(0); ++k) {
    const at::Tensor before = weights.slice(0, 0, k).mean();
    c = fold(gram, c, k, weights[k] / (before + weights[k]), names);
  }
  return c;
}

std::vector<double> slerp_coefficients(const TaskVectors& vectors,
                                       const std::vector<double>& weights) {
  std::vector<double> given = weights;
  if (given.empty()) given.assign(vectors.size(), 1);
  check_one_each(vectors, given, "weights");
  const at::Tensor c = slerp_coefficients(gram_of(vectors.vectors),
                                          torch::tensor(given, torch::kDouble), vectors.names);
  return {c.data_ptr<double>(), c.data_ptr<double>() + c.numel()};
}

}  // namespace kith::learn
