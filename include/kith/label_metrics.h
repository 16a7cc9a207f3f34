// How well predicted labels, scores or clusters fit known labels, as scikit-learn computes it.
// Labels are small numbers, 0, 1, 2 ... Pure functions: any thread may call them. All throw
// invalid_argument when the two sides differ in size or there is nothing. Part of libkith-encode.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kith {

using Label = std::uint32_t;

// Means over the labels that occur on either side, plain or weighted by how often each is true. A
// label that is never predicted has precision 0, one that is never true recall 0.
struct LabelScores {
  double accuracy = 0;
  double precision = 0, recall = 0, f1 = 0;
  double precision_weighted = 0, recall_weighted = 0, f1_weighted = 0;
};
LabelScores score_labels(std::span<const Label> truth, std::span<const Label> predicted);

// Sets of labels, one a text, each ascending: the share of sets that are right as a whole; the mean
// F1 of the labels that occur on either side; and label-ranking average precision (Tsoumakas,
// Katakis and Vlahavas, "Mining multi-label data", 2010) with predicted labels ranked before all
// others: of each true label, which share of those ranked as high is true, labels of a rank
// standing at its end; 1 for a text with no label or all of them.
struct LabelSetScores {
  double accuracy = 0, f1 = 0, lrap = 0;
};
LabelSetScores score_label_sets(std::span<const std::vector<Label>> truth,
                                std::span<const std::vector<Label>> predicted);

// Area under precision over recall as a sum of steps, equal scores being one step: what a constant
// score earns is the share of positives. `positive` holds 0 and 1; 0 when none is positive. O(n log
// n).
double average_precision(std::span<const std::uint8_t> positive, std::span<const double> scores);

// What the best threshold on a similarity gives. A threshold lies midway between two neighbouring
// distinct scores; pairs above it are taken for positive. (MTEB also cuts between equal scores,
// where no threshold can; on distinct ones the two agree.) Without two distinct scores all values
// but ap are 0 and thresholds are NaN.
struct ThresholdScores {
  double accuracy = 0, accuracy_threshold = 0;
  double f1 = 0, f1_threshold = 0, precision = 0, recall = 0;  // at the threshold of the best F1
  double ap = 0;                                               // average_precision
};
ThresholdScores score_thresholds(std::span<const std::uint8_t> positive,
                                 std::span<const double> scores);

// Rosenberg and Hirschberg, "V-measure: a conditional entropy-based external cluster evaluation
// measure", 2007: 1 - H(truth | clusters) / H(truth), the same the other way round, and their
// harmonic mean. An entropy of 0 gives 1.
struct VMeasure {
  double homogeneity = 0, completeness = 0, v_measure = 0;
};
VMeasure v_measure(std::span<const Label> truth, std::span<const Label> clusters);

}  // namespace kith
