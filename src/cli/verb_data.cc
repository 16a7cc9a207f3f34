// kith data: real data sets, fetched from the registries of Debian and npm and made into tasks, and
// data to train on, with negatives mined for it.
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/cache_folder.h"
#include "cli/cli.h"
#include "cli/data_mine.h"
#include "cli/data_vote.h"
#include "cli/table.h"
#include "datasets/catalogue.h"
#include "datasets/training.h"
#include "kith/error.h"
#include "kith/suite.h"

namespace kith::cli {
namespace {

using datasets::Dataset;
using datasets::TrainingSet;

struct Options : CommonOptions {
  std::vector<std::string> names;
  std::string to, cache;
};

// What a task consists of, as cells from "documents" to "pairs".
struct Counts {
  Cell documents, queries, relevant, train, test, labels, pairs;

  void operator()(const RetrievalTask& task) {
    documents = task.corpus.texts.size();
    queries = task.queries.texts.size();
    relevant = total(task.judgements);
  }
  void operator()(const RerankingTask& task) {
    documents = task.documents.texts.size();
    queries = task.queries.texts.size();
    relevant = total(task.candidates);
  }
  void operator()(const ClassificationTask& task) {
    train = task.train.texts.size();
    test = task.test.texts.size();
    labels = task.labels.size();
  }
  void operator()(const MultilabelTask& task) {
    train = task.train.texts.size();
    test = task.test.texts.size();
    labels = task.labels.size();
  }
  void operator()(const ClusteringTask& task) {
    test = task.texts.texts.size();
    labels = task.labels.size();
  }
  void operator()(const StsTask& task) { pairs = task.scores.size(); }
  void operator()(const PairTask& task) { pairs = task.positive.size(); }
  void operator()(const BitextTask& task) { pairs = task.gold.size(); }

 private:
  static std::size_t total(const std::vector<std::vector<JudgedDocument>>& lists) {
    std::size_t sum = 0;
    for (const auto& list : lists) {
      for (const JudgedDocument& each : list) sum += each.grade > 0 ? 1 : 0;
    }
    return sum;
  }
};

void list(const Options& options) {
  Table table({"name", "packages", "licence", "what"});
  for (const Dataset& set : datasets::datasets()) {
    table.add({set.name, set.packages, set.licence, set.what});
  }
  for (const TrainingSet& set : datasets::training_sets()) {
    table.add({"train " + set.name, set.packages, set.licence, set.what});
  }
  table.print(stdout, options.json);
}

// Makes a set's tasks and writes them: one into the folder itself, several into folders below it.
void prepare(const Dataset& set, datasets::Packages& packages, const std::string& folder,
             std::uint64_t seed, Table& table) {
  std::vector<Task> tasks = set.make(packages, seed);
  for (Task& task : tasks) {
    const bool one = tasks.size() == 1;
    const std::string own = one ? folder : folder + "/" + task.name;
    task.name = one ? set.name : set.name + "-" + task.name;
    task.licence = set.licence;
    write_task(task, own);
    Counts counts;
    std::visit(counts, task.content);
    table.add({task.name, task_type(task), counts.documents, counts.queries, counts.relevant,
               counts.train, counts.test, counts.labels, counts.pairs, own, set.licence});
  }
  if (set.add_files != nullptr) set.add_files(packages, seed, folder);
}

datasets::Packages open_packages(const Options& options, const std::string& cache) {
  return datasets::Packages(cache, options.control(), [](const std::string& what) {
    std::fprintf(stderr, "kith: %s\n", what.c_str());
  });
}

std::string cache_of(const Options& options) {
  return options.cache.empty() ? default_cache() : options.cache;
}

// Each set's file and, a line for each kind of pair or text, how many it has.
void run_training(const Options& options) {
  std::vector<const TrainingSet*> sets;
  for (const std::string& name : options.names) sets.push_back(&datasets::find_training_set(name));
  if (sets.empty()) {
    for (const TrainingSet& set : datasets::training_sets()) sets.push_back(&set);
  }
  const std::string cache = cache_of(options);
  datasets::Packages packages = open_packages(options, cache);
  const std::string folder = options.to.empty() ? cache + "/data/train" : options.to;
  const datasets::HeldOut tested = datasets::all_held_out(packages, options.seed);
  const Table::Column held_out("held_out", "held out");
  Table table({"set", "source", "lines", "empty", "duplicate", held_out, "file", "licence"});
  for (const TrainingSet* set : sets) {
    const std::string file = folder + "/" + set->name + ".jsonl";
    const datasets::TrainingCounts counts =
        write_training_set(*set, packages, options.seed, tested, file);
    std::size_t all = 0;
    for (const auto& [source, lines] : counts.lines) {
      table.add({set->name, source, lines});
      all += lines;
    }
    table.add({set->name, "all", all, counts.empty, counts.duplicate, counts.held_out, file,
               set->licence});
  }
  table.print(stdout, options.json);
}

void run(const Options& options) {
  if (options.names.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "data: no name, expected one that `kith data list` has");
  }
  if (!options.to.empty() && options.names.size() > 1) {
    throw Error(ErrorCode::invalid_argument, "--to: one folder for " +
                                                 std::to_string(options.names.size()) +
                                                 " sets; give one name, or --cache");
  }
  std::vector<const Dataset*> sets;
  for (const std::string& name : options.names) sets.push_back(&datasets::find_dataset(name));
  const std::string cache = cache_of(options);
  datasets::Packages packages = open_packages(options, cache);
  Table table({"task", "type", "documents", "queries", "relevant", "train", "test", "labels",
               "pairs", "folder", "licence"});
  for (const Dataset* set : sets) {
    const std::string folder = options.to.empty() ? cache + "/data/" + set->name : options.to;
    prepare(*set, packages, folder, options.seed, table);
  }
  table.print(stdout, options.json);
}

void add_cache_option(CLI::App& verb, Options& options) {
  verb.add_option("--cache", options.cache,
                  "Folder that keeps fetched packages (default: .cache, or\n"
                  "$XDG_CACHE_HOME/kith where that is set)")
      ->type_name("DIR");
}

void add_training(CLI::App& data) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      data.add_subcommand("train", "Pairs and texts to train on, none of which the tasks test on");
  verb->add_option("NAME", options->names, "Names in `kith data list` (default: all)")
      ->type_name("");
  verb->add_option("--to", options->to, "Folder of NAME.jsonl (default: CACHE/data/train)")
      ->type_name("DIR");
  add_cache_option(*verb, *options);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith data train\n"
               "kith data train debian wordnet --json");
  verb->callback([options] { run_training(*options); });
}

}  // namespace

void add_data(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("data", "Fetch real data and make tasks of it");
  verb->add_option("NAME", options->names, "Names in `kith data list`")->type_name("");
  verb->add_option("--to", options->to, "Folder of the tasks (default: CACHE/data/NAME)")
      ->type_name("DIR");
  add_cache_option(*verb, *options);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith data list\n"
               "kith data debian\n"
               "kith data manpages bitext sections --json\n"
               "kith judge --suite .cache/data/debian --bm25\n"
               "kith data train wordnet dictionaries\n"
               "kith data mine pairs.jsonl --by bm25 -o mined.jsonl");
  auto list_options = std::make_shared<Options>();
  CLI::App* names = verb->add_subcommand("list", "The sets, with their licences");
  add_common_options(*names, *list_options);
  names->callback([list_options] { list(*list_options); });
  add_training(*verb);
  add_data_mine(*verb);
  add_data_vote(*verb);
  verb->callback([options, verb] {
    if (verb->get_subcommands().empty()) run(*options);
  });
}

}  // namespace kith::cli
