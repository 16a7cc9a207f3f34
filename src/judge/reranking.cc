#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "judge/bm25.h"
#include "judge/protocols.h"
#include "kith/label_metrics.h"

namespace kith::judge {
namespace {

constexpr std::array<std::size_t, 1> kMrrCutoff = {10};

double norm_of(const Matrix<float>& rows, std::size_t row) {
  double squares = 0;
  for (std::size_t j = 0; j < rows.cols(); ++j) squares += double{rows(row, j)} * rows(row, j);
  return std::sqrt(squares);
}

double cosine(const Matrix<float>& a, std::size_t i, const Matrix<float>& b, std::size_t j) {
  double dot = 0;
  for (std::size_t d = 0; d < a.cols(); ++d) dot += double{a(i, d)} * b(j, d);
  const double norms = norm_of(a, i) * norm_of(b, j);
  return norms == 0 ? 0 : dot / norms;
}

// The candidates' grades by descending score. Of equal scores the task's last comes first: positive
// candidates, which stand first in a task, gain nothing from ties.
std::vector<int> ranked_grades(const std::vector<JudgedDocument>& candidates,
                               const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a > b);
  });
  std::vector<int> grades;
  for (const std::size_t place : order) grades.push_back(candidates[place].grade);
  return grades;
}

}  // namespace

CandidateScores score_candidates(const RerankingTask& task, const Matrix<float>& documents,
                                 const Matrix<float>& queries) {
  CandidateScores scores(task.candidates.size());
  for (std::size_t q = 0; q < scores.size(); ++q) {
    for (const JudgedDocument& each : task.candidates[q]) {
      scores[q].push_back(cosine(queries, q, documents, each.document));
    }
  }
  return scores;
}

CandidateScores score_candidates_by_bm25(const RerankingTask& task, const JudgeOptions& options) {
  const TextIndex index = bm25_index(task.documents, options.control);
  SparseSearchOptions search;
  search.exhaustive = true;  // all that hold a word are wanted
  search.control = options.control;
  const std::vector<std::string_view> queries = views(task.queries);
  CandidateScores scores(queries.size());
  std::vector<double> by_document(task.documents.texts.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    std::fill(by_document.begin(), by_document.end(), 0.0);
    const Neighbours found =
        index.search(std::span(queries).subspan(q, 1), by_document.size(), search);
    for (std::size_t i = 0; i < found.k() && found.ids(0, i) != kNoId; ++i) {
      by_document[found.ids(0, i)] = -double{found.distances(0, i)};
    }
    for (const JudgedDocument& each : task.candidates[q]) {
      scores[q].push_back(by_document[each.document]);
    }
  }
  return scores;
}

void score_reranking(const RerankingTask& task, const CandidateScores& scores, TaskResult& result) {
  std::vector<double> map;
  std::vector<RankingScores> queries;
  double mrr = 0;
  for (std::size_t q = 0; q < scores.size(); ++q) {
    std::vector<std::uint8_t> relevant;
    std::vector<int> judged;
    for (const JudgedDocument& each : task.candidates[q]) {
      relevant.push_back(each.grade > 0 ? 1 : 0);
      judged.push_back(each.grade);
    }
    map.push_back(average_precision(relevant, scores[q]));
    const std::vector<int> ranked = ranked_grades(task.candidates[q], scores[q]);
    queries.push_back(score_ranking(ranked, judged, mteb_cutoffs()));
    mrr += score_ranking(ranked, judged, kMrrCutoff).mrr.front();
  }
  set_mean_score(result, "map", std::move(map));
  result.scores.emplace_back("map", result.main_score);
  result.scores.emplace_back("mrr", mrr / static_cast<double>(scores.size()));
  add_ranking_scores(queries, result);
}

}  // namespace kith::judge
