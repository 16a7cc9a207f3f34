#include "kith/relevance_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "judge/logistic.h"
#include "kith/error.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "relevance of hits: " + message);
}

void check(const FilteredHits& hits) {
  const std::size_t count = hits.scores.size();
  if (hits.relevant.size() != count) {
    refuse(std::to_string(count) + " scores, but " + std::to_string(hits.relevant.size()) +
           " judgements");
  }
  if (hits.begin.empty() || hits.begin.front() != 0 || hits.begin.back() != count ||
      !std::ranges::is_sorted(hits.begin)) {
    refuse("queries that don't divide the " + std::to_string(count) + " hits");
  }
  for (const double score : hits.scores) {
    if (!std::isfinite(score)) refuse("a score that isn't finite");
  }
  if (std::ranges::count(hits.relevant, 1) == 0) refuse("none is relevant");
}

double calibration_error(const FilteredHits& hits) {
  constexpr std::size_t kBins = 15;
  struct Bin {
    double scores = 0, relevant = 0;
  };
  std::array<Bin, kBins> bins;
  for (std::size_t i = 0; i < hits.scores.size(); ++i) {
    const double score = hits.scores[i];
    if (score < 0 || score > 1) return std::numeric_limits<double>::quiet_NaN();
    const auto place = static_cast<std::size_t>(score * kBins);
    Bin& bin = bins[std::min(place, kBins - 1)];
    bin.scores += score;
    bin.relevant += hits.relevant[i];
  }
  double apart = 0;
  for (const Bin& bin : bins) apart += std::abs(bin.scores - bin.relevant);
  return apart / static_cast<double>(hits.scores.size());
}

}  // namespace

RelevanceScores score_relevance(const FilteredHits& hits, double recall,
                                std::optional<double> threshold) {
  check(hits);
  const std::size_t count = hits.scores.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return hits.scores[a] != hits.scores[b] ? hits.scores[a] > hits.scores[b] : a < b;
  });
  const auto all = static_cast<double>(std::ranges::count(hits.relevant, 1));

  RelevanceScores result;
  bool found = threshold.has_value();
  result.threshold = threshold.value_or(hits.scores[order.back()]);
  double seen = 0, before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    seen += hits.relevant[order[i]];
    const double score = hits.scores[order[i]];
    if (i + 1 < count && hits.scores[order[i + 1]] == score) continue;  // equal ones come together
    result.pr_auc += (seen - before) / all * seen / static_cast<double>(i + 1);
    before = seen;
    if (found || seen < recall * all) continue;
    found = true;
    result.threshold = score;
  }

  double kept = 0, right = 0, queries_kept = 0;
  for (std::size_t q = 0; q + 1 < hits.begin.size(); ++q) {
    bool any = false;
    for (std::size_t i = hits.begin[q]; i < hits.begin[q + 1]; ++i) {
      if (hits.scores[i] < result.threshold) continue;
      any = true;
      ++kept;
      right += hits.relevant[i];
    }
    queries_kept += any ? 1 : 0;
  }
  result.precision = kept == 0 ? 0 : right / kept;
  result.recall = right / all;
  result.filtered = 1 - kept / static_cast<double>(count);
  result.empty = 1 - queries_kept / static_cast<double>(hits.begin.size() - 1);
  result.calibration_error = calibration_error(hits);
  return result;
}

double LogisticFit::operator()(double score) const {
  return 1 / (1 + std::exp(-(gain * score + bias)));
}

LogisticFit fit_logistic(const FilteredHits& hits) {
  check(hits);
  if (std::ranges::count(hits.relevant, 0) == 0) refuse("all are relevant");
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(hits.scores.size()), 1);
  for (std::size_t i = 0; i < hits.scores.size(); ++i) {
    rows(static_cast<Eigen::Index>(i), 0) = hits.scores[i];
  }
  const std::vector<Label> labels(hits.relevant.begin(), hits.relevant.end());
  const judge::LogisticRegression fit(rows, labels);
  return {fit.weights()(0, 0), fit.intercepts()(0)};
}

}  // namespace kith
