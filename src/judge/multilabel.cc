// MTEB's multi-label classification: ten times a few training texts a label; each test text gets
// the labels that most of its five nearest training texts have.
#include <algorithm>
#include <map>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "judge/protocols.h"
#include "kith/exact.h"

namespace kith::judge {
namespace {

constexpr std::size_t kNeighbours = 5;  // MTEB's, by Euclidean distance

using LabelSet = std::vector<Label>;

// Labels that more than half of the neighbours have, of those that are asked for.
LabelSet vote(const MultilabelTask& task, std::span<const std::uint32_t> neighbours,
              const std::vector<bool>& asked) {
  std::map<Label, std::size_t> votes;
  for (const std::uint32_t text : neighbours) {
    for (const Label label : task.train_labels[text]) ++votes[label];
  }
  LabelSet chosen;
  for (const auto& [label, count] : votes) {
    if (2 * count > neighbours.size() && asked[label]) chosen.push_back(label);
  }
  return chosen;
}

// `sample` are the texts that `train` holds the vectors of.
std::vector<LabelSet> predict(const MultilabelTask& task, std::span<const std::uint32_t> sample,
                              const Matrix<float>& train, const Matrix<float>& test,
                              const std::vector<bool>& asked, const Control& control) {
  ExactOptions options;
  options.k = std::min(kNeighbours, sample.size());
  options.control = without_progress(control);
  const Neighbours nearest = exact_search(train, test, options);
  std::vector<LabelSet> predicted;
  for (std::size_t i = 0; i < test.rows(); ++i) {
    std::vector<std::uint32_t> texts;
    for (std::size_t n = 0; n < options.k; ++n) texts.push_back(sample[nearest.ids(i, n)]);
    predicted.push_back(vote(task, texts, asked));
  }
  return predicted;
}

}  // namespace

// A text is taken when one of its labels still lacks texts; it counts for all of its labels.
Samples multilabel_samples(const MultilabelTask& task, const JudgeOptions& options) {
  Samples samples;
  for (std::size_t e = 0; e < options.experiments; ++e) {
    std::vector<std::size_t> taken(task.labels.size(), 0);
    std::vector<std::uint32_t>& sample = samples.emplace_back();
    for (const std::uint32_t text : random_permutation(task.train.texts.size(), options.seed + e)) {
      const LabelSet& labels = task.train_labels[text];
      if (std::ranges::none_of(
              labels, [&](Label label) { return taken[label] < task.samples_per_label; })) {
        continue;
      }
      sample.push_back(text);
      for (const Label label : labels) ++taken[label];
    }
  }
  return samples;
}

void score_multilabel(const MultilabelTask& task, const Samples& samples,
                      std::span<const std::uint32_t> rows, const Matrix<float>& train,
                      const Matrix<float>& test, const JudgeOptions& options, TaskResult& result) {
  // As in MTEB, labels that no test text has are not asked for.
  std::vector<bool> asked(task.labels.size(), false);
  for (const LabelSet& labels : task.test_labels) {
    for (const Label label : labels) asked[label] = true;
  }
  const auto count = static_cast<double>(samples.size());
  LabelSetScores mean;
  std::vector<double> values(task.test_labels.size(), 0);
  Progress progress(options.control, "experiments", samples.size());
  for (const std::vector<std::uint32_t>& sample : samples) {
    const std::vector<LabelSet> predicted = predict(
        task, sample, copy_rows(train, places_of(sample, rows)), test, asked, options.control);
    const LabelSetScores scores = score_label_sets(task.test_labels, predicted);
    mean.accuracy += scores.accuracy / count;
    mean.f1 += scores.f1 / count;
    mean.lrap += scores.lrap / count;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (predicted[i] == task.test_labels[i]) values[i] += 1 / count;
    }
    progress.add(1);
  }
  result.scores.emplace_back("accuracy", mean.accuracy);
  result.scores.emplace_back("f1", mean.f1);
  result.scores.emplace_back("lrap", mean.lrap);
  set_mean_score(result, "accuracy", std::move(values));
}

}  // namespace kith::judge
