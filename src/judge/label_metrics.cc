#include "kith/label_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "kith/error.h"

namespace kith {
namespace {

void check_sizes(std::size_t a, std::size_t b) {
  if (a != b || a == 0) {
    throw Error(ErrorCode::invalid_argument, std::to_string(a) + " labels beside " +
                                                 std::to_string(b) +
                                                 ", expected as many of both and at least one");
  }
}

struct Counts {
  double truly = 0, predicted = 0, both = 0;
};

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

double entropy(const std::map<Label, double>& counts, double total) {
  double sum = 0;
  for (const auto& [label, count] : counts) sum -= count / total * std::log(count / total);
  return sum;
}

// Positions by descending score.
std::vector<std::size_t> by_score(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

// Calls use(taken, right, score, next score) after every run of equal scores, best first; the last
// one's next score is NaN.
template <class Use>
void for_each_step(std::span<const std::uint8_t> positive, std::span<const double> scores,
                   const Use& use) {
  const std::vector<std::size_t> order = by_score(scores);
  double right = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    right += positive[order[i]] != 0 ? 1 : 0;
    const bool last = i + 1 == order.size();
    if (!last && scores[order[i + 1]] == scores[order[i]]) continue;
    use(static_cast<double>(i + 1), right, scores[order[i]],
        last ? std::numeric_limits<double>::quiet_NaN() : scores[order[i + 1]]);
  }
}

}  // namespace

LabelScores score_labels(std::span<const Label> truth, std::span<const Label> predicted) {
  check_sizes(truth.size(), predicted.size());
  const Label largest = std::max(*std::max_element(truth.begin(), truth.end()),
                                 *std::max_element(predicted.begin(), predicted.end()));
  std::vector<Counts> labels(std::size_t{largest} + 1);
  double right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    labels[truth[i]].truly += 1;
    labels[predicted[i]].predicted += 1;
    if (truth[i] != predicted[i]) continue;
    labels[truth[i]].both += 1;
    right += 1;
  }
  const auto total = static_cast<double>(truth.size());
  std::erase_if(labels, [](const Counts& c) { return c.truly == 0 && c.predicted == 0; });
  const auto kinds = static_cast<double>(labels.size());
  LabelScores scores;
  scores.accuracy = right / total;
  for (const Counts& counts : labels) {
    const double precision = ratio(counts.both, counts.predicted);
    const double recall = ratio(counts.both, counts.truly);
    const double f1 = ratio(2 * counts.both, counts.predicted + counts.truly);
    const double weight = counts.truly / total;
    scores.precision += precision / kinds;
    scores.recall += recall / kinds;
    scores.f1 += f1 / kinds;
    scores.precision_weighted += weight * precision;
    scores.recall_weighted += weight * recall;
    scores.f1_weighted += weight * f1;
  }
  return scores;
}

LabelSetScores score_label_sets(std::span<const std::vector<Label>> truth,
                                std::span<const std::vector<Label>> predicted) {
  check_sizes(truth.size(), predicted.size());
  std::map<Label, Counts> labels;
  std::vector<std::size_t> right;  // a text: labels that are true and predicted
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (const Label label : truth[i]) labels[label].truly += 1;
    for (const Label label : predicted[i]) labels[label].predicted += 1;
    std::vector<Label> both;
    std::set_intersection(truth[i].begin(), truth[i].end(), predicted[i].begin(),
                          predicted[i].end(), std::back_inserter(both));
    for (const Label label : both) labels[label].both += 1;
    right.push_back(both.size());
  }
  LabelSetScores scores;
  const auto kinds = static_cast<double>(labels.size());
  for (const auto& [label, counts] : labels) {
    scores.f1 += 2 * counts.both / (counts.truly + counts.predicted) / kinds;
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == predicted[i]) scores.accuracy += 1;
    const auto own = static_cast<double>(truth[i].size()), hits = static_cast<double>(right[i]);
    if (own == 0 || own == kinds) {
      scores.lrap += 1;
      continue;
    }
    const double found = ratio(hits, static_cast<double>(predicted[i].size()));
    scores.lrap += (hits * found + (own - hits) * own / kinds) / own;
  }
  scores.accuracy /= static_cast<double>(truth.size());
  scores.lrap /= static_cast<double>(truth.size());
  return scores;
}

double average_precision(std::span<const std::uint8_t> positive, std::span<const double> scores) {
  check_sizes(positive.size(), scores.size());
  double sum = 0, before = 0;
  for_each_step(positive, scores, [&](double taken, double right, double, double) {
    sum += (right - before) * right / taken;
    before = right;
  });
  return ratio(sum, before);
}

ThresholdScores score_thresholds(std::span<const std::uint8_t> positive,
                                 std::span<const double> scores) {
  check_sizes(positive.size(), scores.size());
  const auto total = static_cast<double>(scores.size());
  const auto positives = static_cast<double>(
      std::count_if(positive.begin(), positive.end(), [](std::uint8_t p) { return p != 0; }));
  ThresholdScores best;
  best.accuracy_threshold = best.f1_threshold = std::numeric_limits<double>::quiet_NaN();
  for_each_step(positive, scores, [&](double taken, double right, double score, double next) {
    if (std::isnan(next)) return;  // taking all needs no threshold
    const double wrong_left = positives - right;
    const double accuracy = (right + (total - taken - wrong_left)) / total;
    const double f1 = ratio(2 * right, taken + positives);
    const double threshold = (score + next) / 2;
    if (accuracy > best.accuracy) {
      best.accuracy = accuracy;
      best.accuracy_threshold = threshold;
    }
    if (f1 > best.f1) {
      best.f1 = f1;
      best.f1_threshold = threshold;
      best.precision = right / taken;
      best.recall = ratio(right, positives);
    }
  });
  best.ap = average_precision(positive, scores);
  return best;
}

VMeasure v_measure(std::span<const Label> truth, std::span<const Label> clusters) {
  check_sizes(truth.size(), clusters.size());
  std::map<Label, double> by_truth, by_cluster;
  std::map<std::pair<Label, Label>, double> together;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    by_truth[truth[i]] += 1;
    by_cluster[clusters[i]] += 1;
    together[{truth[i], clusters[i]}] += 1;
  }
  const auto total = static_cast<double>(truth.size());
  double shared = 0;  // mutual information
  for (const auto& [both, count] : together) {
    shared +=
        count / total * std::log(count * total / (by_truth[both.first] * by_cluster[both.second]));
  }
  const double of_truth = entropy(by_truth, total), of_clusters = entropy(by_cluster, total);
  VMeasure result;
  result.homogeneity = by_truth.size() > 1 ? shared / of_truth : 1;
  result.completeness = by_cluster.size() > 1 ? shared / of_clusters : 1;
  result.v_measure =
      ratio(2 * result.homogeneity * result.completeness, result.homogeneity + result.completeness);
  return result;
}

}  // namespace kith
