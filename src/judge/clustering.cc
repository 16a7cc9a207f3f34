// MMTEB's clustering: a sample of the texts is embedded; ten times a set is drawn from it with
// repeats and clustered. And MTEB's older form, where each given set is clustered once.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "judge/mini_batch_kmeans.h"
#include "judge/protocols.h"
#include "kith/error.h"

namespace kith::judge {
namespace {

constexpr double kShare = 0.04;  // of the texts that are embedded, unless said otherwise
constexpr std::size_t kDocumentsPerSet = 16384;
constexpr std::size_t kBatch = 512, kOldBatch = 500;

FloatRows select(const Matrix<float>& vectors, const std::vector<std::uint32_t>& which) {
  FloatRows rows(static_cast<Eigen::Index>(which.size()),
                 static_cast<Eigen::Index>(vectors.cols()));
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::copy_n(vectors.row(which[i]), vectors.cols(),
                rows.row(static_cast<Eigen::Index>(i)).data());
  }
  return rows;
}

// Places among the embedded texts that one clustering takes.
std::vector<std::vector<std::uint32_t>> sets_of(const ClusteringTask& task, std::size_t embedded,
                                                const JudgeOptions& options) {
  std::vector<std::vector<std::uint32_t>> sets;
  for (const auto& [begin, end] : task.sets) {
    std::vector<std::uint32_t>& set = sets.emplace_back(end - begin);
    std::iota(set.begin(), set.end(), static_cast<std::uint32_t>(begin));
  }
  if (!sets.empty()) return sets;
  for (std::size_t e = 0; e < options.experiments; ++e) {
    Random random(options.seed, e);
    std::vector<std::uint32_t>& set = sets.emplace_back(kDocumentsPerSet);
    for (std::uint32_t& place : set) place = static_cast<std::uint32_t>(random.below(embedded));
  }
  return sets;
}

}  // namespace

std::vector<std::uint32_t> clustering_sample(const ClusteringTask& task,
                                             const JudgeOptions& options) {
  const std::size_t all = task.texts.texts.size();
  std::size_t wanted = task.max_documents;
  if (wanted == 0) wanted = static_cast<std::size_t>(static_cast<double>(all) * kShare);
  if (!task.sets.empty()) wanted = all;
  return random_sample(all, std::max<std::size_t>(wanted, 1), options.seed);
}

void score_clustering(const ClusteringTask& task, std::span<const std::uint32_t> rows,
                      const Matrix<float>& vectors, const JudgeOptions& options,
                      TaskResult& result) {
  std::set<Label> kinds;
  for (const std::uint32_t row : rows) kinds.insert(task.truth[row]);
  const std::vector<std::vector<std::uint32_t>> sets = sets_of(task, rows.size(), options);
  std::vector<VMeasure> measures(sets.size());
  Progress progress(options.control, "clusterings", sets.size());
  parallel_for(options.control, sets.size(), 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t s = begin; s < end; ++s) {
                   std::vector<Label> truth;
                   for (const std::uint32_t place : sets[s])
                     truth.push_back(task.truth[rows[place]]);
                   MiniBatchOptions how;
                   const bool old = !task.sets.empty();
                   how.clusters = old ? std::set(truth.begin(), truth.end()).size() : kinds.size();
                   how.batch = old ? kOldBatch : kBatch;
                   how.seed = options.seed + s;
                   how.control.cancel = options.control.cancel;
                   measures[s] = v_measure(truth, mini_batch_kmeans(select(vectors, sets[s]), how));
                   progress.add(1);
                 }
               });
  std::vector<double> values;
  double homogeneity = 0, completeness = 0, squares = 0;
  for (const VMeasure& each : measures) {
    values.push_back(each.v_measure);
    homogeneity += each.homogeneity / static_cast<double>(measures.size());
    completeness += each.completeness / static_cast<double>(measures.size());
  }
  set_mean_score(result, "v_measure", values);
  for (const double value : values) {
    squares += (value - result.main_score) * (value - result.main_score);
  }
  result.scores.emplace_back("v_measure", result.main_score);
  result.scores.emplace_back("v_measure_std",
                             std::sqrt(squares / static_cast<double>(values.size())));
  result.scores.emplace_back("homogeneity", homogeneity);
  result.scores.emplace_back("completeness", completeness);
}

}  // namespace kith::judge
