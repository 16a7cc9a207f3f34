#include <algorithm>

#include "base/random.h"
#include "kith/error.h"
#include "kith/suite.h"

namespace kith {
namespace {

void check(const RetrievalTask* task, const std::vector<Pool>& pools) {
  if (task == nullptr) {
    throw Error(ErrorCode::invalid_argument, "downsample: expected a task of type Retrieval");
  }
  if (pools.empty()) throw Error(ErrorCode::invalid_argument, "downsample: no pool of documents");
  for (const Pool& pool : pools) {
    if (pool.size() != task->queries.texts.size()) {
      throw Error(ErrorCode::invalid_argument,
                  "downsample: a pool for " + std::to_string(pool.size()) +
                      " queries, but there are " + std::to_string(task->queries.texts.size()));
    }
  }
}

// Which documents stay.
std::vector<bool> pooled(const RetrievalTask& task, const std::vector<Pool>& pools,
                         const std::vector<std::uint32_t>& queries, std::size_t depth) {
  std::vector<bool> stay(task.corpus.texts.size(), false);
  for (const std::uint32_t q : queries) {
    for (const JudgedDocument& each : task.judgements[q]) stay[each.document] = true;
    for (const Pool& pool : pools) {
      for (std::size_t i = 0; i < std::min(depth, pool[q].size()); ++i) {
        if (pool[q][i] >= stay.size()) {
          throw Error(ErrorCode::invalid_argument, "downsample: document " +
                                                       std::to_string(pool[q][i]) + " of " +
                                                       std::to_string(stay.size()));
        }
        stay[pool[q][i]] = true;
      }
    }
  }
  return stay;
}

}  // namespace

Task downsample(const Task& task, const std::vector<Pool>& pools,
                const DownsampleOptions& options) {
  const auto* all = std::get_if<RetrievalTask>(&task.content);
  check(all, pools);
  const std::vector<std::uint32_t> queries =
      random_sample(all->queries.texts.size(), options.queries, options.seed);
  const std::vector<bool> stay = pooled(*all, pools, queries, options.depth);

  RetrievalTask small;
  small.corpus.name = all->corpus.name;
  small.queries.name = all->queries.name;
  std::vector<std::uint32_t> places(stay.size());
  for (std::size_t d = 0; d < stay.size(); ++d) {
    if (!stay[d]) continue;
    places[d] = static_cast<std::uint32_t>(small.corpus.texts.size());
    small.corpus.texts.push_back(all->corpus.texts[d]);
    small.corpus.ids.push_back(all->corpus.ids[d]);
  }
  for (const std::uint32_t q : queries) {
    small.queries.texts.push_back(all->queries.texts[q]);
    small.queries.ids.push_back(all->queries.ids[q]);
    std::vector<JudgedDocument>& judged = small.judgements.emplace_back();
    for (const JudgedDocument& each : all->judgements[q]) {
      judged.push_back({places[each.document], each.grade});
    }
  }
  Task result;
  result.name = task.name + "HardNegatives";
  result.licence = task.licence;
  result.language = task.language;
  result.content = std::move(small);
  return result;
}

}  // namespace kith
