// kith judge downsample: a small retrieval task of hard negatives out of a large one.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/options.h"
#include "cli/table.h"
#include "formats/runs.h"
#include "judge/bm25.h"
#include "kith/error.h"
#include "kith/suite.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string suite, output;
  std::vector<std::string> runs;
  DownsampleOptions sampling;
};

Pool bm25_pool(const RetrievalTask& task, const Options& options) {
  const Neighbours found =
      judge::bm25_search(task.corpus, task.queries, options.sampling.depth, options.control());
  Pool pool(found.queries());
  for (std::size_t q = 0; q < pool.size(); ++q) {
    for (std::size_t i = 0; i < found.k() && found.ids(q, i) != kNoId; ++i) {
      pool[q].push_back(found.ids(q, i));
    }
  }
  return pool;
}

std::unordered_map<std::string_view, std::uint32_t> places_of(const TextPart& part) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (const std::string& id : part.ids) {
    places.emplace(id, static_cast<std::uint32_t>(places.size()));
  }
  return places;
}

// Queries of other splits, which a run may hold, are passed over.
Pool run_pool(const RetrievalTask& task, const std::string& path) {
  const auto queries = places_of(task.queries), documents = places_of(task.corpus);
  const auto file = MappedFile::open(path);
  formats::Input in;
  in.name = path;
  in.bytes = file->bytes();
  Pool pool(task.queries.texts.size());
  for (const formats::RunQuery& query : formats::parse_run(in)) {
    const auto place = queries.find(query.query);
    if (place == queries.end()) continue;
    for (const formats::RunHit& hit : query.hits) {
      const auto document = documents.find(hit.document);
      if (document == documents.end()) {
        throw Error(ErrorCode::corrupt, path + ": document '" + printable(hit.document) +
                                            "' is not in the task's corpus");
      }
      pool[place->second].push_back(document->second);
    }
  }
  return pool;
}

void run(const Options& options) {
  std::error_code ignored;
  if (std::filesystem::equivalent(options.suite, options.output, ignored)) {
    throw Error(ErrorCode::invalid_argument, options.output + ": is the task itself");
  }
  const Task task = read_task(options.suite);
  const auto* retrieval = std::get_if<RetrievalTask>(&task.content);
  if (retrieval == nullptr) {
    throw Error(ErrorCode::invalid_argument, options.suite + ": a task of type " +
                                                 std::string(task_type(task)) +
                                                 ", expected Retrieval");
  }
  std::vector<Pool> pools;
  pools.push_back(bm25_pool(*retrieval, options));
  for (const std::string& path : options.runs) pools.push_back(run_pool(*retrieval, path));
  DownsampleOptions sampling = options.sampling;
  sampling.seed = options.seed;
  const Task small = downsample(task, pools, sampling);
  write_task(small, options.output);
  const auto& content = std::get<RetrievalTask>(small.content);
  Record record;
  record.add("folder", options.output);
  record.add("pools", pools.size());
  record.add("queries", content.queries.texts.size());
  record.add("of_queries", "of", retrieval->queries.texts.size());
  record.add("documents", content.corpus.texts.size());
  record.add("of_documents", "of", retrieval->corpus.texts.size());
  record.print(stdout, options.json);
}

}  // namespace

void add_judge_downsample(CLI::App& judge) {
  auto options = std::make_shared<Options>();
  options->seed = options->sampling.seed;
  CLI::App* verb =
      judge.add_subcommand("downsample", "A smaller retrieval task that is as hard (MMTEB)");
  verb->add_option("TASK", options->suite, "Folder of a retrieval task")->required()->type_name("");
  verb->add_option("RUN", options->runs,
                   "Runs of other systems, whose best documents stay beside BM25's: several\n"
                   "kinds, as systems that choose are favoured")
      ->type_name("");
  verb->add_option("-o,--output", options->output, "Folder to write")->required()->type_name("DIR");
  verb->add_option("--most-queries", options->sampling.queries,
                   "Queries to draw at most (default: 1000)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("--depth", options->sampling.depth,
                   "Documents of each system, a query (default: 250)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  add_common_options(*verb, *options);
  verb->get_option("--seed")->description("Seed of the queries drawn (default: 42)");
  add_examples(*verb,
               "kith judge downsample .cache/data/debian -o small\n"
               "kith judge downsample debian small.run large.run -o hard --most-queries 500");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
