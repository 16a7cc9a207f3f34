// kith exact: the true nearest neighbours of queries, by comparing with every vector, or every set.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/maxsim.h"
#include "kith/vector_sets.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string base, queries, output, metric = "l2";
  std::size_t k = 100;
  bool multi = false;
  ReadOptions read;
};

// Files hold the metric's customary values.
void to_customary(Metric metric, Neighbours& found) {
  for (std::size_t i = 0; i < found.queries(); ++i) {
    for (std::size_t j = 0; j < found.k(); ++j) {
      float& distance = found.distances(i, j);
      if (found.ids(i, j) != kNoId) distance = customary(metric, distance);
    }
  }
}

void check_same_dimension(const std::string& path, std::size_t dim, const std::string& base,
                          std::size_t base_dim) {
  if (dim == base_dim) return;
  throw Error(ErrorCode::invalid_argument, path + ": " + std::to_string(dim) + " dimensions, but " +
                                               base + " has " + std::to_string(base_dim));
}

void note_if_fewer(const Options& options, std::size_t size, const char* what) {
  if (size >= options.k) return;
  std::fprintf(stderr, "kith: note: k = %zu, but %s has %zu %s: wrote %zu a query\n", options.k,
               options.base.c_str(), size, what, size);
}

void add_rates(Record& record, std::size_t queries, double operations, double wall, double cpu) {
  const auto count = static_cast<double>(queries);
  record.add("seconds", Cell(wall, seconds_text(wall)));
  record.add("cpu_seconds", "CPU time", Cell(cpu, seconds_text(cpu)));
  record.add("qps_wall", "queries/s", Cell(count / wall, rate_text(count / wall)));
  record.add("qps_cpu", "queries per CPU second", Cell(count / cpu, rate_text(count / cpu)));
  record.add("gflops_cpu", "GFLOP per CPU second",
             Cell(1e-9 * operations / cpu, significant_text(1e-9 * operations / cpu, 3)));
}

void report(const Options& options, std::size_t k, const AnyMatrixView& base,
            const AnyMatrixView& queries, double wall, double cpu) {
  const double operations = 2 * static_cast<double>(queries.rows()) *
                            static_cast<double>(base.rows()) * static_cast<double>(base.dim());
  Record record;
  record.add("vectors", base.rows());
  record.add("queries", queries.rows());
  record.add("dim", base.dim());
  record.add("metric", options.metric);
  record.add("k", k);
  add_rates(record, queries.rows(), operations, wall, cpu);
  record.add("output", options.output);
  record.print(stdout, options.json);
}

void find_exact(const Options& options) {
  ExactOptions search;
  search.metric = parse_metric(options.metric);
  search.control = options.control();
  ReadOptions read = options.read;
  read.control = search.control;
  read.check_finite = false;  // the search checks, too
  const Vectors base = read_vectors(options.base, read);
  const Vectors queries = read_vectors(options.queries, read);
  check_same_dimension(options.queries, queries.rows.dim(), options.base, base.rows.dim());
  search.k = std::min(options.k, std::max<std::size_t>(base.rows.rows(), 1));
  check_writable(options.output);
  const Stopwatch watch;
  Neighbours found = exact_search(base.rows, queries.rows, search);
  const double wall = watch.wall_seconds(), cpu = watch.cpu_seconds();
  to_customary(search.metric, found);
  WriteOptions write;
  write.control = search.control;
  write_neighbours(options.output, found, write);
  note_if_fewer(options, base.rows.rows(), "vectors");
  report(options, search.k, base.rows, queries.rows, wall, cpu);
}

// By MaxSim.
void find_exact_sets(const Options& options) {
  ReadOptions read = options.read;
  read.control = options.control();
  read.check_finite = false;  // the search checks, too
  const VectorSets base = read_vector_sets(options.base, read);
  const VectorSets queries = read_vector_sets(options.queries, read);
  check_same_dimension(options.queries, queries.sets.dim(), options.base, base.sets.dim());
  const std::size_t k = std::min(options.k, base.sets.size());
  check_writable(options.output);
  const Stopwatch watch;
  Neighbours found = naming("base", options.base, [&] {
    return naming("query", options.queries, [&] {
      return exact_maxsim(base.sets, queries.sets, {.k = k, .control = read.control});
    });
  });
  const double wall = watch.wall_seconds(), cpu = watch.cpu_seconds();
  to_customary(Metric::ip, found);
  WriteOptions write;
  write.control = read.control;
  write_neighbours(options.output, found, write);
  note_if_fewer(options, base.sets.size(), "sets");
  const auto products = static_cast<double>(queries.sets.total()) *
                        static_cast<double>(base.sets.total()) *
                        static_cast<double>(base.sets.dim());
  Record record;
  record.add("sets", base.sets.size());
  record.add("vectors", "their vectors", base.sets.total());
  record.add("queries", queries.sets.size());
  record.add("query_vectors", "their vectors", queries.sets.total());
  record.add("dim", base.sets.dim());
  record.add("metric", "maxsim");
  record.add("k", k);
  add_rates(record, queries.sets.size(), 2 * products, wall, cpu);
  record.add("output", options.output);
  record.print(stdout, options.json);
}

void run(const Options& options, bool metric_given) {
  if (!options.multi) return find_exact(options);
  if (metric_given) {
    throw Error(ErrorCode::invalid_argument,
                "--metric: " + options.metric + ", but sets are compared by MaxSim of products");
  }
  find_exact_sets(options);
}

}  // namespace

void add_exact(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("exact", "Find the true neighbours of queries");
  verb->add_option("BASE", options->base, "File of vectors to search")->required();
  verb->add_option("QUERIES", options->queries, "File of vectors to search for")->required();
  verb->add_option("-o,--output", options->output, "Neighbour lists: .ibin, .ivecs, .npy or .hdf5")
      ->required();
  verb->add_option("-k", options->k, "Neighbours a query (default: 100)")
      ->check(CLI::Range(std::size_t{1}, kMaxVectors));
  CLI::Option* metric =
      verb->add_option("--metric", options->metric, "l2, ip or cosine (default: l2)");
  verb->add_flag("--multi", options->multi,
                 "BASE and QUERIES are sets of vectors, compared by MaxSim");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith exact base.fvecs queries.fvecs -k 100 -o truth.ibin\n"
               "kith exact words.safetensors questions.npy -k 10 --metric cosine -o truth.ibin\n"
               "kith exact sift.bvecs queries.bvecs -o truth.ivecs --threads 4 --json\n"
               "kith exact tokens.npz questions.npz --multi -k 100 -o truth.ibin");
  verb->callback([options, metric] { run(*options, metric->count() != 0); });
}

}  // namespace kith::cli
