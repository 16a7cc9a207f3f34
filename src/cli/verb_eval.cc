// kith eval: recall against rate over a sweep of beams, or of numbers of candidates.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "cli/cli.h"
#include "cli/disk_options.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/inverted.h"
#include "cli/measure.h"
#include "cli/multi.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/svg_plot.h"
#include "cli/table.h"
#include "cli/verify_options.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"
#include "kith/set_index.h"

namespace kith::cli {
namespace {

constexpr std::size_t kDefaultBeams[] = {10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640};
constexpr double kNearlyPerfect = 0.9995;  // recall at which the default sweep stops

struct Options : CommonOptions {
  std::string index, queries, truth, beams, candidates, svg;
  std::size_t k = 10, rounds = 5;
  double seconds = 1.5;  // of measuring a point
  VerifyChoices verify;
  DiskChoices disk;
  ReadOptions read;
};

struct Point {
  std::size_t setting = 0;
  double recall = 0;
  double read_bytes = 0;                   // from vectors on disk, a query of a batch of all
  std::size_t count = 0;                   // single queries a round on one thread
  std::vector<std::vector<Rates>> rounds;  // by number of threads, then round
};

// What is measured: an index of vectors at several beams, one of sets, or one that another model's
// vectors verify, at several numbers of candidates.
struct Subject {
  std::string knob, summary;
  std::vector<std::size_t> settings;
  bool given = false;  // the settings are the user's: all are measured
  std::size_t queries = 0;
  Neighbours truth;
  std::function<Neighbours(std::size_t setting, const Control&)> search;
  std::function<void(std::size_t setting, std::size_t query)> ask;  // on one thread
  std::function<std::size_t()> read_bytes;  // so far; null: nothing is on disk
};

std::vector<std::size_t> beams(const Options& options, const IndexInfo& info) {
  if (info.kind == "flat") return {0};  // exact: there is nothing to sweep
  if (!options.beams.empty()) return parse_counts("--beams", options.beams, 1, kMaxVectors);
  std::vector<std::size_t> result;
  for (const std::size_t beam : kDefaultBeams) {
    if (beam >= options.k) result.push_back(beam);
  }
  if (result.empty()) result = {options.k, 2 * options.k, 4 * options.k};
  return result;
}

std::vector<std::size_t> thread_counts(const Control& control) {
  const std::size_t all = thread_count(control);
  return all == 1 ? std::vector<std::size_t>{1} : std::vector<std::size_t>{1, all};
}

Control one_thread(const Control& control) {
  Control one = control;
  one.threads = 1;
  one.progress = nullptr;
  return one;
}

// An index of vectors with its queries.
struct Opened {
  std::shared_ptr<Index> index;
  Vectors queries;
};

Opened open_vectors(const Options& options, const ReadOptions& read) {
  Opened opened{
      std::make_shared<Index>(Index::open(options.index, open_options(options.disk, true))),
      read_vectors(options.queries, read)};
  check_dimension(options.index, *opened.index, options.queries, opened.queries.rows);
  return opened;
}

Subject vectors_subject(const Options& options, const Control& control) {
  if (!options.candidates.empty()) {
    throw Error(ErrorCode::invalid_argument, "--candidates: sets of vectors have such, but " +
                                                 options.index + " is no index of sets");
  }
  ReadOptions read = options.read;
  read.control = control;
  const Opened opened = open_vectors(options, read);
  const auto index = opened.index;
  const Vectors queries = opened.queries;
  Subject subject;
  subject.knob = "beam";
  subject.summary = summary(index->info());
  subject.settings = beams(options, index->info());
  subject.given = !options.beams.empty();
  subject.queries = queries.rows.rows();
  subject.truth = read_truth(options.truth, subject.queries, options.k, index->id_limit(), control);
  const std::size_t k = options.k;
  subject.search = [=](std::size_t beam, const Control& how) {
    return index->search(queries.rows, k, SearchOptions{beam, 0, how});
  };
  subject.ask = [=, one = one_thread(control)](std::size_t beam, std::size_t query) {
    index->search(queries.rows.slice(query, 1), k, SearchOptions{beam, 0, one});
  };
  if (!index->info().disk.file.empty()) {
    subject.read_bytes = [=] { return index->info().disk.read_bytes; };
  }
  return subject;
}

// k candidates, two times as many, five times, ten times ... up to all.
std::vector<std::size_t> candidate_counts(const Options& options, std::size_t sets) {
  if (!options.candidates.empty()) {
    return parse_counts("--candidates", options.candidates, 1, kMaxVectors);
  }
  std::vector<std::size_t> result;
  for (std::size_t decade = options.k; result.size() < 15; decade *= 10) {
    for (const std::size_t times : {1, 2, 5}) {
      if (times * decade < sets || result.empty()) result.push_back(times * decade);
    }
    if (decade >= sets) break;
  }
  return result;
}

Subject sets_subject(const Options& options, const Control& control) {
  if (!options.beams.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--beams: " + options.index + " is an index of sets; it takes --candidates");
  }
  const auto index = std::make_shared<SetIndex>(SetIndex::open(options.index, {.in_memory = true}));
  const VectorSets queries =
      read_query_sets(options.queries, *index, options.index, options.read, control);
  Subject subject;
  subject.knob = "candidates";
  subject.summary = summary(index->info());
  subject.settings = candidate_counts(options, index->size());
  subject.given = !options.candidates.empty();
  subject.queries = queries.sets.size();
  subject.truth = read_truth(options.truth, subject.queries, options.k, index->size(), control);
  const std::size_t k = options.k;
  subject.search = [=](std::size_t candidates, const Control& how) {
    return index->search(queries.sets, k, {.candidates = candidates, .control = how});
  };
  subject.ask = [=, one = one_thread(control)](std::size_t candidates, std::size_t query) {
    index->search(queries.sets.slice(query, 1), k, {.candidates = candidates, .control = one});
  };
  return subject;
}

// Of numbers of candidates that are read for a query; the breadth of the search for them is one.
Subject verified_subject(const Options& options, const Control& control) {
  constexpr std::size_t kMostTimes = 100;  // as many as k, unless told: each costs a read
  ReadOptions read = options.read;
  read.control = control;
  const Opened opened = open_vectors(options, read);
  const auto index = opened.index;
  const auto verified =
      std::make_shared<VerifiedIndex>(*index, options.index, options.verify, options.disk);
  verified->take_queries(opened.queries.rows, options.queries, read);
  const std::vector<std::size_t> beams =
      options.beams.empty() ? std::vector<std::size_t>{0}
                            : parse_counts("--beams", options.beams, 1, kMaxVectors);
  if (beams.size() > 1) {
    throw Error(
        ErrorCode::invalid_argument,
        "--beams: '" + options.beams + "', but with --verify candidates vary: expected one");
  }
  Subject subject;
  subject.knob = "candidates";
  subject.summary = summary(index->info()) + "; verified by " + verified->summary();
  subject.settings = candidate_counts(options, std::min(index->size(), kMostTimes * options.k + 1));
  subject.given = !options.candidates.empty();
  subject.queries = opened.queries.rows.rows();
  subject.truth = read_truth(options.truth, subject.queries, options.k, index->id_limit(), control);
  const std::size_t k = options.k, beam = beams.front();
  // Everything that the searches need stays with them.
  const auto search = [opened, verified, k, beam](std::size_t first, std::size_t count,
                                                  std::size_t candidates, const Control& how) {
    return verified->search(opened.queries.rows.slice(first, count), first, k, candidates,
                            SearchOptions{beam, 0, how});
  };
  subject.search = [search, all = subject.queries](std::size_t candidates, const Control& how) {
    return search(0, all, candidates, how);
  };
  subject.ask = [search, one = one_thread(control)](std::size_t candidates, std::size_t query) {
    search(query, 1, candidates, one);
  };
  subject.read_bytes = [=] { return index->info().disk.read_bytes + verified->read_bytes(); };
  return subject;
}

Subject subject_of(const Options& options, const Control& control) {
  check_verify_options(options.verify);
  const bool sets = kind_of_index(options.index) == IndexKind::sets;
  if (!options.verify.file.empty()) {
    if (!sets) return verified_subject(options, control);
    throw Error(ErrorCode::invalid_argument,
                "--verify: " + options.index + " is an index of sets, expected one of vectors");
  }
  return sets ? sets_subject(options, control) : vectors_subject(options, control);
}

// Recall at each setting, up to where more finds nothing more.
std::vector<Point> find_recalls(const Options& options, const Subject& subject,
                                const Control& control) {
  std::vector<Point> points;
  for (const std::size_t setting : subject.settings) {
    Point point;
    point.setting = setting;
    const std::size_t before = subject.read_bytes ? subject.read_bytes() : 0;
    point.recall = recall_at(subject.search(setting, control), subject.truth, options.k);
    if (subject.read_bytes) {
      point.read_bytes =
          static_cast<double>(subject.read_bytes() - before) / static_cast<double>(subject.queries);
    }
    points.push_back(std::move(point));
    if (!subject.given && points.back().recall >= kNearlyPerfect) break;
  }
  return points;
}

// Rounds are interleaved, so that a busy moment of the machine touches every point alike.
void measure_rates(const Options& options, const Subject& subject,
                   const std::vector<std::size_t>& threads, const Control& control,
                   std::vector<Point>& points) {
  const double share =
      options.seconds / static_cast<double>(options.rounds) / static_cast<double>(threads.size());
  const auto ask = [&](const Point& point) {
    return [&subject, setting = point.setting](std::size_t query) { subject.ask(setting, query); };
  };
  Progress progress(control, "measuring", points.size() * threads.size() * options.rounds);
  for (Point& point : points) {
    point.rounds.resize(threads.size());
    point.count = queries_within(share, ask(point), subject.queries, control);
  }
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (Point& point : points) {
      for (std::size_t t = 0; t < threads.size(); ++t) {
        Control callers = control;
        callers.threads = threads[t];
        point.rounds[t].push_back(
            measure(ask(point), subject.queries, point.count * threads[t], callers));
        progress.add(1);
      }
    }
  }
}

Table result_table(const Options& options, const Subject& subject,
                   const std::vector<std::size_t>& threads, const std::vector<Point>& points) {
  std::vector<Table::Column> columns = {subject.knob.c_str(),
                                        "threads",
                                        {"recall", "recall@" + std::to_string(options.k)},
                                        {"qps_cpu", "queries/CPU-s"},
                                        {"qps_wall", "queries/s"},
                                        {"p50_us", "p50"},
                                        {"p99_us", "p99"}};
  if (subject.read_bytes) columns.push_back({"read_bytes", "read/query"});
  Table table(std::move(columns));
  for (std::size_t t = 0; t < threads.size(); ++t) {
    for (const Point& point : points) {
      const Rates rates = median(point.rounds[t]);
      std::vector<Cell> row = {
          Cell(point.setting, point.setting == 0 ? "-" : std::to_string(point.setting)),
          threads[t],
          Cell(point.recall, fixed_text(point.recall, 4)),
          Cell(rates.qps_cpu, rate_text(rates.qps_cpu)),
          Cell(rates.qps_wall, rate_text(rates.qps_wall)),
          Cell(rates.p50_us, seconds_text(rates.p50_us * 1e-6)),
          Cell(rates.p99_us, seconds_text(rates.p99_us * 1e-6))};
      if (subject.read_bytes) row.emplace_back(point.read_bytes, bytes_text(point.read_bytes));
      table.add(std::move(row));
    }
  }
  return table;
}

void write_svg(const Options& options, const std::vector<std::size_t>& threads,
               const std::vector<Point>& points) {
  std::vector<PlotSeries> series;
  for (std::size_t t = 0; t < threads.size(); ++t) {
    PlotSeries one;
    one.name = std::to_string(threads[t]) + (threads[t] == 1 ? " thread" : " threads");
    for (const Point& point : points) {
      one.points.emplace_back(point.recall, median(point.rounds[t]).qps_wall);
    }
    series.push_back(std::move(one));
  }
  AtomicFile file(options.svg);
  file.write(svg_plot(options.index, "recall@" + std::to_string(options.k), "queries/s", series));
  file.commit();
}

void run(const Options& options) {
  if (!options.svg.empty()) check_writable(options.svg);
  const Control control = options.control();
  const Subject subject = subject_of(options, control);
  std::vector<Point> points = find_recalls(options, subject, control);
  const std::vector<std::size_t> threads = thread_counts(control);
  measure_rates(options, subject, threads, control, points);
  if (!options.json) {
    fmt::print("{}: {}; {} queries, medians of {} rounds\n\n", options.index, subject.summary,
               count_text(subject.queries), options.rounds);
  }
  result_table(options, subject, threads, points).print(stdout, options.json);
  if (!options.svg.empty()) write_svg(options, threads, points);
}

}  // namespace

void add_eval(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand(
      "eval", "Measure recall against rate, over a sweep of beams or candidates");
  verb->add_option("INDEX", options->index, "Index file")->required()->type_name("");
  verb->add_option("QUERIES", options->queries, "File of query vectors, or of sets of them")
      ->required()
      ->type_name("");
  verb->add_option("TRUTH", options->truth, "Their true neighbours, from kith exact")
      ->required()
      ->type_name("");
  verb->add_option("-k", options->k, "Neighbours a query (default: 10)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("--beams", options->beams,
                   "Breadths to try (default: from k upwards until recall is nearly 1)")
      ->type_name("N,N,...");
  verb->add_option(
          "--candidates", options->candidates,
          "Of an index of sets, or with --verify: numbers of candidates to try, in the same\n"
          "way")
      ->type_name("N,N,...");
  verb->add_option("--rounds", options->rounds, "Rounds to take the median of (default: 5)")
      ->check(whole_number(1, 1000))
      ->type_name("N");
  verb->add_option("--seconds", options->seconds, "Time to measure a beam for (default: 1.5)")
      ->check(number_above(0, 3600))
      ->type_name("S");
  verb->add_option("--svg", options->svg, "Plot recall against rate into this file")
      ->type_name("FILE");
  add_verify_options(*verb, options->verify);
  add_disk_options(*verb, options->disk);
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith exact base.fvecs queries.fvecs -k 100 -o truth.ibin\n"
               "kith eval base.kith queries.fvecs truth.ibin\n"
               "kith eval base.kith queries.fvecs truth.ibin --beams 20,40,80 --svg rates.svg\n"
               "kith eval base.kith queries.fvecs truth.ibin -k 1 --threads 1 --json\n"
               "kith eval x.kith queries.npy truth.ibin --verify x.kith.verify \\\n"
               "    --verify-queries large.npy --candidates 100,1000\n"
               "kith eval tokens.kith questions.npz truth.ibin --candidates 50,100,200");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
