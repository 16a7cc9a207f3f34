#include "learn/loss/embedded.h"

#include <string>

#include "learn/loss/check.h"
#include "learn/loss/similarity.h"
#include "learn/torch.h"

namespace kith::learn {

void expect_embedded(const char* loss, const Embedded& batch) {
  const std::string name(loss);
  expect_shape(name + ": queries", batch.queries, {kAnySize, kAnySize});
  expect_shape(name + ": positives", batch.positives, {batch.batch(), batch.dim()});
  const bool none =
      !batch.negatives.defined() || (batch.negatives.dim() == 3 && batch.negatives.size(1) == 0);
  if (none) return;
  expect_shape(name + ": negatives", batch.negatives, {batch.batch(), kAnySize, batch.dim()});
}

void expect_alike(const char* loss, const Embedded& batch, const Embedded& other) {
  expect_embedded(loss, batch);
  expect_embedded(loss, other);
  const std::string name(loss);
  expect_shape(name + ": queries of another layer", other.queries, {batch.batch(), batch.dim()});
  if (batch.negatives_each() == other.negatives_each()) return;
  refuse(name + ": " + std::to_string(other.negatives_each()) +
         " negatives each at another layer, expected " + std::to_string(batch.negatives_each()));
}

void expect_width(const char* loss, std::int64_t width, std::int64_t dim) {
  if (width >= 1 && width <= dim) return;
  refuse(std::string(loss) + ": width " + std::to_string(width) + ", expected 1 to " +
         std::to_string(dim));
}

Tensor all_texts(const Embedded& batch) {
  if (batch.negatives_each() == 0) return torch::cat({batch.queries, batch.positives});
  return torch::cat({batch.queries, batch.positives, batch.negatives.flatten(0, 1)});
}

Embedded truncated(const Embedded& batch, std::int64_t width, bool normalise) {
  const auto cut = [&](const Tensor& x) {
    if (!x.defined()) return x;
    const Tensor part = x.narrow(-1, 0, width);
    return normalise ? unit(part) : part;
  };
  return {cut(batch.queries), cut(batch.positives), cut(batch.negatives)};
}

}  // namespace kith::learn
