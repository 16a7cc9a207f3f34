#include "kith/judge.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>

#include "judge/protocols.h"
#include "kith/error.h"

namespace kith {
namespace {

std::vector<std::uint32_t> all_of(const TextPart& part) {
  std::vector<std::uint32_t> all(part.texts.size());
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

// Vectors of a task's parts, checked to fit together.
class PartVectors {
 public:
  PartVectors(Embedder& embedder, const JudgeOptions& options)
      : embedder_(embedder), control_(options.control) {}

  Matrix<float> of(const TextPart& part) { return of(part, all_of(part)); }
  Matrix<float> of(const TextPart& part, std::span<const std::uint32_t> which) {
    Matrix<float> rows = embedder_.embed(part, which, control_);
    if (rows.rows() != which.size()) {
      throw Error(ErrorCode::invalid_argument,
                  embedder_.name() + ": " + std::to_string(rows.rows()) + " vectors for " +
                      std::to_string(which.size()) + " texts of " + part.name);
    }
    if (dim_ != 0 && rows.cols() != dim_) {
      throw Error(ErrorCode::invalid_argument,
                  embedder_.name() + ": " + std::to_string(rows.cols()) + " dimensions of " +
                      part.name + ", but " + std::to_string(dim_) + " of the part before it");
    }
    dim_ = rows.cols();
    return rows;
  }

 private:
  Embedder& embedder_;
  const Control& control_;
  std::size_t dim_ = 0;
};

// What a system's vectors are measured by, for each type of task.
class Measure {
 public:
  Measure(Embedder& embedder, const JudgeOptions& options, TaskResult& result)
      : vectors_(embedder, options), options_(options), result_(result) {}

  void operator()(const RetrievalTask& task) {
    const Matrix<float> corpus = vectors_.of(task.corpus), queries = vectors_.of(task.queries);
    judge::score_retrieval(task, judge::rank_by_vectors(task, corpus, queries, options_), result_);
  }
  void operator()(const RerankingTask& task) {
    const Matrix<float> documents = vectors_.of(task.documents),
                        queries = vectors_.of(task.queries);
    judge::score_reranking(task, judge::score_candidates(task, documents, queries), result_);
  }
  void operator()(const ClassificationTask& task) {
    const judge::Samples samples = judge::classification_samples(task, options_);
    const std::vector<std::uint32_t> rows = judge::sampled_rows(samples);
    const Matrix<float> train = vectors_.of(task.train, rows), test = vectors_.of(task.test);
    judge::score_classification(task, samples, rows, train, test, options_, result_);
  }
  void operator()(const MultilabelTask& task) {
    const judge::Samples samples = judge::multilabel_samples(task, options_);
    const std::vector<std::uint32_t> rows = judge::sampled_rows(samples);
    const Matrix<float> train = vectors_.of(task.train, rows), test = vectors_.of(task.test);
    judge::score_multilabel(task, samples, rows, train, test, options_, result_);
  }
  void operator()(const ClusteringTask& task) {
    const std::vector<std::uint32_t> rows = judge::clustering_sample(task, options_);
    judge::score_clustering(task, rows, vectors_.of(task.texts, rows), options_, result_);
  }
  void operator()(const StsTask& task) {
    const Matrix<float> first = vectors_.of(task.first), second = vectors_.of(task.second);
    judge::score_sts(task, first, second, result_);
  }
  void operator()(const PairTask& task) {
    const Matrix<float> first = vectors_.of(task.first), second = vectors_.of(task.second);
    judge::score_pairs(task, first, second, result_);
  }
  void operator()(const BitextTask& task) {
    const Matrix<float> first = vectors_.of(task.first), second = vectors_.of(task.second);
    judge::score_bitext(task, first, second, options_, result_);
  }

 private:
  PartVectors vectors_;
  const JudgeOptions& options_;
  TaskResult& result_;
};

ResampleOptions resampling(const JudgeOptions& options) {
  ResampleOptions result;
  result.resamples = options.resamples;
  result.level = options.level;
  result.seed = options.seed;
  result.control = options.control;
  return result;
}

TaskResult measured(const Task& task, const std::string& system, const JudgeOptions& options,
                    const std::function<void(TaskResult&)>& measure) {
  const auto start = std::chrono::steady_clock::now();
  TaskResult result;
  result.task = task.name;
  result.type = task_type(task);
  result.language = task.language;
  result.system = system;
  measure(result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.resamples > 0) {
    result.interval = bootstrap_interval(result.units, result.statistic, resampling(options));
  } else {
    result.interval = {std::nan(""), std::nan("")};
  }
  return result;
}

}  // namespace

Matrix<float> embed_all(Embedder& embedder, const TextPart& part, const Control& control) {
  return embedder.embed(part, all_of(part), control);
}

namespace judge {

std::vector<std::uint32_t> sampled_rows(const Samples& samples) {
  std::vector<std::uint32_t> rows;
  for (const auto& sample : samples) rows.insert(rows.end(), sample.begin(), sample.end());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

std::vector<std::uint32_t> places_of(std::span<const std::uint32_t> sample,
                                     std::span<const std::uint32_t> rows) {
  std::vector<std::uint32_t> places;
  for (const std::uint32_t text : sample) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), text);
    places.push_back(static_cast<std::uint32_t>(at - rows.begin()));
  }
  return places;
}

void set_score(TaskResult& result, const std::string& metric, double score, std::size_t units,
               Statistic statistic) {
  result.main_metric = metric;
  result.main_score = score;
  result.units = units;
  result.statistic = std::move(statistic);
}

void set_mean_score(TaskResult& result, const std::string& metric, std::vector<double> values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  set_score(result, metric, mean, values.size(), mean_of(values));
  result.values = std::move(values);
}

}  // namespace judge

TaskResult judge_task(const Task& task, Embedder& embedder, const JudgeOptions& options) {
  if (options.experiments == 0 || options.depth == 0) {
    throw Error(ErrorCode::invalid_argument, "0 experiments or documents, expected 1 or more");
  }
  return measured(task, embedder.name(), options, [&](TaskResult& result) {
    std::visit(Measure(embedder, options, result), task.content);
  });
}

bool has_bm25(const Task& task) {
  return std::holds_alternative<RetrievalTask>(task.content) ||
         std::holds_alternative<RerankingTask>(task.content);
}

TaskResult judge_bm25(const Task& task, const JudgeOptions& options) {
  if (!has_bm25(task)) {
    throw Error(ErrorCode::unsupported, task.name + ": BM25 ranks texts, which a task of type " +
                                            std::string(task_type(task)) + " doesn't ask for");
  }
  return measured(task, "BM25", options, [&](TaskResult& result) {
    if (const auto* retrieval = std::get_if<RetrievalTask>(&task.content)) {
      judge::score_retrieval(*retrieval, judge::rank_by_bm25(*retrieval, options), result);
    } else {
      const auto& reranking = std::get<RerankingTask>(task.content);
      judge::score_reranking(reranking, judge::score_candidates_by_bm25(reranking, options),
                             result);
    }
  });
}

std::vector<TaskResult> judge_hybrid(const Task& task, Embedder& embedder,
                                     const JudgeOptions& options, const FusionOptions& fusion) {
  fuse(std::vector<std::span<const Ranked>>(2), fusion);  // refused before texts are embedded
  const auto* retrieval = std::get_if<RetrievalTask>(&task.content);
  std::vector<TaskResult> results;
  if (retrieval == nullptr) {
    results.push_back(judge_task(task, embedder, options));
    return results;
  }
  judge::Rankings own;
  results.push_back(measured(task, embedder.name(), options, [&](TaskResult& result) {
    PartVectors vectors(embedder, options);
    const Matrix<float> corpus = vectors.of(retrieval->corpus),
                        queries = vectors.of(retrieval->queries);
    own = judge::rank_by_vectors(*retrieval, corpus, queries, options);
    judge::score_retrieval(*retrieval, own, result);
  }));
  results.push_back(measured(task, embedder.name() + "+BM25", options, [&](TaskResult& result) {
    const judge::Rankings words = judge::rank_by_bm25(*retrieval, options);
    judge::score_retrieval(*retrieval, judge::fuse_rankings(own, words, fusion), result);
  }));
  return results;
}

PairedDifference compare(const TaskResult& a, const TaskResult& b, const JudgeOptions& options) {
  if (a.task != b.task || a.units != b.units || a.main_metric != b.main_metric) {
    throw Error(ErrorCode::invalid_argument,
                "results of " + a.task + " and " + b.task + ", expected two of one task");
  }
  if (!a.values.empty()) return compare_means(a.values, b.values, resampling(options));
  return compare(a.units, a.statistic, b.statistic, resampling(options));
}

}  // namespace kith
