#include "kith/ranking_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "kith/error.h"

namespace kith {
namespace {

double discounted(int grade, std::size_t rank) {
  return grade > 0 ? grade / std::log2(static_cast<double>(rank) + 1) : 0;
}

// Sums over the first 1, 2, 3 ... hits.
struct Sums {
  std::vector<double> gain{0}, precision{0};
  std::vector<std::size_t> relevant{0};
  std::size_t first = 0;  // rank of the first relevant one; 0: none
};

Sums sums_of(std::span<const int> ranked) {
  Sums sums;
  for (std::size_t rank = 1; rank <= ranked.size(); ++rank) {
    const int grade = ranked[rank - 1];
    const std::size_t relevant = sums.relevant.back() + (grade > 0 ? 1 : 0);
    const double precision = static_cast<double>(relevant) / static_cast<double>(rank);
    sums.gain.push_back(sums.gain.back() + discounted(grade, rank));
    sums.precision.push_back(sums.precision.back() + (grade > 0 ? precision : 0));
    sums.relevant.push_back(relevant);
    if (grade > 0 && sums.first == 0) sums.first = rank;
  }
  return sums;
}

// The gain of the best possible first k.
double ideal_gain(std::span<const int> descending, std::size_t k) {
  double gain = 0;
  for (std::size_t i = 0; i < std::min(k, descending.size()); ++i) {
    gain += discounted(descending[i], i + 1);
  }
  return gain;
}

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

void sort_as_trec_eval(std::span<ScoredDocument> documents) {
  std::sort(documents.begin(), documents.end(),
            [](const ScoredDocument& a, const ScoredDocument& b) {
              return a.score > b.score || (a.score == b.score && a.id > b.id);
            });
}

std::span<const std::size_t> mteb_cutoffs() {
  static constexpr std::array<std::size_t, 7> kCutoffs = {1, 3, 5, 10, 20, 100, 1000};
  return kCutoffs;
}

RankingScores score_ranking(std::span<const int> ranked, std::span<const int> judged,
                            std::span<const std::size_t> cutoffs) {
  std::vector<int> best(judged.begin(), judged.end());
  std::sort(best.begin(), best.end(), std::greater<>());
  const auto relevant = static_cast<double>(
      std::count_if(best.begin(), best.end(), [](int grade) { return grade > 0; }));
  const Sums sums = sums_of(ranked);
  RankingScores scores;
  for (const std::size_t k : cutoffs) {
    if (k == 0) throw Error(ErrorCode::invalid_argument, "cutoff 0: expected 1 or more");
    const std::size_t seen = std::min(k, ranked.size());
    const auto found = static_cast<double>(sums.relevant[seen]);
    const bool hit = sums.first != 0 && sums.first <= k;
    scores.ndcg.push_back(ratio(sums.gain[seen], ideal_gain(best, k)));
    scores.map.push_back(ratio(sums.precision[seen], relevant));
    scores.mrr.push_back(hit ? 1 / static_cast<double>(sums.first) : 0);
    scores.recall.push_back(ratio(found, relevant));
    scores.precision.push_back(found / static_cast<double>(k));
    scores.hit_rate.push_back(hit ? 1 : 0);
  }
  return scores;
}

}  // namespace kith
