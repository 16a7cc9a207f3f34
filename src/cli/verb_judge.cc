// kith judge: how good embeddings are, by MTEB's protocols.
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.h"
#include "cli/context_option.h"
#include "cli/format.h"
#include "cli/fusion_choices.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/precision_option.h"
#include "cli/table.h"
#include "kith/error.h"
#include "kith/judge.h"

namespace kith::cli {

void add_judge_depth(CLI::App& judge);
void add_judge_downsample(CLI::App& judge);
void add_judge_rank(CLI::App& judge);
void add_judge_select(CLI::App& judge);

namespace {

constexpr int kDigits = 4;

struct Options : CommonOptions {
  std::string suite, output;
  std::vector<std::string> models, vectors, queries;
  bool bm25 = false, hybrid = false, compare = false;
  Precision precision = Precision::f32;
  ContextOptions context;
  std::size_t resamples = 1000;
  FusionChoices fusion;
};

using Systems = std::vector<std::unique_ptr<Embedder>>;

// Vectors of a task's two parts, or of its only one, in files of their own.
std::unique_ptr<Embedder> from_files(const Task& task, const std::string& vectors,
                                     const std::string* queries) {
  const std::vector<const TextPart*> parts = text_parts(task);
  std::map<std::string, std::string> files = {{parts.front()->name, vectors}};
  if (parts.size() > 1 && queries != nullptr) files.emplace(parts[1]->name, *queries);
  return std::make_unique<ReadyVectors>(std::filesystem::path(vectors).stem().string(),
                                        std::move(files));
}

// What is judged beside BM25, anew for each task: models, folders of vectors and files of them.
Systems systems_of(const Options& options, const Task& task) {
  Systems systems;
  for (const std::string& folder : options.models) {
    systems.push_back(std::make_unique<ModelVectors>(
        folder, ModelOptions{.precision = options.precision, .context = options.context}));
  }
  std::size_t files = 0;
  for (const std::string& path : options.vectors) {
    if (!std::filesystem::is_directory(path)) {
      const std::string* queries =
          files < options.queries.size() ? &options.queries[files] : nullptr;
      systems.push_back(from_files(task, path, queries));
      ++files;
      continue;
    }
    // Of a suite of several tasks, a folder each.
    const std::string own = path + "/" + task.name;
    const bool several = std::filesystem::is_directory(own);
    const std::string name = std::filesystem::canonical(path).filename().string();
    systems.push_back(
        std::make_unique<ReadyVectors>(ReadyVectors::in_folder(several ? own : path, name)));
  }
  return systems;
}

JudgeOptions judge_options(const Options& options) {
  JudgeOptions result;
  result.seed = options.seed;
  result.resamples = options.resamples;
  result.control = options.control();
  return result;
}

// What stands beside the main score in a table for people.
std::vector<std::string> others(const std::string& type) {
  if (type == "Retrieval") return {"mrr_at_10", "recall_at_1", "recall_at_10"};
  if (type == "Reranking") return {"mrr"};
  if (type == "Classification") return {"f1", "f1_weighted"};
  if (type == "MultilabelClassification") return {"f1", "lrap"};
  if (type == "Clustering") return {"homogeneity", "completeness"};
  if (type == "STS") return {"cosine_pearson", "euclidean_spearman"};
  if (type == "PairClassification") return {"cosine_ap", "cosine_f1"};
  return {"accuracy"};
}

Cell score_cell(double score) { return {score, fixed_text(score, kDigits)}; }

std::string interval_text(const Interval& interval) {
  return "[" + fixed_text(interval.low, kDigits) + ", " + fixed_text(interval.high, kDigits) + "]";
}

void add_row(Table& table, const TaskResult& result, bool intervals) {
  std::string beside;
  for (const std::string& name : others(result.type)) {
    for (const auto& [each, value] : result.scores) {
      if (each != name) continue;
      beside += (beside.empty() ? "" : ", ") + name + " " + fixed_text(value, kDigits);
    }
  }
  table.add({result.task, result.system, result.main_metric, score_cell(result.main_score),
             intervals ? Cell(interval_text(result.interval)) : Cell(), result.units, beside});
}

void add_difference(Table& table, const TaskResult& a, const TaskResult& b,
                    const JudgeOptions& options) {
  constexpr int kPDigits = 3;
  const PairedDifference found = compare(a, b, options);
  table.add({a.task, a.system, b.system, score_cell(found.difference),
             score_cell(found.interval.low), score_cell(found.interval.high),
             Cell(found.p_value, significant_text(found.p_value, kPDigits))});
}

// FOLDER/SYSTEM/TASK.json, as MTEB lays its results out.
void write_result(const std::string& folder, const TaskResult& result) {
  const std::string own = folder + "/" + result.system;
  std::error_code failed;
  std::filesystem::create_directories(own, failed);
  if (failed) throw Error(ErrorCode::io, own + ": " + failed.message());
  write_text(own + "/" + result.task + ".json",
             nlohmann::ordered_json::parse(mteb_json(result)).dump(2) + "\n");
}

std::vector<TaskResult> judge_all(const Options& options, const Task& task,
                                  const JudgeOptions& how) {
  constexpr std::size_t kFusedLists = 2;
  const FusionOptions fusion = options.fusion.options(kFusedLists);
  std::vector<TaskResult> results;
  if (has_bm25(task)) results.push_back(judge_bm25(task, how));
  for (const auto& system : systems_of(options, task)) {
    if (options.hybrid) {
      for (TaskResult& result : judge_hybrid(task, *system, how, fusion)) {
        results.push_back(std::move(result));
      }
    } else {
      results.push_back(judge_task(task, *system, how));
    }
  }
  return results;
}

void check(const Options& options) {
  if (options.suite.empty()) {
    throw Error(ErrorCode::invalid_argument, "judge: no task, expected --suite DIR");
  }
  if (!options.bm25 && options.models.empty() && options.vectors.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "judge: nothing to judge, expected --bm25, --model or --vectors");
  }
  if (options.compare && options.resamples == 0) {
    throw Error(ErrorCode::invalid_argument, "--compare: needs --resamples above 0");
  }
}

void run(const Options& options) {
  check(options);
  const JudgeOptions how = judge_options(options);
  Table table({"task", "system", "metric", "score", "interval", "units", "others"});
  Table differences({"task", "system", "against", "difference", "low", "high", "p"});
  for (const Task& task : read_suite(options.suite)) {
    const std::vector<TaskResult> results = judge_all(options, task, how);
    for (const TaskResult& result : results) {
      if (options.json) std::printf("%s\n", mteb_json(result).c_str());
      add_row(table, result, options.resamples > 0);
      if (!options.output.empty()) write_result(options.output, result);
    }
    for (std::size_t i = 1; options.compare && i < results.size(); ++i) {
      add_difference(differences, results[i], results[0], how);
    }
  }
  if (table.rows() == 0) {
    throw Error(ErrorCode::invalid_argument,
                options.suite + ": no task that BM25 can do, expected --model or --vectors too");
  }
  if (!options.json) table.print(stdout, false);
  if (!options.compare || differences.rows() == 0) return;
  if (!options.json) std::printf("\n");
  differences.print(stdout, options.json);
}

}  // namespace

void add_judge(CLI::App& root) {
  constexpr std::size_t kMostResamples = 1000000;
  auto options = std::make_shared<Options>();
  options->seed = JudgeOptions().seed;
  CLI::App* verb = root.add_subcommand("judge", "How good embeddings are at tasks (MTEB's)");
  verb->add_option("--suite", options->suite,
                   "Folder of a task (BEIR's or MTEB's form), or of folders of tasks")
      ->type_name("DIR");
  verb->add_flag("--bm25", options->bm25, "BM25, which stands in every table of rankings anyway");
  verb->add_option("--model", options->models, "Model folder to judge; may come again")
      ->allow_extra_args(false)
      ->type_name("DIR");
  add_precision_option(*verb, options->precision);
  add_context_options(*verb, options->context);
  verb->add_option("--vectors", options->vectors,
                   "Vectors to judge: a folder with a file for each part (corpus.npy,\n"
                   "queries.npy ...), or a file of the first part; may come again")
      ->allow_extra_args(false)
      ->type_name("PATH");
  verb->add_option("--queries", options->queries,
                   "With a file of --vectors: the vectors of the second part")
      ->allow_extra_args(false)
      ->type_name("FILE");
  verb->add_flag("--hybrid", options->hybrid,
                 "Also each system's ranking fused with BM25's (retrieval)");
  add_fusion_choices(*verb, options->fusion, "--fusion", "ranking");
  verb->get_option("--weights")
      ->description("What a system's ranking counts, and BM25's (default: 1 each)");
  verb->add_flag("--compare", options->compare,
                 "Differences to the first system, with intervals and p-values");
  verb->add_option("--resamples", options->resamples,
                   "For intervals and p-values; 0: none (default: 1000)")
      ->check(whole_number(0, kMostResamples))
      ->type_name("N");
  verb->add_option("-o,--output", options->output, "Folder for results: DIR/SYSTEM/TASK.json")
      ->type_name("DIR");
  add_common_options(*verb, *options);
  verb->get_option("--seed")->description("Seed of everything random (default: 42, MTEB's)");
  add_examples(*verb,
               "kith judge --suite .cache/data/debian --bm25\n"
               "kith judge --suite .cache/data --model use-lite --model glove --compare\n"
               "kith judge --suite .cache/data/debian --model use-lite --hybrid --weights 1,2\n"
               "kith judge --suite debian --vectors base.npy --queries q.npy --compare\n"
               "kith judge --suite .cache/data/needle --model e5 --context 4096 --extend pcw\n"
               "kith judge --suite tasks --vectors small --vectors large -o results --json\n"
               "kith judge rank results/small results/large\n"
               "kith judge depth test human.npy generated.npy");
  add_judge_depth(*verb);
  add_judge_downsample(*verb);
  add_judge_rank(*verb);
  add_judge_select(*verb);
  verb->callback([options, verb] {
    if (!verb->get_subcommands().empty()) return;
    options->fusion.expect_hybrid(*verb);
    run(*options);
  });
}

}  // namespace kith::cli
