#include <algorithm>
#include <array>
#include <unordered_map>

#include "judge/bm25.h"
#include "judge/nearest.h"
#include "judge/protocols.h"
#include "kith/fusion.h"
#include "kith/ranking_metrics.h"

namespace kith::judge {
namespace {

Rankings to_rankings(const Neighbours& found, Metric metric) {
  Rankings rankings(found.queries());
  for (std::size_t q = 0; q < found.queries(); ++q) {
    for (std::size_t i = 0; i < found.k() && found.ids(q, i) != kNoId; ++i) {
      rankings[q].push_back({found.ids(q, i), customary(metric, found.distances(q, i))});
    }
  }
  return rankings;
}

// One more than is wanted: a document that is the query itself will go.
std::size_t fetched(const RetrievalTask& task, const JudgeOptions& options) {
  return std::min(options.depth + 1, task.corpus.texts.size());
}

// In trec_eval's order, without the document that bears the query's own id, as BEIR leaves it out.
std::vector<std::uint32_t> order_of(const RetrievalTask& task, std::size_t query,
                                    const std::vector<PlacedHit>& hits) {
  std::vector<ScoredDocument> scored;
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (const PlacedHit& hit : hits) {
    const std::string_view id = task.corpus.ids[hit.document];
    if (id == task.queries.ids[query]) continue;
    scored.push_back({id, hit.score});
    places.emplace(id, hit.document);
  }
  sort_as_trec_eval(scored);
  std::vector<std::uint32_t> order;
  for (const ScoredDocument& document : scored) order.push_back(places.at(document.id));
  return order;
}

RankingScores score_query(const RetrievalTask& task, std::size_t query,
                          const std::vector<PlacedHit>& hits) {
  std::unordered_map<std::uint32_t, int> grades;
  std::vector<int> judged;
  for (const JudgedDocument& each : task.judgements[query]) {
    grades.emplace(each.document, each.grade);
    judged.push_back(each.grade);
  }
  std::vector<int> ranked;
  for (const std::uint32_t document : order_of(task, query, hits)) {
    const auto grade = grades.find(document);
    ranked.push_back(grade == grades.end() ? 0 : grade->second);
  }
  return score_ranking(ranked, judged, mteb_cutoffs());
}

struct NamedMetric {
  const char* name;
  std::vector<double> RankingScores::*values;
};
constexpr std::array kMetrics = {
    NamedMetric{"ndcg", &RankingScores::ndcg},
    NamedMetric{"map", &RankingScores::map},
    NamedMetric{"recall", &RankingScores::recall},
    NamedMetric{"precision", &RankingScores::precision},
    NamedMetric{"mrr", &RankingScores::mrr},
    NamedMetric{"hit_rate", &RankingScores::hit_rate},
};

}  // namespace

Rankings rank_by_vectors(const RetrievalTask& task, const Matrix<float>& corpus,
                         const Matrix<float>& queries, const JudgeOptions& options) {
  return to_rankings(nearest_by_cosine(corpus, queries, fetched(task, options), options.control),
                     Metric::cosine);
}

Rankings rank_by_bm25(const RetrievalTask& task, const JudgeOptions& options) {
  return to_rankings(
      bm25_search(task.corpus, task.queries, fetched(task, options), options.control), Metric::ip);
}

Rankings fuse_rankings(const Rankings& a, const Rankings& b, const FusionOptions& options) {
  const auto ranked = [](const std::vector<PlacedHit>& hits) {
    std::vector<Ranked> list;
    for (const PlacedHit& hit : hits) list.push_back({hit.document, hit.score});
    return list;
  };
  Rankings fused(a.size());
  for (std::size_t q = 0; q < a.size(); ++q) {
    const std::vector<Ranked> first = ranked(a[q]), second = ranked(b[q]);
    const std::span<const Ranked> lists[] = {first, second};
    for (const Ranked& each : fuse(lists, options)) fused[q].push_back({each.id, each.score});
  }
  return fused;
}

std::vector<double> add_ranking_scores(const std::vector<RankingScores>& queries,
                                       TaskResult& result) {
  constexpr std::size_t kMain = 10;  // nDCG's cutoff
  const std::span<const std::size_t> cutoffs = mteb_cutoffs();
  std::vector<double> main;
  for (const NamedMetric& metric : kMetrics) {
    for (std::size_t c = 0; c < cutoffs.size(); ++c) {
      std::vector<double> values;
      double sum = 0;
      for (const RankingScores& query : queries) {
        values.push_back((query.*metric.values)[c]);
        sum += values.back();
      }
      result.scores.emplace_back(metric.name + ("_at_" + std::to_string(cutoffs[c])),
                                 sum / static_cast<double>(queries.size()));
      if (metric.values == &RankingScores::ndcg && cutoffs[c] == kMain) main = std::move(values);
    }
  }
  return main;
}

void score_retrieval(const RetrievalTask& task, const Rankings& rankings, TaskResult& result) {
  std::vector<RankingScores> queries;
  for (std::size_t q = 0; q < rankings.size(); ++q) {
    queries.push_back(score_query(task, q, rankings[q]));
  }
  set_mean_score(result, "ndcg_at_10", add_ranking_scores(queries, result));
}

}  // namespace kith::judge
