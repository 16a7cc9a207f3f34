#include "papers/common/task_samples.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.h"

namespace kith::papers {
namespace {

template <class Value>
std::vector<Value> chosen(const std::vector<Value>& values,
                          const std::vector<std::uint32_t>& which) {
  std::vector<Value> some;
  for (const std::uint32_t i : which) some.push_back(values[i]);
  return some;
}

TextPart chosen(const TextPart& part, const std::vector<std::uint32_t>& which) {
  TextPart some;
  some.name = part.name;
  some.texts = chosen(part.texts, which);
  if (!part.ids.empty()) some.ids = chosen(part.ids, which);
  return some;
}

void keep_queries(RetrievalTask& task, const std::vector<std::uint32_t>& which) {
  task.queries = chosen(task.queries, which);
  task.judgements = chosen(task.judgements, which);
}

}  // namespace

Task some_queries(Task task, std::size_t wanted, std::uint64_t seed) {
  auto& all = std::get<RetrievalTask>(task.content);
  keep_queries(all, random_sample(all.queries.texts.size(), wanted, seed));
  return task;
}

Task small_retrieval(const Task& task, std::size_t queries, std::size_t documents,
                     std::uint64_t seed, const KeepsDocument& keeps) {
  RetrievalTask small = std::get<RetrievalTask>(task.content);
  const auto passes = [&](std::uint32_t document) { return !keeps || keeps(document); };
  std::vector<std::uint32_t> askable;
  for (std::uint32_t q = 0; q < small.judgements.size(); ++q) {
    const auto& list = small.judgements[q];
    const auto kept = [&](const JudgedDocument& each) { return passes(each.document); };
    if (std::all_of(list.begin(), list.end(), kept)) askable.push_back(q);
  }
  keep_queries(small, chosen(askable, random_sample(askable.size(), queries, seed)));

  std::vector<std::uint32_t> corpus;
  std::unordered_map<std::uint32_t, std::uint32_t> places;
  const auto take = [&](std::uint32_t document) {
    if (places.emplace(document, static_cast<std::uint32_t>(corpus.size())).second) {
      corpus.push_back(document);
    }
  };
  for (auto& list : small.judgements) {
    for (JudgedDocument& each : list) {
      take(each.document);
      each.document = places.at(each.document);
    }
  }
  for (const std::uint32_t document : random_permutation(small.corpus.texts.size(), seed)) {
    if (corpus.size() >= documents) break;
    if (passes(document)) take(document);
  }
  small.corpus = chosen(small.corpus, corpus);
  Task result = task;
  result.content = std::move(small);
  return result;
}

Task some_tests(Task task, std::size_t wanted, std::uint64_t seed) {
  auto& all = std::get<ClassificationTask>(task.content);
  const auto which = random_sample(all.test.texts.size(), wanted, seed);
  all.test = chosen(all.test, which);
  all.test_labels = chosen(all.test_labels, which);
  return task;
}

Task some_pairs(Task task, std::size_t wanted, std::uint64_t seed) {
  const auto take = [&](auto& pairs, auto& truth) {
    const auto which = random_sample(truth.size(), wanted, seed);
    pairs.first = chosen(pairs.first, which);
    pairs.second = chosen(pairs.second, which);
    truth = chosen(truth, which);
  };
  if (auto* graded = std::get_if<StsTask>(&task.content)) {
    take(*graded, graded->scores);
  } else {
    auto& pairs = std::get<PairTask>(task.content);
    take(pairs, pairs.positive);
  }
  return task;
}

Task clustering_of(const Task& task, std::size_t sets, std::size_t each, std::uint64_t seed) {
  const auto& classes = std::get<ClassificationTask>(task.content);
  const auto order = random_permutation(classes.test.texts.size(), seed);
  const std::size_t size = std::min(each, order.size() / sets);
  const std::vector<std::uint32_t> which(order.begin(),
                                         order.begin() + static_cast<std::ptrdiff_t>(sets * size));
  ClusteringTask clustering;
  clustering.labels = classes.labels;
  clustering.texts = chosen(classes.test, which);
  clustering.texts.name = "texts";
  clustering.truth = chosen(classes.test_labels, which);
  for (std::size_t s = 0; s < sets; ++s) clustering.sets.push_back({s * size, (s + 1) * size});
  Task result;
  result.name = task.name;
  result.content = std::move(clustering);
  return result;
}

}  // namespace kith::papers
