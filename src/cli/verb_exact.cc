// kith exact: the true nearest neighbours of queries, by comparing with every vector.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string base, queries, output, metric = "l2";
  std::size_t k = 100;
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

void report(const Options& options, std::size_t k, const AnyMatrixView& base,
            const AnyMatrixView& queries, double wall, double cpu) {
  const auto count = static_cast<double>(queries.rows());
  const double operations =
      2 * count * static_cast<double>(base.rows()) * static_cast<double>(base.dim());
  Record record;
  record.add("vectors", base.rows());
  record.add("queries", queries.rows());
  record.add("dim", base.dim());
  record.add("metric", options.metric);
  record.add("k", k);
  record.add("seconds", Cell(wall, seconds_text(wall)));
  record.add("cpu_seconds", "CPU time", Cell(cpu, seconds_text(cpu)));
  record.add("qps_wall", "queries/s", Cell(count / wall, rate_text(count / wall)));
  record.add("qps_cpu", "queries per CPU second", Cell(count / cpu, rate_text(count / cpu)));
  record.add("gflops_cpu", "GFLOP per CPU second",
             Cell(1e-9 * operations / cpu, significant_text(1e-9 * operations / cpu, 3)));
  record.add("output", options.output);
  record.print(stdout, options.json);
}

void find_exact(const Options& options) {
  ExactOptions search;
  search.metric = parse_metric(options.metric);
  search.control = options.control();
  ReadOptions read;
  read.control = search.control;
  read.check_finite = false;  // the search checks, too
  const Vectors base = read_vectors(options.base, read);
  const Vectors queries = read_vectors(options.queries, read);
  if (queries.rows.dim() != base.rows.dim()) {
    throw Error(ErrorCode::invalid_argument,
                options.queries + ": " + std::to_string(queries.rows.dim()) + " dimensions, but " +
                    options.base + " has " + std::to_string(base.rows.dim()));
  }
  search.k = std::min(options.k, std::max<std::size_t>(base.rows.rows(), 1));
  check_writable(options.output);
  const Stopwatch watch;
  Neighbours found = exact_search(base.rows, queries.rows, search);
  const double wall = watch.wall_seconds(), cpu = watch.cpu_seconds();
  to_customary(search.metric, found);
  WriteOptions write;
  write.control = search.control;
  write_neighbours(options.output, found, write);
  if (search.k < options.k) {
    std::fprintf(stderr, "kith: note: k = %zu, but %s has %zu vectors: wrote %zu a query\n",
                 options.k, options.base.c_str(), base.rows.rows(), search.k);
  }
  report(options, search.k, base.rows, queries.rows, wall, cpu);
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
  verb->add_option("--metric", options->metric, "l2, ip or cosine (default: l2)");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith exact base.fvecs queries.fvecs -k 100 -o truth.ibin\n"
               "kith exact words.safetensors questions.npy -k 10 --metric cosine -o truth.ibin\n"
               "kith exact sift.bvecs queries.bvecs -o truth.ivecs --threads 4 --json");
  verb->callback([options] { find_exact(*options); });
}

}  // namespace kith::cli
