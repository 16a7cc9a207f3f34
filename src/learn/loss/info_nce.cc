#include "learn/loss/info_nce.h"

#include <cmath>
#include <limits>

#include "learn/loss/check.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void check(const Embedded& batch, const InfoNceOptions& options) {
  expect_embedded("info_nce", batch);
  if (options.margin && !std::isfinite(*options.margin)) {
    refuse("info_nce: margin " + std::to_string(*options.margin) + ", expected a finite number");
  }
  if (!options.in_batch && batch.negatives_each() == 0) {
    refuse("info_nce: 0 negatives each, expected 1 or more without in-batch candidates");
  }
  if (!options.in_batch && options.symmetric) {
    refuse("info_nce: symmetric without in-batch candidates, but a positive's queries are those");
  }
}

void check(const InfoNceHints& hints, const Tensor& scores) {
  const std::int64_t rows = scores.size(0), candidates = scores.size(1);
  if (hints.weights.defined()) expect_shape("info_nce: weights", hints.weights, {rows});
  if (hints.guide.defined()) expect_shape("info_nce: guide", hints.guide, {rows, candidates});
  if (!hints.masked.defined()) return;
  expect_shape("info_nce: masked", hints.masked, {rows, candidates});
  if (hints.masked.scalar_type() != torch::kBool) refuse("info_nce: masked is not of type bool");
}

// Candidates that a row leaves out. `judge` says how alike they are, [rows, candidates].
Tensor left_out(const Tensor& judge, const Tensor& own, const Tensor& masked,
                const std::optional<double>& margin) {
  Tensor out = masked.defined() ? masked : torch::zeros_like(judge, torch::kBool);
  if (margin) out = out | (judge > judge.gather(1, own) + *margin);
  return out.scatter(1, own, false);
}

// -log softmax(scores / t)[own] of each row, [rows].
Tensor surprise(const Tensor& scores, const Tensor& own, const Tensor& out, double temperature) {
  const Tensor logits =
      (scores / temperature).masked_fill(out, -std::numeric_limits<double>::infinity());
  return logits.logsumexp(1) - logits.gather(1, own).squeeze(1);
}

Tensor weighted_mean(const Tensor& values, const Tensor& weights) {
  if (!weights.defined()) return values.mean();
  const Tensor mass = weights.sum();
  return (values * weights).sum() / mass.masked_fill(mass == 0, 1);
}

}  // namespace

Tensor candidate_scores(const Embedded& batch, const InfoNceOptions& options) {
  check(batch, options);
  const Similarity kind = options.similarity;
  const Tensor positives = options.in_batch
                               ? similarities(batch.queries, batch.positives, kind)
                               : similarity(batch.queries, batch.positives, kind).unsqueeze(1);
  if (batch.negatives_each() == 0) return positives;
  const Tensor negatives = options.in_batch && options.others_negatives
                               ? similarities(batch.queries, batch.negatives.flatten(0, 1), kind)
                               : similarity(batch.queries.unsqueeze(1), batch.negatives, kind);
  return torch::cat({positives, negatives}, 1);
}

Tensor info_nce(const Embedded& batch, const InfoNceOptions& options, const InfoNceHints& hints) {
  return info_nce_of_scores(candidate_scores(batch, options), options, hints);
}

Tensor info_nce_of_scores(const Tensor& scores, const InfoNceOptions& options,
                          const InfoNceHints& hints) {
  expect_positive("info_nce: temperature", options.temperature);
  check(hints, scores);

  const std::int64_t rows = scores.size(0);
  const auto index = torch::TensorOptions().dtype(torch::kLong).device(scores.device());
  const Tensor own =
      options.in_batch ? torch::arange(rows, index).unsqueeze(1) : torch::zeros({rows, 1}, index);
  const Tensor judge = hints.guide.defined() ? hints.guide : scores.detach();
  const std::optional<double> margin =
      hints.guide.defined() ? options.margin.value_or(0) : options.margin;
  const Tensor forward =
      surprise(scores, own, left_out(judge, own, hints.masked, margin), options.temperature);
  if (!options.symmetric) return weighted_mean(forward, hints.weights);

  // Positive i's candidates are the queries: column i of the first B columns.
  const auto turned = [&](const Tensor& x) { return x.defined() ? x.narrow(1, 0, rows).t() : x; };
  const Tensor out = left_out(turned(judge), own, turned(hints.masked), margin);
  const Tensor backward = surprise(turned(scores), own, out, options.temperature);
  return weighted_mean((forward + backward) / 2, hints.weights);
}

}  // namespace kith::learn
