// What is measured of each type of task: a file a protocol. All start from vectors (or, for
// rankings, from scores) and fill a result's scores, main score and units.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kith/judge.h"
#include "kith/matrix.h"
#include "kith/ranking_metrics.h"
#include "kith/suite.h"

namespace kith::judge {

// Hits of one query: places in the corpus (or of the documents) with scores.
struct PlacedHit {
  std::uint32_t document;
  double score;
};
using Rankings = std::vector<std::vector<PlacedHit>>;

// ---- Rankings: retrieval.cc, reranking.cc -------------------------------------------------------
Rankings rank_by_vectors(const RetrievalTask& task, const Matrix<float>& corpus,
                         const Matrix<float>& queries, const JudgeOptions& options);
Rankings rank_by_bm25(const RetrievalTask& task, const JudgeOptions& options);
// Query by query.
Rankings fuse_rankings(const Rankings& a, const Rankings& b, const FusionOptions& options);
void score_retrieval(const RetrievalTask& task, const Rankings& rankings, TaskResult& result);

// One score a candidate, in the task's order.
using CandidateScores = std::vector<std::vector<double>>;
CandidateScores score_candidates(const RerankingTask& task, const Matrix<float>& documents,
                                 const Matrix<float>& queries);
CandidateScores score_candidates_by_bm25(const RerankingTask& task, const JudgeOptions& options);
void score_reranking(const RerankingTask& task, const CandidateScores& scores, TaskResult& result);

// ---- Others -------------------------------------------------------------------------------------

// The training texts of each experiment.
using Samples = std::vector<std::vector<std::uint32_t>>;
Samples classification_samples(const ClassificationTask& task, const JudgeOptions& options);
// `train` holds the vectors of the texts `rows` (ascending), which are all that the samples name.
void score_classification(const ClassificationTask& task, const Samples& samples,
                          std::span<const std::uint32_t> rows, const Matrix<float>& train,
                          const Matrix<float>& test, const JudgeOptions& options,
                          TaskResult& result);

// The same of tasks whose texts have many labels.
Samples multilabel_samples(const MultilabelTask& task, const JudgeOptions& options);
void score_multilabel(const MultilabelTask& task, const Samples& samples,
                      std::span<const std::uint32_t> rows, const Matrix<float>& train,
                      const Matrix<float>& test, const JudgeOptions& options, TaskResult& result);

// Which texts a clustering embeds, ascending; all for the older form.
std::vector<std::uint32_t> clustering_sample(const ClusteringTask& task,
                                             const JudgeOptions& options);
// `vectors` are those texts'.
void score_clustering(const ClusteringTask& task, std::span<const std::uint32_t> rows,
                      const Matrix<float>& vectors, const JudgeOptions& options,
                      TaskResult& result);

void score_sts(const StsTask& task, const Matrix<float>& first, const Matrix<float>& second,
               TaskResult& result);
void score_pairs(const PairTask& task, const Matrix<float>& first, const Matrix<float>& second,
                 TaskResult& result);
void score_bitext(const BitextTask& task, const Matrix<float>& first, const Matrix<float>& second,
                  const JudgeOptions& options, TaskResult& result);

// ---- What they share ----------------------------------------------------------------------------
// All texts that samples name, ascending, each once; and where in that list a sample's texts stand.
std::vector<std::uint32_t> sampled_rows(const Samples& samples);
std::vector<std::uint32_t> places_of(std::span<const std::uint32_t> sample,
                                     std::span<const std::uint32_t> rows);
// Means over the queries of all ranking metrics at MTEB's cutoffs, by MTEB's names; returns nDCG@10
// query by query.
std::vector<double> add_ranking_scores(const std::vector<RankingScores>& queries,
                                       TaskResult& result);
// A main score that is the mean of one value a unit.
void set_mean_score(TaskResult& result, const std::string& metric, std::vector<double> values);
// One that isn't.
void set_score(TaskResult& result, const std::string& metric, double score, std::size_t units,
               Statistic statistic);

}  // namespace kith::judge
