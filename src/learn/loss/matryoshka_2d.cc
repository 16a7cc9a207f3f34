#include "learn/loss/matryoshka_2d.h"

#include <string>

#include "base/random.h"
#include "learn/loss/check.h"
#include "learn/loss/distillation.h"
#include "learn/torch.h"

namespace kith::learn {

std::vector<std::int64_t> doubling_widths(std::int64_t dim) {
  std::vector<std::int64_t> widths;
  for (std::int64_t width = 8; width < dim; width *= 2) widths.push_back(width);
  return widths;
}

SizeDraw SizeSampler::draw(Random& random) const {
  if (layers < 2) {
    refuse("matryoshka_2d: " + std::to_string(layers) + " layers, expected 2 or more");
  }
  if (widths.empty()) refuse("matryoshka_2d: no widths to draw from");
  for (const std::int64_t width : widths) expect_positive("matryoshka_2d: width", width);
  const auto any_width = [&] { return widths[random.below(widths.size())]; };
  SizeDraw drawn;
  drawn.layer = 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(layers - 1)));
  drawn.width = any_width();
  drawn.last_width = separate_widths ? any_width() : drawn.width;
  return drawn;
}

Tensor matryoshka_2d(const Embedded& last, const Embedded& shallow, const SizeDraw& drawn,
                     const EmbeddingLoss& base, const Matryoshka2dOptions& options) {
  expect_alike("matryoshka_2d", last, shallow);
  const std::int64_t full = last.dim();
  if (drawn.layer < 1) {
    refuse("matryoshka_2d: layer " + std::to_string(drawn.layer) + ", expected 1 or more");
  }
  expect_width("matryoshka_2d", drawn.width, full);
  expect_width("matryoshka_2d", drawn.last_width, full);
  expect_not_negative("matryoshka_2d: alignment", options.alignment);

  const auto loss_at = [&](const Embedded& layer, std::int64_t width) {
    return base(truncated(layer, width, true));
  };
  Tensor deep = loss_at(last, drawn.last_width), early = loss_at(shallow, drawn.width);
  if (options.full_width) {
    deep = deep + loss_at(last, full);
    early = early + loss_at(shallow, full);
  }
  const double weight = options.shallow_by_layer ? 1.0 / static_cast<double>(drawn.layer) : 1;
  const Tensor loss = deep + weight * early;
  if (options.alignment == 0) return loss;
  return loss + options.alignment *
                    distil_softmax(all_texts(shallow), all_texts(last),
                                   {options.temperature, options.power, options.detach_teacher});
}

}  // namespace kith::learn
