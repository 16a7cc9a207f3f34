#include "papers/common/hard_negatives.h"

#include <string>
#include <unordered_map>

#include "base/random.h"
#include "judge/bm25.h"

namespace kith::papers {
namespace {

// The distinct positives, and which is each pair's.
struct Answers {
  explicit Answers(const std::vector<TrainingPair>& pairs) {
    std::unordered_map<std::string_view, std::uint32_t> places;
    for (const TrainingPair& pair : pairs) {
      const auto next = static_cast<std::uint32_t>(places.size());
      const bool fresh = places.emplace(pair.positive, next).second;
      if (!fresh) continue;
      part.texts.push_back(pair.positive);
      groups.push_back(pair.group);
    }
  }

  TextPart part;
  std::vector<std::string> groups;  // of each text
};

}  // namespace

void add_hard_negatives(std::vector<TrainingPair>& pairs, const HardNegativeOptions& options,
                        const Trial& trial) {
  const Answers answers(pairs);
  TextPart queries;
  for (const TrainingPair& pair : pairs) queries.texts.push_back(pair.query);
  const Neighbours found = judge::bm25_search(answers.part, queries, options.last, trial.control);
  for (std::size_t q = 0; q < pairs.size(); ++q) {
    TrainingPair& pair = pairs[q];
    std::vector<std::uint32_t> candidates;
    for (std::size_t rank = options.first - 1; rank < found.k(); ++rank) {
      const std::uint32_t document = found.ids(q, rank);
      if (document == kNoId) break;
      const bool own = answers.part.texts[document] == pair.positive ||
                       (!pair.group.empty() && answers.groups[document] == pair.group);
      if (!own) candidates.push_back(document);
    }
    pair.negatives.clear();
    Random random(trial.seed, q);
    while (!candidates.empty() && pair.negatives.size() < options.each) {
      const std::size_t chosen = random.below(candidates.size());
      pair.negatives.push_back(answers.part.texts[candidates[chosen]]);
      candidates[chosen] = candidates.back();
      candidates.pop_back();
    }
  }
}

}  // namespace kith::papers
