// Self Positioning: are models of single tasks, merged where gradient descent on a little data
// finds it best, better than one model that was trained on all tasks together? Three tasks, of
// which one has ten and five times as many examples as the others: short descriptions of packages
// and their long ones; how near two glosses of WordNet are; glosses and their words. The base, a
// BERT of 6 layers and 128 dimensions that was trained a little on all three, is each seed's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/random.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/data.h"
#include "papers/common/elastic_model.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/task_samples.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTokens = 64;  // of a text that is judged
constexpr std::size_t kProbe = 700;  // examples of a task that are kept for the search

constexpr char kScores[] = "scores on held-out texts", kMean[] = "mean of tasks",
               kChange[] = "what training added", kNorm[] = "length";
constexpr char kBase[] = "base", kJoint[] = "trained on all together",
               kBalanced[] = "on all together, as often on each", kAverage[] = "average",
               kSlerp[] = "slerp", kTies[] = "TIES", kFisher[] = "Fisher",
               kSelf[] = "Self Positioning";

struct Source {
  const char* name;
  std::size_t examples;        // that are trained on
  std::size_t steps;           // about once through them
  std::string trained, probe;  // files
  std::string loss = {};       // a table of its own, if any
  std::vector<Task> tasks = {};
};

// Examples for the search, then those to train on.
void split(const Trial& trial, Source& source, std::vector<TrainingPair> pairs,
           const std::string& set) {
  Random random(1);
  for (std::size_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[random.below(i)]);
  const std::size_t held = std::min(kProbe, pairs.size() / 4);
  const std::size_t end = std::min(pairs.size(), held + source.examples);
  const std::string name = std::string("positioning-") + source.name;
  source.probe = data_path(trial, name + "-probe", {set}, ".jsonl");
  source.trained = data_path(trial, name, {set}, ".jsonl");
  write_pairs(source.probe, {pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(held)});
  write_pairs(source.trained, {pairs.begin() + static_cast<std::ptrdiff_t>(held),
                               pairs.begin() + static_cast<std::ptrdiff_t>(end)});
}

std::array<Source, 3> sources_of(const Trial& trial) {
  std::array<Source, 3> sources = {
      Source{.name = "search", .examples = 30000, .steps = 240, .trained = {}, .probe = {}},
      Source{.name = "similarity", .examples = 3000, .steps = 24, .trained = {}, .probe = {}},
      Source{.name = "words", .examples = 6000, .steps = 48, .trained = {}, .probe = {}}};
  auto& [search, similarity, words] = sources;
  similarity.loss = "[data.loss]\nkind = \"cosent\"\n";
  search.tasks = {debian_retrieval(trial)};
  similarity.tasks = gloss_similarity(trial);
  if (trial.quick) {
    Random random(trial.seed);
    words.tasks = {made_up_retrieval(random)};
    for (Source& each : sources) split(trial, each, made_up_pairs(random), "debian");
    return sources;
  }
  words.tasks = {small_retrieval(load_tasks("wordnet", trial).front(), 1000, 5000, trial.seed)};
  split(trial, search, read_pairs("debian", "debian-summary", trial), "debian");
  split(trial, similarity, read_pairs("similarity", "similarity-nouns", trial), "similarity");
  split(trial, words, read_pairs("wordnet", "wordnet-words", trial), "wordnet");
  return sources;
}

std::string table_of(const Source& source, const std::string& file, double weight) {
  return fmt::format("[[data]]\nfiles = [\"{}\"]\nweight = {}\n{}", file, weight, source.loss);
}

std::string model(const Trial& trial, const std::string& base, const std::string& data,
                  std::size_t steps) {
  ContrastiveOptions options;
  options.base = base;
  options.model = "pooling = \"mean\"";
  options.data = data;
  options.steps = steps;
  options.batch = 128;
  std::string folder = trained(trial, "positioning", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

std::string all_of_them(const std::array<Source, 3>& sources, bool balanced) {
  std::string data;
  for (const Source& each : sources) {
    data += table_of(each, each.trained, balanced ? 1 : static_cast<double>(each.steps));
  }
  return data;
}

std::string probe_of(const Trial& trial, const std::array<Source, 3>& sources) {
  std::string text;
  for (const Source& each : sources) text += table_of(each, each.probe, 1);
  text += fmt::format(
      "[loss]\ntemperature = 0.05\n[train]\nbatch = {}\nquery_tokens = 16\ndocument_tokens = 40\n"
      "seed = {}\n[search]\nsteps = {}\npenalty = 0.01\n",
      trial.quick ? 8 : 128, trial.seed, trial.quick ? 4 : 40);
  std::string path = data_path(trial, fmt::format("positioning-probe-{}", trial.seed),
                               {"debian", "similarity", "wordnet"}, ".toml");
  write_recipe(path, text);
  return path;
}

void judge(const std::string& row, const std::string& folder, const std::array<Source, 3>& sources,
           const Trial& trial, Results& results) {
  ElasticModel model(folder, kTokens);
  double sum = 0;
  for (const Source& source : sources) {
    double score_of_source = 0;
    for (const Task& task : source.tasks) {
      score_of_source += score(task, model, trial) / static_cast<double>(source.tasks.size());
    }
    results.add(kScores, row, source.name, score_of_source);
    sum += score_of_source / static_cast<double>(sources.size());
  }
  results.add(kScores, row, kMean, sum);
  trial.step();
}

void measure(const Trial& trial, Results& results) {
  trial.expect(19);
  const std::array<Source, 3> sources = sources_of(trial);
  std::size_t all_steps = 0;
  for (const Source& each : sources) all_steps += each.steps;
  const std::string base = model(trial, tiny_bert(trial), all_of_them(sources, true), 50);

  std::vector<std::string> single;
  for (const Source& each : sources) {
    single.push_back(model(trial, base, table_of(each, each.trained, 1), each.steps));
  }
  judge(kBase, base, sources, trial, results);
  for (std::size_t i = 0; i < single.size(); ++i) {
    judge(std::string("trained on ") + sources[i].name, single[i], sources, trial, results);
  }
  judge(kJoint, model(trial, base, all_of_them(sources, false), all_steps), sources, trial,
        results);
  judge(kBalanced, model(trial, base, all_of_them(sources, true), all_steps), sources, trial,
        results);

  learn::MergeRequest request;
  request.models = single;
  request.base = base;
  const std::string probe = probe_of(trial, sources);
  const std::array<std::pair<const char*, const char*>, 5> methods = {
      {{kAverage, "average"},
       {kSlerp, "slerp"},
       {kTies, "ties"},
       {kFisher, "fisher"},
       {kSelf, "self-positioning"}}};
  for (const auto& [row, method] : methods) {
    const bool looks = row == kFisher || row == kSelf;
    request.method = method;
    request.probe = looks ? probe : "";
    const MergedModel found = merged(trial, "positioning", request);
    judge(row, found.folder, sources, trial, results);
    if (row != kSelf) continue;
    for (std::size_t i = 0; i < single.size(); ++i) {
      const auto& [norms, angles] = std::tie(found.summary.norms, found.summary.angles);
      results.add(kChange, sources[i].name, kNorm, norms[i]);
      results.add(kChange, sources[i].name, "angle to search", i == 0 ? 0 : angles[i][0]);
      results.add(kChange, sources[i].name, "multiple in Self Positioning",
                  found.summary.coefficients[i]);
    }
  }
  // The same task by half and a quarter of its steps.
  request.method = "average";
  request.probe = "";
  for (const std::size_t part : {4, 2}) {
    const Source& search = sources[0];
    request.models = {model(trial, base, table_of(search, search.trained, 1), search.steps / part)};
    results.add("length by examples", "search", fmt::format("1/{}", part),
                merged(trial, "positioning-part", request).summary.norms[0]);
  }
  results.add("length by examples", "search", "1", results.values(kChange, "search", kNorm).back());
}

Judgement better(const Results& results, const char* than) {
  return above(std::string("- ") + than, results.difference(kScores, kSelf, than, kMean));
}

std::vector<std::string> all_data() {
  return {"train/texts", "train/wordnet", "train/debian", "train/similarity",
          "debian",      "similarity",    "wordnet"};
}

const Registration registration({
    .slug = "self-positioning",
    .title = "Improving General Text Embedding Model: Tackling Task Conflict and Data Imbalance "
             "through Model Merging",
    .authors = "Li et al.",
    .year = 2024,
    .source = "arXiv 2410.15035",
    .data = all_data(),
    .seeds = 3,
    .claims =
        {{"Models of single tasks, merged by Self Positioning, are better in the mean of tasks "
          "than "
          "one trained on all",
          "shown if the mean score minus that of joint training, as data falls and as often on "
          "each "
          "task, is above 0 for both, paired over seeds; refuted if it is below 0 for one",
          [](const Results& results) {
            const Judgement parts[] = {better(results, kJoint), better(results, kBalanced)};
            return all_of(parts);
          }},
         {"It is better than merges that look at no loss",
          "shown if the mean score minus that of the average, of slerp and of TIES is above 0 for "
          "all; refuted if it is below 0 for one",
          [](const Results& results) {
            const Judgement parts[] = {better(results, kAverage), better(results, kSlerp),
                                       better(results, kTies)};
            return all_of(parts);
          }},
         {"It is better than the average weighted by Fisher information",
          "shown if the difference of mean scores is above 0",
          [](const Results& results) { return better(results, kFisher); }},
         {"What training adds gets longer with the examples that are seen",
          "shown if a whole training's length minus that of half of it, and that of half minus "
          "that "
          "of a quarter, are above 0",
          [](const Results& results) {
            const auto length = [&](const char* column) {
              return results.values("length by examples", "search", column);
            };
            const Judgement parts[] = {
                above("whole - half", paired_difference(length("1"), length("1/2"))),
                above("half - quarter", paired_difference(length("1/2"), length("1/4")))};
            return all_of(parts);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
