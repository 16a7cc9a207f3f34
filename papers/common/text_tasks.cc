#include "papers/common/text_tasks.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/random.h"
#include "datasets/held_out.h"
#include "datasets/wordnet.h"
#include "papers/common/data.h"
#include "papers/common/debian_packages.h"
#include "papers/common/lexicographers.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/task_samples.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTests = 600;                  // of a classification
constexpr std::size_t kSets = 3, kTextsOfSet = 400;  // of a clustering
constexpr std::size_t kPairs = 1000;

void add_retrievals(const Trial& trial, std::vector<TextTask>& all) {
  constexpr std::size_t kQueries = 500, kDocuments = 3000, kSlice = 1000;
  const auto add = [&](Task task) { all.push_back({kFamilies[0], std::move(task)}); };
  for (const char* name : {"wordnet", "manpages", "foldoc"}) {
    add(small_retrieval(load_tasks(name, trial).front(), kQueries, kDocuments, trial.seed));
  }
  const Task debian = std::move(load_tasks("debian", trial).front());
  add(small_retrieval(debian, kQueries, kDocuments, trial.seed));
  std::unordered_map<std::string, std::string> sections;
  for (const DebianPackage& package : load_packages(trial)) sections[package.id] = package.section;
  const auto& ids = std::get<RetrievalTask>(debian.content).corpus.ids;
  for (const char* section : {"devel", "doc", "libs", "perl"}) {
    const auto inside = [&](std::uint32_t document) {
      return sections.at(ids[document]) == section;
    };
    Task slice = small_retrieval(debian, kQueries, kSlice, trial.seed, inside);
    slice.name += std::string(" ") + section;
    add(std::move(slice));
  }
}

// Packages that aren't trained on.
Task tagged_pairs(const std::vector<DebianPackage>& packages, std::string_view name,
                  const std::function<bool(const DebianPackage&)>& keeps, std::size_t wanted,
                  const Trial& trial) {
  std::vector<std::uint32_t> which;
  for (std::uint32_t i = 0; i < packages.size(); ++i) {
    if (packages[i].tested && keeps(packages[i])) which.push_back(i);
  }
  StsTask pairs;
  pairs.first.name = "sentence1";
  pairs.second.name = "sentence2";
  for (const PackagePair& pair : draw_pairs(packages, which, wanted, trial.seed)) {
    const auto text = [&](std::uint32_t place) {
      return packages[place].summary + "\n" + packages[place].text;
    };
    pairs.first.texts.push_back(text(pair.first));
    pairs.second.texts.push_back(text(pair.second));
    pairs.scores.push_back(pair.score);
  }
  Task task;
  task.name = name;
  task.content = std::move(pairs);
  return task;
}

bool has_tag(const DebianPackage& package, const char* tag) {
  return std::binary_search(package.tags.begin(), package.tags.end(), tag);
}

void add_pairs(const Trial& trial, std::vector<TextTask>& all) {
  const std::vector<DebianPackage> packages = load_packages(trial);
  const auto is_program = [](const DebianPackage& each) { return has_tag(each, "role::program"); };
  const auto is_library = [](const DebianPackage& each) {
    return has_tag(each, "role::shared-lib") || has_tag(each, "role::devel-lib");
  };
  const auto is_other = [&](const DebianPackage& each) {
    return !is_program(each) && !is_library(each);
  };
  const auto add = [&](const char* name, const auto& keeps) {
    all.push_back({kFamilies[1], tagged_pairs(packages, name, keeps, kPairs, trial)});
  };
  add("debtags of programs", is_program);
  add("debtags of libraries", is_library);
  add("debtags of others", is_other);
  for (const char* name : {"similarity", "definitions", "senses"}) {
    for (Task& task : load_tasks(name, trial)) {
      all.push_back({kFamilies[1], some_pairs(std::move(task), kPairs, trial.seed)});
    }
  }
}

void add_classes(const Trial& trial, std::vector<TextTask>& all) {
  std::vector<Task> classes;
  for (const char* name : {"sections", "debtags", "spamassassin", "reviews", "brown"}) {
    for (Task& task : load_tasks(name, trial)) {
      if (std::holds_alternative<ClassificationTask>(task.content)) {
        classes.push_back(std::move(task));
      }
    }
  }
  classes.push_back(lexicographer_classes(trial));
  for (const Task& task : classes) {
    all.push_back({kFamilies[3], clustering_of(task, kSets, kTextsOfSet, trial.seed)});
  }
  for (Task& task : classes) {
    all.push_back({kFamilies[2], some_tests(std::move(task), kTests, trial.seed)});
  }
}

std::vector<TextTask> made_up_tasks(const Trial& trial) {
  constexpr std::size_t kTexts = 400, kDocuments = 60;
  constexpr std::size_t kTopics[] = {2, 3, 4, 6, 7, 8};
  Random random(trial.seed);
  std::vector<TextTask> all;
  const auto add = [&](const char* family, Task task, std::size_t number) {
    task.name = std::string(family) + " " + std::to_string(number);
    all.push_back({family, std::move(task)});
  };
  for (std::size_t i = 0; i < std::size(kTopics); ++i) {
    add(kFamilies[0], made_up_retrieval(random, kDocuments), i);
    add(kFamilies[1], made_up_similarity(random), i);
    const Task classes = made_up_classes("", kTopics[i], random, kTexts);
    add(kFamilies[3], clustering_of(classes, 1, kTexts, trial.seed), i);
    add(kFamilies[2], classes, i);
  }
  return all;
}

}  // namespace

const std::vector<std::string>& text_task_data() {
  static const std::vector<std::string> names = {
      "debian", "sections",    "debtags",    "wordnet",      "manpages", "foldoc",       "reviews",
      "brown",  "definitions", "similarity", "spamassassin", "senses",   "train/wordnet"};
  return names;
}

std::vector<TextTask> text_tasks(const Trial& trial) {
  if (trial.quick) return made_up_tasks(trial);
  std::vector<TextTask> all;
  add_retrievals(trial, all);
  add_pairs(trial, all);
  add_classes(trial, all);
  return all;
}

Task debian_retrieval(const Trial& trial, std::size_t queries, std::size_t documents) {
  if (trial.quick) {
    Random random(trial.seed);
    return made_up_retrieval(random);
  }
  return small_retrieval(load_tasks("debian", trial).front(), queries, documents, trial.seed);
}

Task debtags_similarity(const Trial& trial, std::size_t pairs) {
  if (trial.quick) {
    Random random(trial.seed);
    return made_up_similarity(random);
  }
  const auto all = [](const DebianPackage&) { return true; };
  return tagged_pairs(load_packages(trial), "debtags similarity", all, pairs, trial);
}

std::vector<Task> gloss_similarity(const Trial& trial, std::size_t pairs) {
  std::vector<Task> tasks;
  if (trial.quick) {
    Random random(trial.seed);
    tasks.push_back(made_up_similarity(random));
    return tasks;
  }
  for (Task& task : load_tasks("similarity", trial)) {
    tasks.push_back(some_pairs(std::move(task), pairs, trial.seed));
  }
  return tasks;
}

Task section_classes(const Trial& trial, std::size_t tests) {
  if (trial.quick) {
    Random random(trial.seed);
    return made_up_classes("sections", 4, random, 400);
  }
  return some_tests(std::move(load_tasks("sections", trial).front()), tests, trial.seed);
}

Task lexicographer_classes(const Trial& trial) {
  if (trial.quick) {
    Random random(trial.seed);
    return made_up_classes("lexicographers", 4, random, 400);
  }
  constexpr std::size_t kLeast = 16;  // training texts of a label
  datasets::Packages packages(trial.cache, trial.control, [](const std::string&) {});
  const std::unordered_set<std::uint64_t> taught = trained_texts("wordnet", trial);
  std::map<std::uint32_t, std::vector<const std::string*>> train, test;
  const auto wordnet = datasets::read_wordnet(packages);
  std::unordered_set<std::uint64_t> seen;
  for (const auto& synsets : wordnet) {
    for (const datasets::Synset& synset : synsets) {
      const std::uint64_t print = datasets::fingerprint(synset.definition);
      if (!seen.insert(print).second) continue;
      (taught.contains(print) ? train : test)[synset.lexicographer].push_back(&synset.definition);
    }
  }
  ClassificationTask classes;
  classes.train.name = "train";
  classes.test.name = "test";
  for (const auto& [file, texts] : train) {
    if (texts.size() < kLeast || !test.contains(file)) continue;
    const auto label = static_cast<Label>(classes.labels.size());
    classes.labels.push_back(kLexicographers[file]);
    const auto add = [&](TextPart& part, std::vector<Label>& labels, const auto& some) {
      for (const std::string* text : some) part.texts.push_back(*text);
      labels.insert(labels.end(), some.size(), label);
    };
    add(classes.train, classes.train_labels, texts);
    add(classes.test, classes.test_labels, test.at(file));
  }
  Task task;
  task.name = "lexicographers";
  task.content = std::move(classes);
  return task;
}

double score(const Task& task, Embedder& model, const Trial& trial) {
  JudgeOptions options;
  options.seed = trial.seed;
  options.experiments = 5;
  options.resamples = 0;
  options.depth = 10;
  options.control = trial.control;
  return judge_task(task, model, options).main_score;
}

}  // namespace kith::papers
