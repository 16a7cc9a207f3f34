// kith bench scaling: a build and batches of searches on one thread, two, four ... up to all
// processors, interleaved in rounds so that whatever else the machine does meets them alike.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "cli/build_choices.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/measure.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "kith/error.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

constexpr std::size_t kK = 10;
constexpr std::size_t kRowsAsQueries = 1000;  // where no queries are given

struct Options : CommonOptions {
  std::string base, queries;
  std::size_t rounds = 3;
  double seconds = 1;
  BuildChoices build;
  ReadOptions read;
};

// What a task took on one number of threads, a value a round.
struct Series {
  std::vector<double> wall, cpu, rate;

  void add(const Times& times, double done) {
    wall.push_back(times.wall);
    cpu.push_back(times.cpu);
    rate.push_back(done / times.wall);
  }
};

// 1, 2, 4 ... and `most` itself.
std::vector<std::size_t> thread_counts(std::size_t most) {
  std::vector<std::size_t> counts;
  for (std::size_t threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

void add_rows(Table& table, const char* task, const std::vector<std::size_t>& threads,
              const std::vector<Series>& all, const char* unit) {
  const double alone = median(all.front().wall);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    const double wall = median(all[i].wall), cpu = median(all[i].cpu), rate = median(all[i].rate);
    const double speed_up = alone / wall, share = speed_up / static_cast<double>(threads[i]);
    table.add({task, threads[i], Cell(wall, fixed_text(wall, 2)), Cell(cpu, fixed_text(cpu, 2)),
               Cell(speed_up, fixed_text(speed_up, 2)), Cell(share, fixed_text(share, 2)),
               Cell(rate, count_text(static_cast<std::size_t>(rate)) + unit)});
  }
}

void run(const Options& options) {
  BuildOptions build = options.build.build_options(options);
  ReadOptions read = options.read;
  read.control = build.control;
  const Vectors base = read_vectors(options.base, read);
  Vectors given;
  Matrix<float> sample;
  AnyMatrixView queries;
  if (options.queries.empty()) {
    sample = copy_rows(base.rows, random_sample(base.rows.rows(), kRowsAsQueries, options.seed));
    queries = sample.view();
  } else {
    given = read_vectors(options.queries, read);
    queries = given.rows;
  }
  if (queries.dim() != base.rows.dim()) {
    throw Error(ErrorCode::invalid_argument,
                options.queries + ": " + std::to_string(queries.dim()) + " dimensions, but " +
                    options.base + " has " + std::to_string(base.rows.dim()));
  }

  const Control control = build.control;
  const std::vector<std::size_t> threads = thread_counts(thread_count(control));
  std::vector<Series> building(threads.size()), searching(threads.size());
  build.control = without_progress(control);
  Progress progress(control, "rounds", options.rounds * threads.size());
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < threads.size(); ++i) {
      build.control.threads = threads[i];
      const Stopwatch watch;
      const Index index =
          naming("base", options.base, [&] { return Index::build(base.rows, base.labels, build); });
      building[i].add(Times(watch), static_cast<double>(base.rows.rows()));
      SearchOptions search;
      search.control = build.control;
      index.search(queries, kK, search);  // what is touched first costs more
      const Stopwatch asking;
      std::size_t asked = 0;
      do {
        index.search(queries, kK, search);
        asked += queries.rows();
      } while (asking.wall_seconds() < options.seconds);
      // As if for the queries once, so that the rounds can be compared.
      Times times(asking);
      const double passes = static_cast<double>(asked) / static_cast<double>(queries.rows());
      times.wall /= passes;
      times.cpu /= passes;
      searching[i].add(times, static_cast<double>(queries.rows()));
      progress.add(1);
    }
  }

  Table table({"task",
               "threads",
               {"wall_seconds", "wall s"},
               {"cpu_seconds", "CPU s"},
               {"speed_up", "speed-up"},
               "efficiency",
               {"per_second", "a second"}});
  add_rows(table, "build", threads, building, " vectors");
  add_rows(table, "search", threads, searching, " queries");
  table.print(stdout, options.json);
}

}  // namespace

void add_bench_scaling(CLI::App& bench) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      bench.add_subcommand("scaling", "Building and searching on one thread, two, four ...");
  verb->add_option("BASE", options->base, "File of vectors to index")->required()->type_name("");
  verb->add_option("QUERIES", options->queries,
                   "File of query vectors (default: 1,000 rows of BASE)")
      ->type_name("");
  verb->add_option("--rounds", options->rounds, "Rounds, of which medians are shown (default: 3)")
      ->check(whole_number(1, 1000))
      ->type_name("N");
  verb->add_option("--seconds", options->seconds, "Seconds a round of searches (default: 1)")
      ->check(number_above(0, 3600))
      ->type_name("S");
  add_build_choices(*verb, options->build);
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith bench scaling base.fbin queries.fbin --metric cosine\n"
               "kith bench scaling base.fbin --index graph --threads 16 --rounds 5 --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
