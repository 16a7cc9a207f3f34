// kith tune: the smallest beam that reaches a recall, found on half the queries, checked on the
// other half, and stored in the index.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "cli/cli.h"
#include "cli/disk_options.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/measure.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

constexpr std::size_t kMostBeam = 4096;   // beyond it, a finer codec is the better answer
constexpr double kMeasuredSeconds = 0.5;  // a row of the report

struct Options : CommonOptions {
  std::string index, queries, truth, output;
  std::size_t k = 10;
  double recall = 0.95;
  DiskChoices disk;
  ReadOptions read;
};

// Some of the queries, as floats, with their truth.
struct Half {
  Matrix<float> queries;
  Neighbours truth;
};

Half take(const AnyMatrixView& queries, const Neighbours& truth, const std::uint32_t* rows,
          std::size_t count) {
  Half half{Matrix<float>(count, queries.dim()), Neighbours(count, truth.k())};
  const bool has_distances = truth.distances.rows() > 0;
  if (!has_distances) half.truth.distances = Matrix<float>();
  for (std::size_t q = 0; q < count; ++q) {
    queries.copy_row(rows[q], half.queries.row(q));
    for (std::size_t i = 0; i < truth.k(); ++i) {
      half.truth.ids(q, i) = truth.ids(rows[q], i);
      if (has_distances) half.truth.distances(q, i) = truth.distances(rows[q], i);
    }
  }
  return half;
}

// A random split, so that queries sorted by some property are in both halves.
std::pair<Half, Half> split(const AnyMatrixView& queries, const Neighbours& truth,
                            std::uint64_t seed) {
  const std::vector<std::uint32_t> order = random_permutation(queries.rows(), seed);
  const std::size_t half = queries.rows() / 2;
  return {take(queries, truth, order.data(), half),
          take(queries, truth, order.data() + half, queries.rows() - half)};
}

class Tuner {
 public:
  Tuner(const Index& index, const Half& half, std::size_t k, const Control& control)
      : index_(index), half_(half), k_(k), control_(control) {}

  double recall(std::size_t beam) const {
    return recall_at(index_.search(half_.queries, k_, SearchOptions{beam, 0, control_}),
                     half_.truth, k_);
  }

  // Doubles the beam until the recall is reached, then halves the gap. Throws when no beam does.
  std::size_t smallest_beam(double wanted) const {
    const std::size_t most = std::max(kMostBeam, k_);
    std::size_t below = k_ - 1, beam = k_;
    for (double seen = 0; (seen = recall(beam)) < wanted; beam = std::min(2 * beam, most)) {
      if (beam >= std::min(most, index_.size())) refuse(wanted, seen, beam);
      below = beam;
    }
    while (beam - below > 1) {
      const std::size_t middle = below + (beam - below) / 2;
      (recall(middle) < wanted ? below : beam) = middle;
    }
    return beam;
  }

 private:
  [[noreturn]] static void refuse(double wanted, double seen, std::size_t beam) {
    throw Error(ErrorCode::unsupported,
                "recall " + fmt::format("{:g}", wanted) + " is out of reach: " +
                    fixed_text(seen, 4) + " at beam " + std::to_string(beam) +
                    "; a finer codec, one with '+' or a larger degree goes further");
  }

  const Index& index_;
  const Half& half_;
  const std::size_t k_;
  const Control& control_;
};

void add_row(Table& table, const std::string& setting, std::size_t beam, const Index& index,
             const Half& held_out, const Options& options, const Control& control) {
  const double recall = Tuner(index, held_out, options.k, control).recall(beam);
  Control one = control;
  one.threads = 1;
  const AnyMatrixView queries(held_out.queries);
  const std::size_t count =
      queries_within(kMeasuredSeconds, index, queries, options.k, beam, control);
  const Rates rates = measure(index, queries, options.k, beam, count, one);
  table.add({setting, beam, Cell(recall, fixed_text(recall, 4)),
             Cell(rates.qps_cpu, rate_text(rates.qps_cpu)),
             Cell(rates.p50_us, seconds_text(rates.p50_us * 1e-6)),
             Cell(rates.p99_us, seconds_text(rates.p99_us * 1e-6))});
}

void run(const Options& options) {
  const Control control = options.control();
  const std::string& output = options.output.empty() ? options.index : options.output;
  check_distinct(output, options.queries);
  check_distinct(output, options.truth);
  Index index = Index::open(options.index, open_options(options.disk, true));
  if (index.info().kind == "flat") {
    throw Error(ErrorCode::invalid_argument,
                options.index + ": a flat index is exact, there is no beam to tune");
  }
  check_writable(output);
  ReadOptions read = options.read;
  read.control = control;
  const Vectors queries = read_vectors(options.queries, read);
  check_dimension(options.index, index, options.queries, queries.rows);
  if (queries.rows.rows() < 2) {
    throw Error(ErrorCode::invalid_argument,
                options.queries + ": 1 query, expected at least 2 to tune and to check on");
  }
  const Neighbours truth =
      read_truth(options.truth, queries.rows.rows(), options.k, index.id_limit(), control);

  const auto [tuning, held_out] = split(queries.rows, truth, options.seed);
  const std::size_t before = index.info().default_beam;
  const std::size_t beam = Tuner(index, tuning, options.k, control).smallest_beam(options.recall);
  Table table({"setting",
               "beam",
               {"recall", "recall@" + std::to_string(options.k)},
               {"qps_cpu", "queries/CPU-s"},
               {"p50_us", "p50"},
               {"p99_us", "p99"}});
  if (before > 0) add_row(table, "before", before, index, held_out, options, control);
  add_row(table, "tuned", beam, index, held_out, options, control);
  index.set_default_beam(beam, options.recall);
  index.save(output, control);

  if (!options.json) {
    fmt::print("{}: beam {} stored; tuned on {} queries for recall {:g}, measured on {} others\n\n",
               output, beam, count_text(tuning.queries.rows()), options.recall,
               count_text(held_out.queries.rows()));
  }
  table.print(stdout, options.json);
}

}  // namespace

void add_tune(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      root.add_subcommand("tune", "Find and store the smallest beam that reaches a recall");
  verb->add_option("INDEX", options->index, "Index file")->required()->type_name("");
  verb->add_option("QUERIES", options->queries, "File of query vectors")->required()->type_name("");
  verb->add_option("TRUTH", options->truth, "Their true neighbours, from kith exact")
      ->required()
      ->type_name("");
  verb->add_option("--recall", options->recall, "recall@k to reach (default: 0.95)")
      ->check(number_above(0, 1))
      ->type_name("R");
  verb->add_option("-k", options->k, "Neighbours a query (default: 10)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("-o,--output", options->output,
                   "Index file to write (default: replace INDEX, atomically)")
      ->type_name("FILE");
  add_disk_options(*verb, options->disk);
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith tune words.kith queries.fvecs truth.ibin --recall 0.95\n"
               "kith tune words.kith queries.fvecs truth.ibin --recall 0.99 -o careful.kith");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
