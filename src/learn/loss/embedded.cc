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
