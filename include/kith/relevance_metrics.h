// How well a score tells relevant hits from others when all queries' hits are taken together, as a
// filter with one threshold takes them. Pure functions. Part of libkith-encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace kith {

// What search returned for all queries, one query after the other.
struct FilteredHits {
  std::span<const double> scores;          // larger is more relevant
  std::span<const std::uint8_t> relevant;  // 0 or 1
  std::span<const std::size_t> begin;      // where each query's hits begin, and their number
};

struct RelevanceScores {
  double pr_auc = 0;     // area under the curve of precision over recall: average precision
  double threshold = 0;  // the largest score with the wanted recall, or the one that was given
  double precision = 0;  // of the hits from there on
  double recall = 0;     // of the relevant ones among all hits
  double filtered = 0;   // share of hits below
  double empty = 0;      // share of queries without a hit from there on
  // Mean distance between scores and the share of relevant ones in 15 bins of equal width, where
  // scores are probabilities (Naeini et al., 2015); NaN where one isn't in [0, 1].
  double calibration_error = 0;
};

// Without a threshold the one is taken that keeps `recall` of the relevant hits. Throws
// invalid_argument where no hit is relevant, parts differ in length or a score isn't finite.
// O(n log n).
RelevanceScores score_relevance(const FilteredHits& hits, double recall,
                                std::optional<double> threshold = {});

// sigmoid(gain * score + bias): the likeliest of its kind for those judgements (Platt,
// "Probabilistic outputs for support vector machines", 1999).
struct LogisticFit {
  double gain = 1, bias = 0;
  double operator()(double score) const;
};
// Throws as score_relevance does, and where all hits are relevant.
LogisticFit fit_logistic(const FilteredHits& hits);

}  // namespace kith
