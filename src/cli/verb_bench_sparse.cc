// kith bench sparse: text search with and without pruning, beside a plain loop.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/options.h"
#include "cli/sparse_bench.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "kith/error.h"
#include "kith/texts.h"

namespace kith::cli {
namespace {

constexpr std::size_t kRounds = 5;

struct Options : CommonOptions {
  std::string texts, format, words = "2,4,8,32,128,512", k = "10,1000";
  std::size_t queries = 100;
};

using Queries = std::vector<std::vector<QueryTerm>>;

Queries make_queries(const SparseBench& bench, std::size_t words, const Options& options) {
  Queries queries;
  for (std::size_t i = 0; i < options.queries; ++i) {
    queries.push_back(bench.query(words, options.seed, i));
  }
  return queries;
}

// Medians of the processor time that each way takes for one query, over interleaved rounds.
template <std::size_t ways>
std::array<double, ways> seconds_each(
    const Queries& queries,
    const std::array<std::function<void(std::span<const QueryTerm>)>, ways>& search) {
  std::array<std::vector<double>, ways> rounds;
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (std::size_t way = 0; way < ways; ++way) {
      const Stopwatch watch;
      for (const auto& query : queries) search[way](query);
      rounds[way].push_back(watch.cpu_seconds() / static_cast<double>(queries.size()));
    }
  }
  std::array<double, ways> medians;
  for (std::size_t way = 0; way < ways; ++way) {
    std::nth_element(rounds[way].begin(), rounds[way].begin() + kRounds / 2, rounds[way].end());
    medians[way] = rounds[way][kRounds / 2];
  }
  return medians;
}

double mean_postings(const SparseBench& bench, const Queries& queries) {
  double sum = 0;
  for (const auto& query : queries) sum += static_cast<double>(bench.postings_of(query));
  return sum / static_cast<double>(queries.size());
}

Cell time_cell(double seconds) { return {1e6 * seconds, seconds_text(seconds)}; }

Table pruning_table(const SparseBench& bench, const Options& options, const Control& control) {
  Table table({"words",
               "k",
               {"postings", "postings a query"},
               {"plain_us", "plain loop"},
               {"exhaustive_us", "all postings"},
               {"pruned_us", "pruned"},
               {"scored", "scored"},
               {"ns_per_posting", "ns a posting, all"},
               {"times_plain", "x plain"}});
  PostingSearch search = bench.searcher();
  std::vector<float> scores;
  std::vector<Id> order;
  for (const std::size_t words : parse_counts("--words", options.words, 1, 1 << 16)) {
    const Queries queries = make_queries(bench, words, options);
    const double postings = mean_postings(bench, queries);
    for (const std::size_t k : parse_counts("--k", options.k, 1, 1 << 20)) {
      throw_if_cancelled(control);
      std::size_t scored = 0;
      for (const auto& query : queries) {
        search.search(query, k, false);
        scored += search.scored();
      }
      const auto times =
          seconds_each<3>(queries, {[&](auto query) { bench.plain(query, k, scores, order); },
                                    [&](auto query) { search.search(query, k, true); },
                                    [&](auto query) { search.search(query, k, false); }});
      const double share =
          static_cast<double>(scored) / (postings * static_cast<double>(queries.size()));
      const double each = 1e9 * times[1] / postings, gain = times[0] / times[2];
      table.add({words, k, Cell(postings, count_text(static_cast<std::uint64_t>(postings))),
                 time_cell(times[0]), time_cell(times[1]), time_cell(times[2]),
                 Cell(share, fixed_text(share, 2)), Cell(each, significant_text(each, 3)),
                 Cell(gain, significant_text(gain, 3))});
    }
  }
  return table;
}

Table storage_table(const CountRows& counted, const Options& options, const Control& control) {
  constexpr std::size_t kShort = 4, kLong = 128, kK = 10;
  Table table({"weights",
               {"bytes_per_posting", "bytes a posting"},
               {"windowed", "in windows"},
               {"short_us", "4 words, k = 10"},
               {"long_us", "128 words, k = 10"}});
  for (const Payload payload : {Payload::counts, Payload::f32, Payload::f16, Payload::u8}) {
    throw_if_cancelled(control);
    const SparseBench bench(counted, payload, control);
    PostingSearch search = bench.searcher();
    const auto time = [&](std::size_t words) {
      return seconds_each<1>(make_queries(bench, words, options),
                             {[&](auto query) { search.search(query, kK, false); }})[0];
    };
    const Postings& postings = bench.postings();
    double windowed = 0;
    for (std::size_t t = 0; t < postings.terms(); ++t) {
      const Term term = static_cast<Term>(t);
      if (postings.windowed(term)) windowed += static_cast<double>(postings.count(term));
    }
    const double size = static_cast<double>(postings.size());
    const double bytes = static_cast<double>(postings.bytes().front().second) / size;
    table.add({std::string(name(payload)), Cell(bytes, significant_text(bytes, 3)),
               Cell(windowed / size, fixed_text(windowed / size, 2)), time_cell(time(kShort)),
               time_cell(time(kLong))});
  }
  return table;
}

void run(const Options& options) {
  const Control control = options.control();
  const Texts texts = read_texts(options.texts, options.format);
  text::Dictionary dictionary;
  const CountRows counted = count_terms(texts.texts, {}, dictionary, control);
  if (counted.rows.terms.empty()) {
    throw Error(ErrorCode::invalid_argument, options.texts + ": no words in it");
  }
  {
    const SparseBench bench(counted, Payload::counts, control);
    if (!options.json) {
      std::printf(
          "%s texts, %s different words, %s postings; one thread, medians of %zu rounds\n\n",
          count_text(texts.texts.size()).c_str(), count_text(dictionary.size()).c_str(),
          count_text(bench.postings().size()).c_str(), kRounds);
    }
    pruning_table(bench, options, control).print(stdout, options.json);
  }
  if (!options.json) std::puts("");
  storage_table(counted, options, control).print(stdout, options.json);
}

}  // namespace

void add_bench_sparse(CLI::App& bench) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      bench.add_subcommand("sparse", "Text search by BM25: pruned, exhaustive, and a plain loop");
  verb->add_option("TEXTS", options->texts, "Texts, one a line (or .tsv, .jsonl)")
      ->required()
      ->type_name("");
  verb->add_option("--format", options->format, "lines, tsv or jsonl (default: by the name)")
      ->type_name("NAME");
  verb->add_option("--words", options->words, "Words of a query (default: 2,4,8,32,128,512)")
      ->type_name("N,N");
  verb->add_option("--k", options->k, "Hits a query (default: 10,1000)")->type_name("N,N");
  verb->add_option("--queries", options->queries, "Queries of each length (default: 100)")
      ->check(whole_number(1, 1 << 20))
      ->type_name("N");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith bench sparse texts.txt\n"
               "kith bench sparse corpus.jsonl --words 3,300 --k 10 --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
