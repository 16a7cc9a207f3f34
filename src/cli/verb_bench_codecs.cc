// kith bench codecs: what each codec finds, takes and how fast it is searched, on one collection.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "cli/build_choices.h"
#include "cli/cli.h"
#include "cli/codecs_bench.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/results_page.h"
#include "cli/sample_rows.h"
#include "cli/svg_plot.h"
#include "cli/table.h"
#include "index/ties.h"
#include "kith/error.h"
#include "kith/exact.h"

namespace kith::cli {
namespace {

constexpr std::size_t kTruth = 100;

struct Options : CommonOptions {
  std::string base, queries, name, metric = "cosine", svg, markdown;
  std::vector<std::string> codecs, trained;
  std::size_t most_queries = 1000, rounds = 3;
  double seconds = 0.3;
  ReadOptions read;
};

// At most so many queries, drawn by the seed.
Vectors some(Vectors queries, const Options& options) {
  if (queries.rows.rows() <= options.most_queries) return queries;
  return select_rows(queries,
                     sample_rows(queries.rows.rows(), options.most_queries, options.seed).sample);
}

std::string name_of(const Options& options) {
  if (!options.name.empty()) return options.name;
  return std::filesystem::path(options.base).stem().stem().string();
}

// What a codec is tried by: its name, and what was trained for it.
struct Codec {
  std::string name;
  BuildOptions trained;
};

std::vector<Codec> codecs_of(const Options& options, const AnyMatrixView& base, Metric metric) {
  std::vector<Codec> codecs;
  const std::vector<std::string> names = options.codecs.empty() && options.trained.empty()
                                             ? codecs_to_try(base, metric)
                                             : options.codecs;
  for (const std::string& name : names) codecs.push_back({name, {}});
  for (const std::string& path : options.trained) {
    BuildOptions trained;
    read_trained(path, trained);
    const std::string codec = trained.binariser != nullptr   ? trained.binariser->codec()
                              : trained.codebooks != nullptr ? trained.codebooks->codec()
                                                             : trained.trained->codec();
    codecs.push_back({codec, std::move(trained)});
  }
  return codecs;
}

Table table_of(const std::vector<CodecResult>& results) {
  Table table({"codec",
               "held",
               {"bytes", "bytes/vector"},
               {"recall", "recall@10"},
               {"among_100", "10 among 100"},
               {"single_per_cpu_s", "single/CPU s"},
               {"batched_per_cpu_s", "batched/CPU s"},
               {"build_cpu_s", "build CPU s"}});
  for (const CodecResult& one : results) {
    table.add({one.codec, one.held, Cell(one.bytes, fixed_text(one.bytes, 1)),
               Cell(one.recall, fixed_text(one.recall, 4)),
               one.among_100 == 0 ? Cell() : Cell(one.among_100, fixed_text(one.among_100, 4)),
               Cell(one.single, rate_text(one.single)), Cell(one.batched, rate_text(one.batched)),
               Cell(one.build_cpu_seconds, fixed_text(one.build_cpu_seconds, 2))});
  }
  return table;
}

std::string markdown_of(const Options& options, const CodecsBench& bench,
                        const std::vector<CodecResult>& results) {
  return fmt::format(
             "## codecs: {0}\n\n{1} vectors of {2} dimensions, {3} queries, by {4}, one thread, "
             "medians of {5} rounds: `kith bench codecs {6} {7}`.\n\n",
             name_of(options), count_text(bench.base.rows()), bench.base.dim(),
             count_text(bench.queries.rows()), name(bench.metric), bench.rounds,
             std::filesystem::path(options.base).filename().string(),
             std::filesystem::path(options.queries).filename().string()) +
         table_of(results).markdown() + fmt::format("\n![{0}](codecs-{0}.svg)\n", name_of(options));
}

std::string drawing_of(const Options& options, const std::vector<CodecResult>& results) {
  std::vector<std::string> families;
  std::map<std::string, PlotSeries> bytes, rates;
  for (const CodecResult& one : results) {
    if (!bytes.contains(one.family)) families.push_back(one.family);
    bytes[one.family].points.emplace_back(one.recall, one.bytes);
    rates[one.family].points.emplace_back(one.recall, one.single);
  }
  const auto series = [&](std::map<std::string, PlotSeries>& of) {
    std::vector<PlotSeries> all;
    for (const std::string& family : families) {
      of[family].name = family;
      std::sort(of[family].points.begin(), of[family].points.end());
      all.push_back(of[family]);
    }
    return all;
  };
  const std::string name = name_of(options);
  return svg_plots({svg_plot(name, "recall@10", "bytes a vector", series(bytes)),
                    svg_plot(name, "recall@10", "single searches per CPU second", series(rates))});
}

void write_page(const Options& options, const CodecsBench& bench,
                const std::vector<CodecResult>& results) {
  const std::string slug = "codecs: " + name_of(options);
  const std::filesystem::path page(options.markdown);
  write_text((page.parent_path() / ("codecs-" + name_of(options) + ".svg")).string(),
             drawing_of(options, results));
  write_text(options.markdown, put_section(read_results_page(options.markdown), slug,
                                           markdown_of(options, bench, results)));
}

void bench_codecs(const Options& options) {
  for (const std::string& path : {options.svg, options.markdown}) {
    if (!path.empty()) check_writable(path);
  }
  ReadOptions read = options.read;
  read.control = options.control();
  const Vectors base = read_vectors(options.base, read);
  const Vectors queries = some(read_vectors(options.queries, read), options);
  CodecsBench bench;
  bench.base = base.rows;
  bench.queries = queries.rows;
  bench.metric = parse_metric(options.metric);
  bench.rounds = options.rounds;
  bench.seconds = options.seconds;
  bench.seed = options.seed;
  bench.control = options.control();
  const std::vector<Codec> codecs = codecs_of(options, bench.base, bench.metric);
  for (const Codec& codec : codecs) check_codec(codec.name);

  ExactOptions exact;
  exact.k = kTruth;
  exact.metric = bench.metric;
  exact.control = options.control();
  bench.truth = naming("base", options.base, [&] {
    return naming("query", options.queries,
                  [&] { return exact_search(bench.base, bench.queries, exact); });
  });
  judge_by_similarity(bench.truth, bench.metric);

  std::vector<CodecResult> results;
  Progress progress(bench.control, "codecs", codecs.size());
  for (const auto& [name, trained] : codecs) {
    results.push_back(measure_codec(bench, name, trained));
    progress.add(1);
  }
  table_of(results).print(stdout, options.json);
  if (!options.svg.empty()) write_text(options.svg, drawing_of(options, results));
  if (!options.markdown.empty()) write_page(options, bench, results);
}

}  // namespace

void add_bench_codecs(CLI::App& bench) {
  constexpr std::size_t kMostRounds = 1000;
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      bench.add_subcommand("codecs", "Every codec: recall against bytes a vector and against rate");
  verb->add_option("BASE", options->base, "File of vectors")->required()->type_name("");
  verb->add_option("QUERIES", options->queries, "File of query vectors")->required()->type_name("");
  verb->add_option("--metric", options->metric, "l2, ip or cosine (default: cosine)")
      ->type_name("NAME");
  verb->add_option("--codec", options->codecs, "Only these (default: all that suit the vectors)")
      ->type_name("NAME");
  verb->add_option("--trained", options->trained,
                   "What `kith train codec` made of such vectors; without --codec only these")
      ->type_name("FILE");
  verb->add_option("--queries", options->most_queries, "At most so many queries (default: 1000)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("--rounds", options->rounds, "Rounds to take the median of (default: 3)")
      ->check(whole_number(1, kMostRounds))
      ->type_name("N");
  verb->add_option("--seconds", options->seconds, "Single queries a round take (default: 0.3)")
      ->check(number_above(0, kMostRounds))
      ->type_name("S");
  verb->add_option("--name", options->name, "The data set's in pictures (default: the file's)")
      ->type_name("NAME");
  verb->add_option("--svg", options->svg, "Draw recall against bytes and against rate")
      ->type_name("FILE");
  verb->add_option("--markdown", options->markdown,
                   "Put the table into this page as a section, its drawing beside it")
      ->type_name("FILE");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith bench codecs base.fbin queries.fbin\n"
               "kith bench codecs base.npy queries.npy --codec lvq8 --codec rabitq1 --json\n"
               "kith bench codecs base.npy queries.npy --trained bits --svg codecs.svg");
  verb->callback([options] { bench_codecs(*options); });
}

}  // namespace kith::cli
