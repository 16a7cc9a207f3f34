// kith fuse: one ranking out of several.
#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/fusion_choices.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"
#include "formats/runs.h"
#include "kith/error.h"
#include "kith/fusion.h"

namespace kith::cli {
namespace {

constexpr std::size_t kMostShown = 10;  // queries that a table for people lists

struct Options : CommonOptions {
  std::vector<std::string> runs;
  std::string output;
  FusionChoices fusion;
  std::size_t k = 0;
};

struct Run {
  std::shared_ptr<const MappedFile> file;
  std::vector<formats::RunQuery> queries;
};

struct FusedQuery {
  std::string_view query;
  std::vector<Ranked> hits;
};

Run read_run(const std::string& path) {
  Run run;
  run.file = MappedFile::open(path);
  formats::Input in;
  in.name = path;
  in.bytes = run.file->bytes();
  run.queries = formats::parse_run(in);
  return run;
}

// Documents by name; ids follow the names' order, so that ties go to the first of them.
class Names {
 public:
  explicit Names(const std::vector<Run>& runs) {
    for (const Run& run : runs) {
      for (const formats::RunQuery& query : run.queries) {
        for (const formats::RunHit& hit : query.hits) names_.push_back(hit.document);
      }
    }
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
    ids_.reserve(names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i) ids_.emplace(names_[i], static_cast<Id>(i));
  }
  Id id(std::string_view name) const { return ids_.at(name); }
  std::string_view operator[](Id id) const { return names_[id]; }

 private:
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, Id> ids_;
};

void check_repeats(const std::string& path, const formats::RunQuery& query,
                   const std::vector<Ranked>& hits, const Names& names) {
  std::vector<Id> ids;
  for (const Ranked& hit : hits) ids.push_back(hit.id);
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice == ids.end()) return;
  throw Error(ErrorCode::corrupt, path + ": query '" + printable(query.query) +
                                      "' lists document '" + printable(names[*twice]) + "' twice");
}

// Queries in the order in which the runs first name them.
std::vector<FusedQuery> fuse_all(const Options& options, const std::vector<Run>& runs,
                                 const Names& names) {
  std::vector<FusedQuery> fused;
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<std::vector<std::vector<Ranked>>> lists;  // a query, a run
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (const formats::RunQuery& query : runs[r].queries) {
      const auto place = places.emplace(query.query, fused.size());
      if (place.second) {
        fused.push_back({query.query, {}});
        lists.emplace_back(runs.size());
      }
      std::vector<Ranked>& list = lists[place.first->second][r];
      for (const formats::RunHit& hit : query.hits)
        list.push_back({names.id(hit.document), hit.score});
      check_repeats(options.runs[r], query, list, names);
    }
  }
  FusionOptions fusion = options.fusion.options(runs.size());
  fusion.k = options.k;
  for (std::size_t q = 0; q < fused.size(); ++q) {
    const std::vector<std::span<const Ranked>> own(lists[q].begin(), lists[q].end());
    fused[q].hits = fuse(own, fusion);
  }
  return fused;
}

void write(const Options& options, const std::vector<FusedQuery>& fused, const Names& names) {
  AtomicFile file(options.output);
  std::size_t hits = 0;
  for (const FusedQuery& query : fused) {
    for (std::size_t i = 0; i < query.hits.size(); ++i) {
      formats::write_run_hit(file, query.query, names[query.hits[i].id], i + 1,
                             query.hits[i].score);
    }
    hits += query.hits.size();
  }
  file.commit();
  Record record;
  record.add("file", options.output);
  record.add("runs", options.runs.size());
  record.add("queries", fused.size());
  record.add("hits", hits);
  record.print(stdout, options.json);
}

void print(const Options& options, const std::vector<FusedQuery>& fused, const Names& names) {
  constexpr int kDigits = 4;
  const std::size_t shown = options.json ? fused.size() : std::min(fused.size(), kMostShown);
  Table table({"query", "rank", "label", "score"});
  for (std::size_t q = 0; q < shown; ++q) {
    for (std::size_t i = 0; i < fused[q].hits.size(); ++i) {
      const Ranked& hit = fused[q].hits[i];
      table.add({options.json || i == 0 ? Cell(fused[q].query) : Cell(), i + 1, Cell(names[hit.id]),
                 Cell(hit.score, significant_text(hit.score, kDigits))});
    }
  }
  table.print(stdout, options.json);
  if (shown < fused.size()) {
    std::fprintf(stderr,
                 "kith: note: the first %zu of %s queries; --output FILE or --json gives all\n",
                 shown, count_text(fused.size()).c_str());
  }
}

void run(const Options& options) {
  options.fusion.options(options.runs.size());  // before files are read
  if (!options.output.empty()) {
    for (const std::string& path : options.runs) check_distinct(options.output, path);
    check_writable(options.output);
  }
  std::vector<Run> runs;
  for (const std::string& path : options.runs) runs.push_back(read_run(path));
  const Names names(runs);
  const std::vector<FusedQuery> fused = fuse_all(options, runs, names);
  if (options.output.empty()) {
    print(options, fused, names);
  } else {
    write(options, fused, names);
  }
}

}  // namespace

void add_fuse(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("fuse", "Make one ranking of several (hybrid search)");
  verb->add_option("RUN", options->runs, "TREC runs, as kith search -o X.run writes them")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "Run to write (default: print a table)")
      ->type_name("FILE");
  add_fusion_choices(*verb, options->fusion, "--method", "run");
  verb->add_option("-k", options->k, "Hits a query (default: all)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith search texts.kith queries.tsv -k 100 -o sparse.run\n"
               "kith search vectors.kith queries.npy -k 100 -o dense.run\n"
               "kith fuse sparse.run dense.run -k 10 -o hybrid.run\n"
               "kith fuse sparse.run dense.run --method minmax --weights 0.3,0.7");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
