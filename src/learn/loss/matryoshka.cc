#include "learn/loss/matryoshka.h"

#include <set>
#include <string>

#include "learn/loss/check.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void check(const Embedded& batch, const MatryoshkaOptions& options) {
  expect_embedded("matryoshka", batch);
  if (options.dims.empty()) refuse("matryoshka: no dims, expected 1 or more");
  std::set<std::int64_t> seen;
  for (const std::int64_t dim : options.dims) {
    expect_width("matryoshka", dim, batch.dim());
    if (!seen.insert(dim).second) refuse("matryoshka: width " + std::to_string(dim) + " repeats");
  }
  if (!options.weights.empty() && options.weights.size() != options.dims.size()) {
    refuse("matryoshka: " + std::to_string(options.weights.size()) + " weights, expected " +
           std::to_string(options.dims.size()) + ", one a dimension");
  }
  for (const double weight : options.weights) expect_not_negative("matryoshka: weight", weight);
}

}  // namespace

Tensor matryoshka(const Embedded& batch, const EmbeddingLoss& base,
                  const MatryoshkaOptions& options) {
  check(batch, options);
  Tensor loss = torch::zeros({}, batch.queries.options());
  for (std::size_t i = 0; i < options.dims.size(); ++i) {
    const double weight = options.weights.empty() ? 1 : options.weights[i];
    if (weight == 0) continue;
    loss = loss + weight * base(truncated(batch, options.dims[i], options.normalise));
  }
  return loss;
}

}  // namespace kith::learn
