// kith bench filters: what a filter costs and keeps of the recall, from most vectors allowed down
// to a thousandth, for filters that have nothing to do with the query, that leave what is nearest
// it, and that leave what is farthest from it.
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/measure.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "index/ties.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

constexpr std::size_t kK = 10;
constexpr double kShares[] = {1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.002, 0.001};
constexpr const char* kKinds[] = {"random", "around a neighbour", "around one far away"};
// Where the middle of the latter two comes in the query's order.
constexpr std::size_t kNeighbour = 50;
constexpr double kFarAway = 0.9;
// Queries whose filters are held at a time: what their searches read exceeds the second-level
// cache.
constexpr std::size_t kGroup = 32;

struct Options : CommonOptions {
  std::string index, base, queries;
  std::size_t count = 200, rounds = 3, beam = 0;
  ReadOptions read;
};

// One query's filters with what they should find.
struct Case {
  Filter filter;
  Neighbours truth;
};

// Of the rows in the query's order, the first few whose places in the filter's order come first.
Case make_case(const Neighbours& by_distance, std::span<const Id> filters_order, double share) {
  const std::size_t rows = by_distance.k();
  const auto count =
      std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(rows)));
  const std::span<const Id> ids = filters_order.first(count);
  std::vector<bool> allowed(rows);
  for (const Id id : ids) allowed[id] = true;
  Case made{Filter::ids(ids), Neighbours(1, std::min(count, 2 * kK))};
  std::size_t found = 0;
  for (std::size_t i = 0; i < rows && found < made.truth.k(); ++i) {
    if (!allowed[by_distance.ids(0, i)]) continue;
    made.truth.ids(0, found) = by_distance.ids(0, i);
    made.truth.distances(0, found++) = by_distance.distances(0, i);
  }
  return made;
}

// A query with its filters: all allowed without one, then each kind at each share.
struct Question {
  AnyMatrixView query;
  std::vector<Case> cases;
};

struct Sum {
  double recall = 0;
  std::vector<double> seconds;  // a round
};

Question make_question(const Options& options, const AnyMatrixView& base, Metric metric,
                       const AnyMatrixView& query, std::uint64_t seed) {
  ExactOptions exact;
  exact.k = base.rows();
  exact.metric = metric;
  exact.control = without_progress(options.control());
  const auto in_order = [&](const AnyMatrixView& from) {
    Neighbours order = exact_search(base, from, exact);
    judge_by_similarity(order, metric);
    return order;
  };
  const Neighbours by_distance = in_order(query);
  const std::size_t rows = by_distance.k();
  const auto order_around = [&](std::size_t place) {
    const Neighbours order = in_order(base.slice(by_distance.ids(0, place), 1));
    return std::vector<Id>(order.ids.row(0), order.ids.row(0) + rows);
  };
  const std::vector<Id> orders[] = {
      random_permutation(rows, seed), order_around(std::min(kNeighbour, rows - 1)),
      order_around(static_cast<std::size_t>(kFarAway * static_cast<double>(rows)))};
  Question question{query, {}};
  question.cases.push_back(make_case(by_distance, orders[0], 1));
  question.cases[0].filter = Filter();
  for (const std::vector<Id>& order : orders) {
    for (const double share : kShares) {
      question.cases.push_back(make_case(by_distance, order, share));
    }
  }
  return question;
}

// Adds the searches of each case to its sum. A case's queries come one after the other, so that
// none finds in the caches what it read itself a moment ago.
void measure(const Options& options, const Index& index, std::span<const Question> questions,
             std::span<Sum> sums) {
  SearchOptions search;
  search.beam = options.beam;
  search.control.threads = 1;
  const auto ask = [&](const Question& question, std::size_t at) {
    const Case& one = question.cases[at];
    search.filter = one.filter;
    return index.search(question.query, std::min(kK, one.truth.k()), search);
  };
  for (std::size_t at = 0; at < sums.size(); ++at) {
    for (const Question& question : questions) {
      Neighbours found = ask(question, at);
      judge_by_similarity(found, index.metric());
      sums[at].recall += recall_at(found, question.cases[at].truth, found.k());
    }
    sums[at].seconds.resize(options.rounds);
  }
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (std::size_t at = 0; at < sums.size(); ++at) {
      const Stopwatch watch;
      for (const Question& question : questions) ask(question, at);
      sums[at].seconds[round] += watch.cpu_seconds();
    }
  }
}

void run(const Options& options) {
  const Control control = options.control();
  const Index index = Index::open(options.index);
  ReadOptions read = options.read;
  read.control = control;
  const Vectors base = read_vectors(options.base, read),
                queries = read_vectors(options.queries, read);
  check_dimension(options.index, index, options.base, base.rows);
  check_dimension(options.index, index, options.queries, queries.rows);
  if (base.rows.rows() != index.size() || index.size() != index.id_limit()) {
    throw Error(ErrorCode::invalid_argument,
                options.base + ": " + std::to_string(base.rows.rows()) + " vectors, but " +
                    options.index + " holds " + std::to_string(index.size()) +
                    "; expected the file that it was built from");
  }

  const std::size_t count = std::min(options.count, queries.rows.rows());
  std::vector<Sum> sums(1 + std::size(kKinds) * std::size(kShares));
  const std::vector<std::uint32_t> chosen = random_sample(queries.rows.rows(), count, options.seed);
  Progress progress(control, "filters", count);
  for (std::size_t first = 0; first < count; first += kGroup) {
    std::vector<Question> group;
    for (std::size_t q = first; q < std::min(first + kGroup, count); ++q) {
      group.push_back(make_question(options, base.rows, index.metric(),
                                    queries.rows.slice(chosen[q], 1), options.seed + q));
      progress.add(1);
    }
    measure(options, index, group, sums);
  }

  const auto n = static_cast<double>(count);
  const double plain = median(sums[0].seconds);
  Table table({"allowed",
               "share",
               {"recall", "recall@10"},
               {"us", "CPU us"},
               {"to_unfiltered", "to unfiltered"}});
  const auto add = [&](const std::string& kind, double share, const Sum& sum) {
    const double seconds = median(sum.seconds);
    table.add({kind, Cell(share, significant_text(100 * share, 3) + " %"),
               Cell(sum.recall / n, fixed_text(sum.recall / n, 4)),
               Cell(1e6 * seconds / n, significant_text(1e6 * seconds / n, 3)),
               Cell(seconds / plain, fixed_text(seconds / plain, 2) + "x")});
  };
  add("all, no filter", 1, sums[0]);
  std::size_t at = 1;
  for (const char* kind : kKinds) {
    for (const double share : kShares) add(kind, share, sums[at++]);
  }
  table.print(stdout, options.json);
}

}  // namespace

void add_bench_filters(CLI::App& bench) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = bench.add_subcommand(
      "filters", "Recall and latency of filtered searches beside unfiltered ones");
  verb->add_option("INDEX", options->index, "Index file")->required()->type_name("");
  verb->add_option("BASE", options->base, "The vectors it was built from")
      ->required()
      ->type_name("");
  verb->add_option("QUERIES", options->queries, "File of query vectors")->required()->type_name("");
  verb->add_option("--count", options->count, "Queries to measure (default: 200)")
      ->check(whole_number(1))
      ->type_name("N");
  verb->add_option("--rounds", options->rounds, "Rounds to take the median of (default: 3)")
      ->check(whole_number(1, 100))
      ->type_name("N");
  verb->add_option("--beam", options->beam, "Breadth of the search (default: the index's)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith bench filters words.kith words-base.fbin words-queries.fbin\n"
               "kith bench filters base.kith base.fvecs queries.fvecs --count 50 --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
