#include "learn/loss/starbucks.h"

#include <string>

#include "learn/loss/check.h"
#include "learn/loss/distillation.h"
#include "learn/loss/info_nce.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

std::string words(const StarbucksSize& size) {
  return std::to_string(size.layer) + ":" + std::to_string(size.width);
}

void check(const std::vector<StarbucksLayer>& layers, double alignment) {
  if (layers.empty()) refuse("starbucks: no layers, expected 1 or more");
  const Embedded& last = layers.back().embedded;
  std::int64_t before = 1;
  for (const StarbucksLayer& layer : layers) {
    expect_alike("starbucks", last, layer.embedded);
    expect_width("starbucks", layer.width, last.dim());
    if (layer.width < before) {
      refuse("starbucks: width " + std::to_string(layer.width) + " after " +
             std::to_string(before) + ", expected ascending ones");
    }
    before = layer.width;
  }
  if (before != last.dim()) {
    refuse("starbucks: last width " + std::to_string(before) + ", expected the full one, " +
           std::to_string(last.dim()));
  }
  expect_not_negative("starbucks: alignment", alignment);
}

}  // namespace

void expect_sizes(const std::vector<StarbucksSize>& sizes, std::int64_t layers, std::int64_t dim) {
  if (sizes.empty()) refuse("starbucks: no sizes, expected 1 or more");
  StarbucksSize before{1, 0};
  for (const StarbucksSize& size : sizes) {
    const bool ascends = size.layer >= before.layer && size.width >= before.width &&
                         (size.layer > before.layer || size.width > before.width);
    if (!ascends || size.width < 1) {
      refuse("starbucks: size " + words(size) + ", expected ascending layers and widths from 1:1");
    }
    before = size;
  }
  if (before.layer == layers && before.width == dim) return;
  refuse("starbucks: last size " + words(before) + ", expected the full one, " +
         words({layers, dim}));
}

Tensor starbucks_retrieval(const std::vector<StarbucksLayer>& layers,
                           const StarbucksOptions& options) {
  check(layers, options.alignment);
  expect_positive("starbucks: temperature", options.temperature);
  const InfoNceOptions all{.similarity = options.similarity};
  std::vector<Tensor> scores;
  for (const StarbucksLayer& layer : layers) {
    const Embedded cut = truncated(layer.embedded, layer.width, /*normalise=*/false);
    scores.push_back(candidate_scores(cut, all) / options.temperature);
  }
  const Tensor own = torch::arange(scores[0].size(0), scores[0].options().dtype(torch::kLong));
  Tensor loss = torch::zeros({}, scores[0].options());
  for (std::size_t k = 0; k < scores.size(); ++k) {
    loss = loss + torch::cross_entropy_loss(scores[k], own);
    const bool full = k + 1 == scores.size();
    if (!full && options.alignment > 0) {
      loss = loss + options.alignment * distil_softmax(scores[k], scores.back());
    }
  }
  return loss;
}

Tensor starbucks_pairs(const std::vector<StarbucksLayer>& layers, const EmbeddingLoss& base,
                       double alignment) {
  check(layers, alignment);
  const Embedded& last = layers.back().embedded;
  Tensor loss = base(truncated(last, layers.back().width, true));
  for (std::size_t k = 0; k + 1 < layers.size(); ++k) {
    const auto& [embedded, width] = layers[k];
    loss = loss + base(truncated(embedded, width, true));
    if (alignment == 0) continue;
    loss = loss + alignment * distil_softmax(all_texts(truncated(embedded, width, false)),
                                             all_texts(truncated(last, width, false)),
                                             {.detach_teacher = false});
  }
  return loss;
}

}  // namespace kith::learn
