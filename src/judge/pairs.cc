// Tasks on pairs of texts: semantic similarity and pair classification.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "judge/protocols.h"
#include "judge/similarity.h"
#include "kith/correlation.h"
#include "kith/label_metrics.h"

namespace kith::judge {
namespace {

template <class T>
std::vector<T> pick(const std::vector<T>& values, std::span<const std::uint32_t> units) {
  std::vector<T> picked;
  picked.reserve(units.size());
  for (const std::uint32_t unit : units) picked.push_back(values[unit]);
  return picked;
}

struct Named {
  const char* name;
  const std::vector<double>& values;
  bool distance;  // negated: thresholds are shown as distances
};

}  // namespace

void score_sts(const StsTask& task, const Matrix<float>& first, const Matrix<float>& second,
               TaskResult& result) {
  const PairSimilarities pairs = pair_similarities(first, second);
  const Named all[] = {{"cosine", pairs.cosine, false},
                       {"manhattan", pairs.manhattan, true},
                       {"euclidean", pairs.euclidean, true}};
  // MTEB's plain names are of the model's own similarity, which is cosine here.
  result.scores.emplace_back("pearson", pearson(pairs.cosine, task.scores));
  result.scores.emplace_back("spearman", spearman(pairs.cosine, task.scores));
  for (const Named& each : all) {
    const std::string name = each.name;
    result.scores.emplace_back(name + "_pearson", pearson(each.values, task.scores));
    result.scores.emplace_back(name + "_spearman", spearman(each.values, task.scores));
  }
  set_score(result, "cosine_spearman", spearman(pairs.cosine, task.scores), task.scores.size(),
            [cosine = pairs.cosine, scores = task.scores](std::span<const std::uint32_t> units) {
              return spearman(pick(cosine, units), pick(scores, units));
            });
}

void score_pairs(const PairTask& task, const Matrix<float>& first, const Matrix<float>& second,
                 TaskResult& result) {
  const PairSimilarities pairs = pair_similarities(first, second);
  const Named all[] = {{"similarity", pairs.cosine, false},
                       {"cosine", pairs.cosine, false},
                       {"dot", pairs.dot, false},
                       {"euclidean", pairs.euclidean, true},
                       {"manhattan", pairs.manhattan, true}};
  double max_accuracy = 0, max_f1 = 0, max_precision = 0, max_recall = 0, max_ap = 0;
  const std::vector<double>* best = &pairs.cosine;
  for (const Named& each : all) {
    const ThresholdScores scores = score_thresholds(task.positive, each.values);
    const double sign = each.distance ? -1 : 1;
    const std::string name = each.name;
    result.scores.emplace_back(name + "_accuracy", scores.accuracy);
    result.scores.emplace_back(name + "_accuracy_threshold", sign * scores.accuracy_threshold);
    result.scores.emplace_back(name + "_f1", scores.f1);
    result.scores.emplace_back(name + "_f1_threshold", sign * scores.f1_threshold);
    result.scores.emplace_back(name + "_precision", scores.precision);
    result.scores.emplace_back(name + "_recall", scores.recall);
    result.scores.emplace_back(name + "_ap", scores.ap);
    if (scores.ap > max_ap) best = &each.values;
    max_accuracy = std::max(max_accuracy, scores.accuracy);
    max_f1 = std::max(max_f1, scores.f1);
    max_precision = std::max(max_precision, scores.precision);
    max_recall = std::max(max_recall, scores.recall);
    max_ap = std::max(max_ap, scores.ap);
  }
  result.scores.emplace_back("max_accuracy", max_accuracy);
  result.scores.emplace_back("max_f1", max_f1);
  result.scores.emplace_back("max_precision", max_precision);
  result.scores.emplace_back("max_recall", max_recall);
  result.scores.emplace_back("max_ap", max_ap);
  set_score(result, "max_ap", max_ap, task.positive.size(),
            [values = *best, positive = task.positive](std::span<const std::uint32_t> units) {
              return average_precision(pick(positive, units), pick(values, units));
            });
}

}  // namespace kith::judge
