// kith lid: in how many directions vectors really spread, as a distribution over the vectors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "kith/error.h"
#include "kith/index.h"
#include "kith/lid.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string vectors, index, output, metric;
  std::size_t neighbours = 100, among = 0, sample = 0;
  ReadOptions read;
};

// Values that are defined, ascending.
std::vector<float> defined(const std::vector<float>& values) {
  std::vector<float> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
               [](float value) { return value > 0; });
  std::sort(kept.begin(), kept.end());
  return kept;
}

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

float percentile(const std::vector<float>& sorted, double part) {
  return sorted[static_cast<std::size_t>(
      std::lround(part * static_cast<double>(sorted.size() - 1)))];
}

Cell dimension(double value) { return {value, significant_text(value, 3)}; }

// Bars over equal steps up to the 99th percentile; the last one holds all that lies beyond.
std::string histogram(const std::vector<float>& sorted) {
  constexpr std::size_t kBins = 12, kWidest = 50;
  const double step = percentile(sorted, 0.99) / (kBins - 1);
  std::vector<std::size_t> counts(kBins, 0);
  for (const float value : sorted) {
    ++counts[std::min<std::size_t>(kBins - 1, static_cast<std::size_t>(value / step))];
  }
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  std::string text;
  for (std::size_t b = 0; b < kBins; ++b) {
    text += fmt::format(
        "{:>8} {:<{}} {}\n",
        fmt::format("{}{:.1f}", b + 1 == kBins ? ">= " : "", step * static_cast<double>(b)),
        std::string(kWidest * counts[b] / most, '#'), kWidest, count_text(counts[b]));
  }
  return text;
}

// What approximate neighbours cost: the mean LID of some vectors by them and by the true ones.
struct Check {
  double approximate = 0, exact = 0;
};

Check check_estimates(const AnyMatrixView& rows, LidOptions lid) {
  constexpr std::size_t kChecked = 300;
  const std::vector<Id> chosen =
      lid.of.empty()
          ? random_sample(rows.rows(), kChecked, lid.seed)
          : std::vector<Id>(lid.of.begin(), lid.of.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                 kChecked, lid.of.size())));
  lid.of = chosen;
  const std::vector<float> approximate = estimate_lid(rows, lid).lid;
  lid.index = nullptr;
  const std::vector<float> exact = estimate_lid(rows, lid).lid;
  std::vector<float> own, right;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (approximate[i] == 0 || exact[i] == 0) continue;
    own.push_back(approximate[i]);
    right.push_back(exact[i]);
  }
  return own.empty() ? Check{} : Check{mean(own), mean(right)};
}

void write_estimates(const Options& options, const LidEstimates& estimates, const Labels& labels,
                     const Control& control) {
  Matrix<float> rows(estimates.lid.size(), 2);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    rows(i, 0) = estimates.lid[i];
    rows(i, 1) = estimates.ratio[i];
  }
  WriteOptions write;
  write.control = control;
  write_vectors(options.output, rows, labels, write);
}

struct Measured {
  std::vector<Id> of;  // empty: of all
  Metric metric = Metric::l2;
  LidEstimates estimates;
  Check check;
};

Measured measure(const Options& options, const Vectors& base) {
  Measured measured;
  LidOptions lid;
  lid.metric = parse_metric(options.metric.empty() ? "l2" : options.metric);
  lid.neighbours = options.neighbours;
  lid.among = options.among;
  lid.seed = options.seed;
  lid.control = options.control();
  if (options.sample != 0 && options.sample < base.rows.rows()) {
    measured.of = random_sample(base.rows.rows(), options.sample, options.seed);
    lid.of = measured.of;
  }
  std::optional<Index> index;
  if (!options.index.empty()) {
    index = Index::open(options.index);
    check_dimension(options.index, *index, options.vectors, base.rows);
    if (!options.metric.empty() && lid.metric != index->metric()) {
      throw Error(ErrorCode::invalid_argument, "--metric " + options.metric + ", but " +
                                                   options.index + " was built for " +
                                                   std::string(name(index->metric())));
    }
    lid.metric = index->metric();
    lid.index = &*index;
  }
  measured.metric = lid.metric;
  measured.estimates =
      naming("base", options.vectors, [&] { return estimate_lid(base.rows, lid); });
  if (index) measured.check = check_estimates(base.rows, lid);
  return measured;
}

void report(const Options& options, const Vectors& base, const Measured& measured,
            const Stopwatch& watch) {
  const std::vector<float> lids = defined(measured.estimates.lid);
  Record record;
  record.add("vectors", base.rows.rows());
  record.add("dim", "dimension", base.rows.dim());
  record.add("metric", name(measured.metric));
  if (!measured.of.empty()) record.add("sample", "LID of", measured.of.size());
  record.add("neighbours", options.neighbours);
  if (options.among != 0) record.add("among", "neighbours among", options.among);
  if (!lids.empty()) {
    record.add("mean", "LID mean", dimension(mean(lids)));
    for (const int part : {5, 25, 50, 75, 95}) {
      record.add("p" + std::to_string(part),
                 part == 50 ? "LID median" : "LID " + std::to_string(part) + " %",
                 dimension(percentile(lids, part / 100.0)));
    }
  }
  record.add("undefined", "without a LID", measured.estimates.undefined);
  record.add("two_nearest", "two nearest", dimension(measured.estimates.two_nearest));
  if (measured.check.exact > 0) {
    record.add("checked_mean", "mean of some, index", dimension(measured.check.approximate));
    record.add("checked_exact", "the same, exact", dimension(measured.check.exact));
  }
  const Times times(watch);
  add_times(record, times);
  if (!options.output.empty()) record.add("output", options.output);
  record.print(stdout, options.json);
  if (!options.json && !lids.empty()) std::printf("\n%s", histogram(lids).c_str());
}

void run(const Options& options) {
  if (!options.output.empty()) {
    check_distinct(options.output, options.vectors);
    check_writable(options.output);
  }
  ReadOptions read = options.read;
  read.control = options.control();
  read.check_finite = false;  // the searches check, too
  const Vectors base = read_vectors(options.vectors, read);
  const Stopwatch watch;
  const Measured measured = measure(options, base);
  if (!options.output.empty()) {
    const bool all = measured.of.empty();
    write_estimates(options, measured.estimates,
                    all ? base.labels : base.labels.select(measured.of), read.control);
  }
  report(options, base, measured, watch);
}

}  // namespace

void add_lid(CLI::App& root) {
  constexpr std::size_t kMostNeighbours = 10000;
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("lid", "Local intrinsic dimension of vectors");
  verb->add_option("VECTORS", options->vectors, "File of vectors")->required()->type_name("");
  verb->add_option("-k,--neighbours", options->neighbours,
                   "Neighbours that a LID is estimated from (default: 100)")
      ->check(whole_number(2, kMostNeighbours))
      ->type_name("N");
  verb->add_option("--metric", options->metric, "l2, ip (as l2) or cosine (default: l2)")
      ->type_name("NAME");
  verb->add_option("--sample", options->sample,
                   "Of so many vectors, drawn at random (default: all)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("--among", options->among,
                   "Seek neighbours among so many vectors, sampled (default: all)")
      ->check(whole_number(3, kMaxVectors))
      ->type_name("N");
  verb->add_option("--index", options->index,
                   "Take the neighbours that this index of the vectors finds: quicker, and\n"
                   "compared with the true ones of up to 300 vectors")
      ->type_name("FILE");
  verb->add_option("-o,--output", options->output,
                   "File to write: for each vector its LID and r2 / r1 (0: undefined)")
      ->type_name("FILE");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith lid words.fbin --metric cosine\n"
               "kith lid base.fvecs -k 20 -o lid.npy\n"
               "kith lid large.fbin --sample 2000\n"
               "kith lid large.fbin --index large.kith\n"
               "kith lid large.fbin --among 50000 --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
