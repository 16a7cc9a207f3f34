#include "judge/nearest.h"
#include "judge/protocols.h"
#include "kith/label_metrics.h"

namespace kith::judge {

void score_bitext(const BitextTask& task, const Matrix<float>& first, const Matrix<float>& second,
                  const JudgeOptions& options, TaskResult& result) {
  const Neighbours found = nearest_by_cosine(second, first, 1, options.control);
  std::vector<Label> predicted;
  for (std::size_t i = 0; i < found.queries(); ++i) {
    const Id id = found.ids(i, 0);
    predicted.push_back(id == kNoId ? 0
                                    : id);  // where all are alike, MTEB's argmax takes the first
  }
  const LabelScores scores = score_labels(task.gold, predicted);
  result.scores.emplace_back("precision", scores.precision_weighted);
  result.scores.emplace_back("recall", scores.recall_weighted);
  result.scores.emplace_back("f1", scores.f1_weighted);
  result.scores.emplace_back("accuracy", scores.accuracy);
  set_score(result, "f1", scores.f1_weighted, predicted.size(),
            [gold = task.gold, predicted](std::span<const std::uint32_t> units) {
              std::vector<Label> truth, guess;
              for (const std::uint32_t unit : units) {
                truth.push_back(gold[unit]);
                guess.push_back(predicted[unit]);
              }
              return score_labels(truth, guess).f1_weighted;
            });
}

}  // namespace kith::judge
