// How good a ranking is against graded judgements, by trec_eval's definitions (Buckley), which
// pytrec_eval and with it MTEB and BEIR use. A grade above 0 is relevant. Pure functions: any
// thread may call them. Part of libkith-encode.
//
//   std::vector<kith::ScoredDocument> hits = ...;   // of one query
//   kith::sort_as_trec_eval(hits);
//   const std::vector<int> grades = ...;            // of the hits, in order; 0 where none judged
//   const kith::RankingScores scores = kith::score_ranking(grades, all_grades_of_the_query, {10});
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace kith {

struct ScoredDocument {
  std::string_view id;
  double score;  // larger is better
};

// By descending score, ties by descending id (as bytes): trec_eval's order.
void sort_as_trec_eval(std::span<ScoredDocument> documents);

// One value a cutoff k, in the cutoffs' order, each in [0, 1].
struct RankingScores {
  // Sum of grade / log2(rank + 1) over the first k, as a share of the best order's (Jarvelin and
  // Kekalainen, 2002; the grade itself is the gain).
  std::vector<double> ndcg;
  std::vector<double> map;     // precision at each relevant hit among the first k / relevant ones
  std::vector<double> mrr;     // 1 / rank of the first relevant hit, 0 beyond k
  std::vector<double> recall;  // relevant ones among the first k / relevant ones
  std::vector<double> precision;  // relevant ones among the first k / k
  std::vector<double> hit_rate;   // 1 when one is among the first k
};

// MTEB's cutoffs.
std::span<const std::size_t> mteb_cutoffs();

// `ranked` holds the grades of the hits from best to worst, `judged` all grades that the query has.
// A query without relevant documents scores 0. Throws invalid_argument for a cutoff of 0. O(hits +
// judged log judged).
RankingScores score_ranking(std::span<const int> ranked, std::span<const int> judged,
                            std::span<const std::size_t> cutoffs);

}  // namespace kith
