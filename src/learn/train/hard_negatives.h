// Negatives of a source's examples that are mined before its training, and again as the model gets
// better.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kith/control.h"
#include "kith/trained_codebooks.h"
#include "learn/train/batches.h"
#include "mine/negatives.h"

namespace kith::learn {

struct MineOptions {
  // What ranks candidates: "bm25", "model" (the one that is trained), a model's folder, "codes"
  // (the trained model's queries against its documents' codes) or "codes:FOLDER" (the same of a
  // folder that has codewords). Empty: nothing is mined.
  std::vector<std::string> by = {};
  // What judges them: the same but BM25. Empty: the first of `by` that isn't BM25, if any.
  std::string teacher = {};
  // Files of texts that are candidates as the source's positives are.
  std::vector<std::string> corpus = {};
  std::int64_t every = 0;  // steps after which all is mined anew; 0: only before the first
  bool scores = false;     // whether the teacher's cosines become the examples' scores
  mine::NegativeOptions negatives = {.fill = true};

  // Whether `name` ranks or judges.
  bool is_by(const std::string& name) const {
    return teacher == name || std::ranges::count(by, name) > 0;
  }
};

class HardNegatives {
 public:
  // Throws what TextStream does. `seed` decides what is drawn.
  HardNegatives(const MineOptions& options, std::uint64_t seed,
                const std::vector<Example>& examples);

  bool is_due(std::int64_t step) const;
  // Replaces the examples' negatives, and their scores. `codes`: of the trained model, if it has
  // such. Throws as mine_negatives() and NamedRankings do.
  void mine(std::int64_t step, const TextModel& model, const SourceOptions& source,
            const TextLimits& limits, std::vector<Example>& examples, const Control& control,
            const TrainedCodebooks* codes = nullptr);

  // What was mined, and the way back. Throws invalid_argument where it was of other texts.
  nlohmann::json state() const;
  void restore(const nlohmann::json& state, std::vector<Example>& examples);

 private:
  void assign(std::vector<Example>& examples) const;

  MineOptions options_;
  mine::PairTexts texts_;
  mine::Negatives mined_;
  std::int64_t mined_at_ = -1;
};

}  // namespace kith::learn
