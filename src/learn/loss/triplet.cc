#include "learn/loss/triplet.h"

#include <limits>

#include "learn/loss/check.h"
#include "learn/loss/similarity.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

Tensor distance(const Tensor& a, const Tensor& b, TripletDistance kind) {
  if (kind == TripletDistance::cosine) return 1 - similarity(a, b, Similarity::cosine);
  return torch::linalg_vector_norm(a - b, 2, {-1});
}

Tensor distances(const Tensor& x, TripletDistance kind) {
  if (kind == TripletDistance::cosine) return 1 - similarities(x, x, Similarity::cosine);
  return torch::cdist(x, x);
}

// [B].
Tensor hinge(const Tensor& anchors, const Tensor& positives, const Tensor& negatives,
             const TripletOptions& options) {
  return (distance(anchors, positives, options.distance) -
          distance(anchors, negatives, options.distance) + options.margin)
      .relu();
}

}  // namespace

Tensor triplet(const Tensor& anchors, const Tensor& positives, const Tensor& negatives,
               const TripletOptions& options) {
  expect_shape("triplet: anchors", anchors, {kAnySize, kAnySize});
  expect_shape("triplet: positives", positives, {anchors.size(0), anchors.size(1)});
  expect_shape("triplet: negatives", negatives, {anchors.size(0), anchors.size(1)});
  expect_not_negative("triplet: margin", options.margin);
  return hinge(anchors, positives, negatives, options).mean();
}

Tensor batch_hard_triplet(const Tensor& embeddings, const Tensor& labels,
                          const TripletOptions& options) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  expect_shape("batch_hard_triplet: embeddings", embeddings, {kAnySize, kAnySize});
  expect_shape("batch_hard_triplet: labels", labels, {embeddings.size(0)});
  expect_not_negative("batch_hard_triplet: margin", options.margin);

  const Tensor apart = distances(embeddings.detach(), options.distance);
  const Tensor same = labels.unsqueeze(1) == labels.unsqueeze(0);
  const Tensor partners = same.clone().fill_diagonal_(false);
  const Tensor farthest = apart.masked_fill(~partners, -kFar).argmax(1);
  const Tensor nearest = apart.masked_fill(same, kFar).argmin(1);

  const Tensor lost = hinge(embeddings, embeddings.index_select(0, farthest),
                            embeddings.index_select(0, nearest), options);
  const Tensor counted = (partners.any(1) & ~same.all(1)).to(lost.scalar_type());
  return (lost * counted).sum() / counted.sum().clamp_min(1);
}

}  // namespace kith::learn
