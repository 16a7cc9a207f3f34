// Texts that look like answers and are none: what BM25 finds for a query below the first ranks,
// where answers that nobody marked stand.
#pragma once

#include <cstddef>
#include <vector>

#include "papers/common/training_data.h"

namespace kith::papers {

struct HardNegativeOptions {
  std::size_t first = 10, last = 60;  // ranks, from 1, among all pairs' positives
  std::size_t each = 7;
};

// Gives every pair `each` negatives, drawn by the trial's seed from those ranks of other groups;
// fewer where BM25 finds fewer.
void add_hard_negatives(std::vector<TrainingPair>& pairs, const HardNegativeOptions& options,
                        const Trial& trial);

}  // namespace kith::papers
