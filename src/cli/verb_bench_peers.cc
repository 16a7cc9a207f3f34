// kith bench peers: kith beside FAISS, hnswlib and USearch on the same data in one run.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "cli/cli.h"
#include "cli/module.h"
#include "cli/output.h"
#include "cli/peers_report.h"
#include "cli/peers_run.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

const std::vector<std::string> kDataSets = {"words", "debian-768", "debian-256"};
const std::vector<double> kTargets = {0.90, 0.95, 0.99};

struct Options : CommonOptions {
  std::vector<std::string> files;  // base and queries
  std::vector<std::string> data;
  std::string cache = ".cache", svg, markdown;
  std::size_t build_threads = 0, queries = 2000;
  PeersRunOptions run;
};

const bench::PeersModule& load_peers() {
  return *load_module<bench::PeersEntry>(
      "libkith-peers.so", bench::kPeersEntry,
      "make bench builds it; it needs libfaiss-dev, libhnswlib-dev, libopenblas-dev and npm")();
}

std::vector<PeersDataOptions> data_sets(const Options& options) {
  std::vector<PeersDataOptions> sets;
  const auto add = [&](const std::string& name, const std::string& base,
                       const std::string& queries) {
    PeersDataOptions& set = sets.emplace_back();
    set.name = name;
    set.base = base;
    set.queries = queries;
    set.cache = options.run.cache;
    set.most_queries = options.queries;
    set.seed = options.seed;
    set.control = options.control();
    set.control.threads = 0;
  };
  if (!options.files.empty()) {
    const std::string name = std::filesystem::path(options.files[0]).stem().stem().string();
    add(name, options.files[0], options.files[1]);
  }
  const bool all = options.data.empty() && options.files.empty();
  for (const std::string& name : all ? kDataSets : options.data) {
    const std::string stem = options.cache + "/peers-data/" + name;
    if (!std::filesystem::exists(stem + ".query.fbin")) {
      throw Error(ErrorCode::not_found,
                  stem + ".query.fbin: not there; bench/data.sh fetches and makes it");
    }
    add(name, stem + ".base.fbin", stem + ".query.fbin");
  }
  return sets;
}

// FILE for one data set; for several, "FOLDER/peers.svg" becomes "FOLDER/peers-words.svg".
std::string file_for(const std::string& path, const std::string& name, bool several) {
  if (!several) return path;
  const std::filesystem::path whole(path);
  const std::string file = whole.stem().string() + "-" + name + whole.extension().string();
  return (whole.parent_path() / file).string();
}

void print_for_people(const PeersData& data, const std::vector<PeersEntry>& entries) {
  std::printf("%s: %zu x %zu, %zu queries, recall@10 of the settings tried\n\n%s\n",
              data.name.c_str(), data.base.rows(), data.base.cols(), data.queries.rows(),
              peers_grid(entries).c_str());
  for (const double target : kTargets) {
    peers_table(data, entries, target).print(stdout, false);
    std::printf("\n");
  }
  std::fflush(stdout);
}

void bench_peers(Options options) {
  const bool several = options.data.size() + options.files.size() / 2 != 1;
  for (const std::string& path : {options.svg, options.markdown}) {
    if (!path.empty()) check_writable(path);
  }
  options.run.cache = options.cache + "/peers";
  std::filesystem::create_directories(options.run.cache);
  const std::vector<PeersDataOptions> sets = data_sets(options);
  const bench::PeersModule& module = load_peers();
  options.run.threads = options.threads == 0 ? 1 : options.threads;
  options.run.build_threads =
      options.build_threads == 0 ? available_threads() : options.build_threads;
  options.run.targets = kTargets;
  options.run.control = options.control();
  if (!options.json) {
    std::printf("searches on %zu thread(s), builds on %zu; %zu rounds; BLAS: %s\n\n",
                options.run.threads, options.run.build_threads, options.run.rounds,
                module.blas().c_str());
  }
  std::string markdown;
  for (const PeersDataOptions& set : sets) {
    const PeersData data = load_peers_data(set);
    const std::vector<PeersEntry> entries = run_peers(module, data, options.run);
    if (options.json) {
      peers_rows(data, entries).print(stdout, true);
    } else {
      print_for_people(data, entries);
    }
    markdown += peers_markdown(data, entries, kTargets);
    if (!options.markdown.empty()) write_text(options.markdown, markdown);
    if (!options.svg.empty()) {
      write_text(file_for(options.svg, data.name, several), peers_svg(data, entries));
    }
  }
}

void add_run_options(CLI::App& verb, Options& options) {
  verb.add_option("--data", options.data, "Data sets (default: all three)")
      ->check(CLI::IsMember(kDataSets));
  verb.add_option("--only", options.run.only,
                  "Only variants (of all) whose name holds one of these comma-separated words");
  verb.add_option("--rounds", options.run.rounds, "Interleaved rounds of timing (default: 5)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}));
  verb.add_option("--queries", options.queries, "At most so many queries (default: 2000)")
      ->check(CLI::Range(std::size_t{1}, kMaxVectors));
  verb.add_option("--build-threads", options.build_threads,
                  "Threads that build (default: all processors)");
  verb.add_flag("--all", options.run.all, "Also the variants that others of their peer outdo");
  verb.add_flag("--fresh", options.run.fresh, "Build what the cache holds again");
  verb.add_option("--cache", options.cache, "Folder of data sets and built indexes (.cache)");
  verb.add_option("--svg", options.svg, "Plot recall against rate; several sets: one file each");
  verb.add_option("--markdown", options.markdown, "Write the tables as Markdown");
}

}  // namespace

void add_bench_peers(CLI::App& bench) {
  CLI::App* verb =
      bench.add_subcommand("peers", "Compare kith with FAISS, hnswlib and USearch by cosine");
  auto options = std::make_shared<Options>();
  verb->add_option("FILES", options->files, "Own data: a file of vectors and one of queries")
      ->expected(2);
  add_common_options(*verb, *options);
  verb->get_option("--threads")->description("Threads that search (default: 1)");
  add_run_options(*verb, *options);
  add_examples(*verb,
               "kith bench peers --data words\n"
               "kith bench peers base.fbin queries.fbin --only hnswlib,kith\n"
               "kith bench peers --svg docs/peers.svg --markdown docs/peers.md");
  verb->callback([options] { bench_peers(*options); });
}

}  // namespace kith::cli
