#include "learn/loss/ese.h"

#include <cmath>
#include <string>
#include <tuple>

#include "learn/loss/check.h"
#include "learn/loss/distillation.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

Tensor compression(const Tensor& texts, std::int64_t compressed) {
  const Tensor leading = texts.narrow(1, 0, compressed), target = ese_target(texts, compressed);
  return distil_mse(leading, target) + distil_softmax(leading, target);
}

}  // namespace

Tensor ese_target(const Tensor& texts, std::int64_t compressed) {
  expect_shape("ese: texts", texts, {kAnySize, kAnySize});
  expect_width("ese", compressed, texts.size(1));
  const torch::NoGradGuard no_grad;
  const double scale = std::sqrt(static_cast<double>(texts.size(1)));
  const Tensor attention = (texts.t().mm(texts) / scale).softmax(1);
  const auto [u, s, vh] = torch::linalg_svd(attention, /*full_matrices=*/false);
  const Tensor target =
      texts.mm(u.narrow(1, 0, compressed) * s.narrow(0, 0, compressed).unsqueeze(0));
  const Tensor against = (target * texts.narrow(1, 0, compressed)).sum(0) < 0;
  return torch::where(against, -target, target);
}

Tensor ese(const std::vector<Embedded>& layers, const EmbeddingLoss& base,
           const EseOptions& options) {
  if (layers.empty()) refuse("ese: no layers, expected 1 or more");
  for (const Embedded& layer : layers) expect_alike("ese", layers.back(), layer);
  expect_width("ese", options.compressed, layers.back().dim());
  expect_not_negative("ese: compression", options.compression);

  const auto one = [&](const Embedded& layer) {
    const Tensor loss = base(truncated(layer, layer.dim(), /*normalise=*/true));
    if (options.compression == 0) return loss;
    return loss + options.compression * compression(all_texts(layer), options.compressed);
  };
  Tensor loss = one(layers.back());
  const double others = static_cast<double>(layers.size()) - 1;
  for (std::size_t n = 1; n < layers.size(); ++n) {
    loss = loss + one(layers[n - 1]) / (others * (1 + std::log(static_cast<double>(n))));
  }
  return loss;
}

}  // namespace kith::learn
