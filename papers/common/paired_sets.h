// Two systems on the same data sets: which is better, and whether by more than chance.
#pragma once

#include <string>
#include <vector>

#include "papers/common/results.h"
#include "papers/common/verdict.h"

namespace kith::papers {

struct PairedSets {
  std::string what;           // "5 - 1, retrieval"
  double difference = 0;      // mean over the sets of means over seeds
  bool in_every_seed = true;  // has the mean over the sets this sign
  double p_value = 1;         // Wilcoxon's signed ranks over the sets; NaN: not testable
  double corrected = 1;       // by Holm, for all comparisons that were made together
};

// Row a minus row b over all columns of a table, a data set each.
PairedSets compare_sets(const Results& results, const std::string& table, const std::string& a,
                        const std::string& b);

// Corrects the p values of comparisons that are made together.
void correct(std::vector<PairedSets>& comparisons);

// Shown when all are positive in every seed with a p value below 0.05, refuted when one is negative
// so, else undecided; undecided, too, with fewer than two seeds. Corrected p values stand beside.
Judgement all_better(const std::vector<PairedSets>& comparisons);

// "5 - 1, retrieval 0.0123 (p 0.016, Holm 0.063)"
std::string text(const PairedSets& comparison);

}  // namespace kith::papers
