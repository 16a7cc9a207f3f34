// MTEB's classification: ten times a few training texts a label, a logistic regression on them, all
// test texts predicted.
#include <algorithm>
#include <array>
#include <numeric>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "judge/logistic.h"
#include "judge/protocols.h"

namespace kith::judge {
namespace {

struct Experiment {
  LabelScores scores;
  double ap = 0;  // of two labels: of the predicted ones as scores, as MTEB has it
  std::vector<std::uint8_t> right;  // a test text
};

struct NamedScore {
  const char* name;
  double LabelScores::*value;
};
constexpr std::array kScores = {
    NamedScore{"accuracy", &LabelScores::accuracy},
    NamedScore{"f1", &LabelScores::f1},
    NamedScore{"f1_weighted", &LabelScores::f1_weighted},
    NamedScore{"precision", &LabelScores::precision},
    NamedScore{"precision_weighted", &LabelScores::precision_weighted},
    NamedScore{"recall", &LabelScores::recall},
    NamedScore{"recall_weighted", &LabelScores::recall_weighted},
};

void shuffle(std::vector<std::uint32_t>& order, Random random) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

Experiment judge_predictions(const ClassificationTask& task, const std::vector<Label>& predicted) {
  Experiment experiment;
  experiment.scores = score_labels(task.test_labels, predicted);
  std::vector<std::uint8_t> positive;
  std::vector<double> scores;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    experiment.right.push_back(predicted[i] == task.test_labels[i] ? 1 : 0);
    positive.push_back(task.test_labels[i] == 1 ? 1 : 0);
    scores.push_back(predicted[i]);
  }
  if (task.labels.size() == 2) experiment.ap = average_precision(positive, scores);
  return experiment;
}

}  // namespace

// The generator starts anew for each experiment but shuffles the order that the last one left.
Samples classification_samples(const ClassificationTask& task, const JudgeOptions& options) {
  Samples samples;
  std::vector<std::uint32_t> order(task.train.texts.size());
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t e = 0; e < options.experiments; ++e) {
    shuffle(order, Random(options.seed));
    std::vector<std::size_t> taken(task.labels.size(), 0);
    std::vector<std::uint32_t>& sample = samples.emplace_back();
    for (const std::uint32_t text : order) {
      if (taken[task.train_labels[text]]++ < task.samples_per_label) sample.push_back(text);
    }
  }
  return samples;
}

void score_classification(const ClassificationTask& task, const Samples& samples,
                          std::span<const std::uint32_t> rows, const Matrix<float>& train,
                          const Matrix<float>& test, const JudgeOptions& options,
                          TaskResult& result) {
  const Eigen::MatrixXd test_rows = rows_in_double(test);
  std::vector<Experiment> experiments(samples.size());
  Progress progress(options.control, "experiments", samples.size());
  parallel_for(options.control, samples.size(), 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t e = begin; e < end; ++e) {
                   const std::vector<std::uint32_t> places = places_of(samples[e], rows);
                   std::vector<Label> labels;
                   for (const std::uint32_t text : samples[e]) {
                     labels.push_back(task.train_labels[text]);
                   }
                   const LogisticRegression probe(rows_in_double(train, places), labels);
                   experiments[e] = judge_predictions(task, probe.predict(test_rows));
                   progress.add(1);
                 }
               });
  const auto count = static_cast<double>(experiments.size());
  for (const NamedScore& score : kScores) {
    double sum = 0;
    for (const Experiment& each : experiments) sum += each.scores.*score.value;
    result.scores.emplace_back(score.name, sum / count);
  }
  if (task.labels.size() == 2) {
    double sum = 0;
    for (const Experiment& each : experiments) sum += each.ap;
    result.scores.emplace_back("ap", sum / count);
  }
  // A test text's value is in how many experiments it was right: their mean is the mean accuracy.
  std::vector<double> values(task.test_labels.size(), 0);
  for (const Experiment& each : experiments) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += each.right[i] / count;
  }
  set_mean_score(result, "accuracy", std::move(values));
}

}  // namespace kith::judge
