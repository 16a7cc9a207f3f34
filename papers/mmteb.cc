// MMTEB: does judging on less come to the same? Fifteen plain models of texts are ranked by a whole
// retrieval and by one of hard negatives, by clustering all texts and a few of them again and
// again, by all tasks that `kith data` makes and by those that the others don't predict. Models are
// hashed words and letters and means of word vectors, which differ in kind and size; encoders were
// ranked in the paper.
#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "judge/protocols.h"
#include "kith/benchmark.h"
#include "kith/correlation.h"
#include "kith/judge.h"
#include "kith/suite.h"
#include "papers/common/data.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/task_samples.h"
#include "papers/common/text_models.h"

namespace kith::papers {
namespace {

constexpr FeatureKind kWords{}, kThree{3}, kFive{5};

// ---- Models -------------------------------------------------------------------------------------

class Models {
 public:
  // Features weigh by how rare they are in the texts.
  Models(std::span<const std::string> texts, const Trial& trial)
      : words_(texts, kWords, trial.control), letters_(texts, kFive, trial.control) {
    for (const std::size_t full : {32, 128, 512}) {
      const std::size_t dim = trial.quick ? full / 8 : full;
      const std::string size = ", " + std::to_string(dim);
      add("3 letters" + size, kThree, dim, nullptr, trial);
      add("5 letters, weighted" + size, kFive, dim, &letters_, trial);
      add("words" + size, kWords, dim, nullptr, trial);
      add("words, weighted" + size, kWords, dim, &words_, trial);
    }
    if (trial.quick) return;
    vectors_ = std::make_unique<WordVectors>(load_word_vectors(trial));
    for (const std::size_t dim : {25, 100}) {
      all_.push_back(std::make_unique<MeanOfWords>("mean of words' vectors, " + std::to_string(dim),
                                                   *vectors_, dim, nullptr));
    }
    all_.push_back(std::make_unique<MeanOfWords>("weighted mean of words' vectors, 100", *vectors_,
                                                 100, &words_));
  }
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  std::size_t size() const { return all_.size(); }
  Embedder& operator[](std::size_t i) const { return *all_[i]; }
  // Two that are unlike, to pool hard negatives: letters of the largest size, and the last one.
  Embedder& letters() const { return *all_[9]; }
  Embedder& last() const { return *all_.back(); }

 private:
  void add(const std::string& name, FeatureKind kind, std::size_t dim,
           const FeatureWeights* weights, const Trial& trial) {
    all_.push_back(std::make_unique<HashedTexts>(name, kind, dim, weights, trial.seed));
  }

  FeatureWeights words_, letters_;
  std::unique_ptr<WordVectors> vectors_;
  std::vector<std::unique_ptr<Embedder>> all_;
};

JudgeOptions judging(const Trial& trial, std::size_t experiments = 10) {
  JudgeOptions options;
  options.seed = trial.seed;
  options.experiments = experiments;
  options.resamples = 0;
  options.control = trial.control;
  options.control.progress = {};
  return options;
}

// Every model's main score.
std::vector<double> scores_of(const Task& task, const Models& models, const JudgeOptions& options,
                              const Trial& trial) {
  std::vector<double> scores;
  for (std::size_t m = 0; m < models.size(); ++m) {
    scores.push_back(judge_task(task, models[m], options).main_score);
    trial.step();
  }
  return scores;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// ---- Retrieval ----------------------------------------------------------------------------------

Pool pool_of(const judge::Rankings& rankings) {
  Pool pool;
  for (const auto& hits : rankings) {
    std::vector<std::uint32_t>& documents = pool.emplace_back();
    for (const judge::PlacedHit& hit : hits) documents.push_back(hit.document);
  }
  return pool;
}

Pool pool_of(const RetrievalTask& task, Embedder& model, const JudgeOptions& options) {
  const auto embed = [&](const TextPart& part) { return embed_all(model, part, options.control); };
  return pool_of(judge::rank_by_vectors(task, embed(task.corpus), embed(task.queries), options));
}

// So many documents a query, whichever.
Pool random_pool(const RetrievalTask& task, std::size_t depth, std::uint64_t seed) {
  Pool pool;
  for (std::size_t q = 0; q < task.queries.texts.size(); ++q) {
    Random random(seed, q);
    std::vector<std::uint32_t>& documents = pool.emplace_back();
    for (std::size_t i = 0; i < depth; ++i) {
      documents.push_back(static_cast<std::uint32_t>(random.below(task.corpus.texts.size())));
    }
  }
  return pool;
}

struct Sizes {
  std::size_t queries, documents;
  double products() const { return static_cast<double>(queries) * static_cast<double>(documents); }
};

Sizes sizes_of(const Task& task) {
  const auto& retrieval = std::get<RetrievalTask>(task.content);
  return {retrieval.queries.texts.size(), retrieval.corpus.texts.size()};
}

std::vector<Pool> pools_of(const Task& task, const Models& models, std::size_t depth,
                           const Trial& trial) {
  JudgeOptions options = judging(trial);
  options.depth = depth;
  const auto& whole = std::get<RetrievalTask>(task.content);
  return {pool_of(judge::rank_by_bm25(whole, options)), pool_of(whole, models.letters(), options),
          pool_of(whole, models.last(), options)};
}

constexpr char kRetrieval[] = "retrieval of Debian's descriptions";
constexpr char kWhole[] = "whole", kRandom[] = "random documents, as many";
constexpr char kOrder[] = "Spearman with whole";

// The sizes of the paper, 1,000 queries and 250 documents of each pool, are for corpora of
// millions: here that is most of all documents. The small ones are as much smaller as the corpus.
void measure_retrieval(const Task& task, const Models& models, const Trial& trial,
                       Results& results) {
  struct Size {
    const char* name;
    std::size_t queries, depth;
  };
  const Size sizes[] = {{"hard negatives, paper's sizes", 1000, 250},
                        {"hard negatives, small", 250, 25}};
  const std::vector<Pool> pools = pools_of(task, models, sizes[0].depth, trial);
  const Sizes whole = sizes_of(task);
  const std::vector<double> expected = scores_of(task, models, judging(trial), trial);
  const auto report = [&](const std::string& row, const Task& judged,
                          const std::vector<double>& scores) {
    const Sizes own = sizes_of(judged);
    results.add(kRetrieval, row, kOrder, spearman(expected, scores));
    results.add(kRetrieval, row, "share of documents",
                static_cast<double>(own.documents) / static_cast<double>(whole.documents));
    results.add(kRetrieval, row, "share of scalar products", own.products() / whole.products());
    results.add(kRetrieval, row, "mean nDCG@10", mean(scores));
  };
  report(kWhole, task, expected);
  for (const Size& size : sizes) {
    const DownsampleOptions options{
        .queries = size.queries, .depth = size.depth, .seed = trial.seed};
    const Task hard = downsample(task, pools, options);
    report(size.name, hard, scores_of(hard, models, judging(trial), trial));
    if (&size != &sizes[1]) continue;
    // Random documents are seldom drawn twice, those of pools often.
    const std::size_t depth = sizes_of(hard).documents / sizes_of(hard).queries;
    const Task easy = downsample(
        task, {random_pool(std::get<RetrievalTask>(task.content), depth, trial.seed)}, options);
    report(kRandom, easy, scores_of(easy, models, judging(trial), trial));
  }
}

// ---- Clustering ---------------------------------------------------------------------------------

// All texts of a classification, to be told apart without learning.
ClusteringTask clustering_of(const Task& task) {
  const auto& classes = std::get<ClassificationTask>(task.content);
  ClusteringTask clustering;
  clustering.texts = classes.train;
  clustering.texts.name = "texts";
  clustering.labels = classes.labels;
  clustering.truth = classes.train_labels;
  clustering.texts.texts.insert(clustering.texts.texts.end(), classes.test.texts.begin(),
                                classes.test.texts.end());
  clustering.truth.insert(clustering.truth.end(), classes.test_labels.begin(),
                          classes.test_labels.end());
  return clustering;
}

constexpr char kTenDraws[] = "4 %, ten draws";

void measure_clustering(const Task& task, const Models& models, const Trial& trial,
                        Results& results) {
  Task few, whole;
  few.name = whole.name = task.name;
  ClusteringTask clustering = clustering_of(task);
  const std::size_t texts = clustering.texts.texts.size();
  few.content = clustering;
  clustering.sets = {{0, texts}};
  whole.content = std::move(clustering);
  const std::string table = "clustering of " + task.name;
  const std::vector<double> expected = scores_of(whole, models, judging(trial), trial);
  const auto report = [&](const std::string& row, double share, const std::vector<double>& scores) {
    results.add(table, row, kOrder, spearman(expected, scores));
    results.add(table, row, "share of texts embedded", share);
    results.add(table, row, "mean V-measure", mean(scores));
  };
  report(kWhole, 1, expected);
  JudgeOptions again = judging(trial);
  again.seed = ~trial.seed;
  report("whole, again", 1, scores_of(whole, models, again, trial));
  const double share =
      static_cast<double>(
          judge::clustering_sample(std::get<ClusteringTask>(few.content), judging(trial)).size()) /
      static_cast<double>(texts);
  report(kTenDraws, share, scores_of(few, models, judging(trial), trial));
  report("4 %, one draw", share, scores_of(few, models, judging(trial, 1), trial));
}

// ---- Selection ----------------------------------------------------------------------------------

BenchmarkTable table_of(const std::vector<Task>& tasks, const Models& models, const Trial& trial) {
  BenchmarkTable table;
  for (std::size_t m = 0; m < models.size(); ++m) table.systems.push_back(models[m].name());
  table.scores = Matrix<double>(models.size(), tasks.size());
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    table.tasks.push_back(tasks[t].name);
    table.types.emplace_back(task_type(tasks[t]));
    const std::vector<double> scores = scores_of(tasks[t], models, judging(trial), trial);
    for (std::size_t m = 0; m < scores.size(); ++m) table.scores(m, t) = scores[m];
  }
  return table;
}

BenchmarkTable columns(const BenchmarkTable& table, std::span<const std::uint32_t> which) {
  BenchmarkTable some;
  some.systems = table.systems;
  some.scores = Matrix<double>(table.systems.size(), which.size());
  for (std::size_t i = 0; i < which.size(); ++i) {
    some.tasks.push_back(table.tasks[which[i]]);
    some.types.push_back(table.types[which[i]]);
    for (std::size_t m = 0; m < table.systems.size(); ++m) {
      some.scores(m, i) = table.scores(m, which[i]);
    }
  }
  return some;
}

// A value of each system's standing, in the table's order; larger is better.
template <class Value>
std::vector<double> standings(const BenchmarkTable& table, const Value& value) {
  std::vector<double> values(table.systems.size());
  for (const SystemStanding& each : borda_standings(table)) {
    const auto at = std::find(table.systems.begin(), table.systems.end(), each.system);
    values[static_cast<std::size_t>(at - table.systems.begin())] = value(each);
  }
  return values;
}

std::vector<double> by_rank(const BenchmarkTable& table) {
  return standings(table, [](const SystemStanding& each) { return -each.mean_rank; });
}

constexpr char kSelection[] = "which tasks rank the models as all do";
constexpr char kSelected[] = "not predicted by the others", kSubsets[] = "random, as many";
constexpr char kAsAll[] = "Spearman with all";

void measure_selection(const std::vector<Task>& tasks, const Models& models, const Trial& trial,
                       Results& results) {
  constexpr std::size_t kDraws = 100;
  const BenchmarkTable all = table_of(tasks, models, trial);
  const std::vector<double> expected = by_rank(all);
  const TaskSelection selection = select_tasks(all);
  std::vector<std::uint32_t> kept;
  for (std::uint32_t t = 0; t < tasks.size(); ++t) {
    if (std::count(selection.kept.begin(), selection.kept.end(), all.tasks[t]) > 0) {
      kept.push_back(t);
    }
  }
  std::vector<double> random;
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    const auto which = random_sample(tasks.size(), kept.size(), trial.seed * kDraws + draw);
    random.push_back(spearman(expected, by_rank(columns(all, which))));
  }
  const auto report = [&](const std::string& row, std::size_t count, double order) {
    results.add(kSelection, row, "tasks", static_cast<double>(count));
    results.add(kSelection, row, kAsAll, order);
  };
  report("all", tasks.size(), 1);
  report(kSelected, kept.size(), spearman(expected, by_rank(columns(all, kept))));
  report(kSubsets, kept.size(), mean(random));

  const std::vector<double> borda =
      standings(all, [](const SystemStanding& each) { return each.borda; });
  const std::vector<double> score =
      standings(all, [](const SystemStanding& each) { return each.mean_score; });
  for (std::size_t m = 0; m < models.size(); ++m) {
    const std::string name = models[m].name();
    results.add("models over all tasks", name, "mean rank", -expected[m]);
    results.add("models over all tasks", name, "Borda", borda[m]);
    results.add("models over all tasks", name, "mean score", score[m]);
  }
}

// ---- Data ---------------------------------------------------------------------------------------

struct Data {
  Task retrieval;
  std::vector<Task> classes;  // clustered, too
  std::vector<Task> others;
};

Data made_up(const Trial& trial) {
  Random random(trial.seed);
  Data data{made_up_retrieval(random), {}, {}};
  data.classes.push_back(made_up_classes("topics", 12, random));
  for (const std::size_t topics : {3, 5, 8}) {
    data.others.push_back(made_up_classes(std::to_string(topics) + " topics", topics, random));
  }
  return data;
}

Data debian_and_others(const Trial& trial) {
  constexpr std::size_t kQueries = 1000;
  Data data;
  data.retrieval =
      some_queries(std::move(load_tasks("debian", trial).front()), kQueries, trial.seed);
  for (const char* name : {"sections", "debtags"}) {
    data.classes.push_back(std::move(load_tasks(name, trial).front()));
  }
  for (const char* name : {"manpages", "foldoc", "wordnet", "bitext", "tags", "spamassassin",
                           "reviews", "brown", "definitions", "similarity", "senses"}) {
    for (Task& task : load_tasks(name, trial)) data.others.push_back(std::move(task));
  }
  return data;
}

// The tasks to choose from; a retrieval among its hard negatives, small.
std::vector<Task> tasks_of(Data& data, const Models& models, const Trial& trial) {
  const DownsampleOptions small{.queries = 250, .depth = 25, .seed = trial.seed};
  std::vector<Task> tasks;
  const auto add = [&](Task& task) {
    if (!std::holds_alternative<RetrievalTask>(task.content)) {
      tasks.push_back(std::move(task));
      return;
    }
    const Task few = some_queries(std::move(task), small.queries, trial.seed);
    tasks.push_back(downsample(few, pools_of(few, models, small.depth, trial), small));
  };
  add(data.retrieval);
  for (Task& task : data.classes) add(task);
  for (Task& task : data.others) add(task);
  return tasks;
}

void measure(const Trial& trial, Results& results) {
  Data data = trial.quick ? made_up(trial) : debian_and_others(trial);
  const Models models(std::get<RetrievalTask>(data.retrieval.content).corpus.texts, trial);
  const std::size_t tasks = 1 + data.classes.size() + data.others.size();
  trial.expect(models.size() * (4 + 4 * data.classes.size() + tasks));
  measure_retrieval(data.retrieval, models, trial, results);
  for (const Task& task : data.classes) measure_clustering(task, models, trial, results);
  measure_selection(tasks_of(data, models, trial), models, trial, results);
}

constexpr double kSameOrder = 0.9;

const Registration registration({
    .slug = "mmteb",
    .title = "MMTEB: Massive Multilingual Text Embedding Benchmark",
    .authors = "Enevoldsen et al.",
    .year = 2025,
    .source = "arXiv 2502.13595",
    .data = {"words", "debian", "sections", "debtags", "manpages", "foldoc", "wordnet", "bitext",
             "tags", "spamassassin", "reviews", "brown", "definitions", "similarity", "senses"},
    .seeds = 3,
    .claims =
        {{"Among hard negatives alone a retrieval ranks models as among all documents",
          "shown if Spearman of the models' nDCG@10 on the small set and on the whole exceeds 0.9, "
          "refuted if it stays below",
          [](const Results& results) {
            return above("Spearman", results.mean(kRetrieval, "hard negatives, small", kOrder),
                         kSameOrder);
          }},
         {"Hard negatives keep the order of models better than as many random documents",
          "shown if the Spearman of hard negatives minus that of random documents is above 0",
          [](const Results& results) {
            return above("hard - random",
                         results.difference(kRetrieval, "hard negatives, small", kRandom, kOrder));
          }},
         {"Clusterings of 4 % of the texts, drawn ten times, rank models as one of all texts does",
          "shown if Spearman of the models' V-measures exceeds 0.9 on every set, refuted if it "
          "stays below on one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const Results::Table& table : results.tables()) {
              if (!table.title.starts_with("clustering of ")) continue;
              parts.push_back(
                  above(table.title, results.mean(table.title, kTenDraws, kOrder), kSameOrder));
            }
            return all_of(parts);
          }},
         {"Tasks that the others don't predict rank models more like all tasks do than random ones",
          "shown if Spearman of the models' mean ranks on the chosen tasks and on all, minus the "
          "mean of 100 random choices of as many tasks, is above 0",
          [](const Results& results) {
            return above("chosen - random",
                         results.difference(kSelection, kSelected, kSubsets, kAsAll));
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
