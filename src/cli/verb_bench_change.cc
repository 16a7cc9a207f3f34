// kith bench change: recall while a collection turns over, beside indexes built afresh over the
// same vectors. Some cycles are harder: one takes in vectors from one side of the space only, one
// removes what answers name most and what lies in the middle, where searches start.
#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"
#include "cli/build_choices.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "index/ties.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

constexpr std::size_t kK = 10, kSpareTruth = 10;

struct Options : CommonOptions {
  std::string base, queries;
  std::size_t cycles = 10, shifted = 4, hubs = 7;
  double share = 0.3;
  BuildChoices build;
  ReadOptions read;
};

// Which of the rows are in the index, by which id.
class Turnover {
 public:
  Turnover(const Vectors& base, const BuildOptions& build, const Options& options)
      : base_(base), build_(build), options_(options), random_(options.seed) {
    std::vector<Id> order = random_permutation(base.rows.rows(), options.seed);
    const std::size_t inside = order.size() / 2;
    in_.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(inside));
    out_.assign(order.begin() + static_cast<std::ptrdiff_t>(inside), order.end());
    index_ = std::make_unique<Index>(build_fresh());
    const IndexInfo made = index_->info();
    build_.index = made.kind;
    build_.codec = made.codec;
    build_.degree = made.degree;
    row_of_ = in_;
  }

  const Index& index() const { return *index_; }
  std::size_t turned() const {
    return static_cast<std::size_t>(options_.share * static_cast<double>(in_.size()));
  }
  // Of the same kind, codec and degree as the first one.
  Index build_fresh() const {
    const Matrix<float> rows = copy_rows(base_.rows, in_);
    return Index::build(rows, Labels(), build_);
  }

  // The ids [0, n) of row_of_ and of in_ differ once rows were replaced.
  void replace(std::span<const Id> victims, std::vector<Id> newcomers, const Control& control) {
    index_->remove(victims, control);
    for (const Id id : victims) {
      out_.push_back(row_of_[id]);
      row_of_[id] = kNoId;
    }
    const Matrix<float> rows = copy_rows(base_.rows, newcomers);
    const std::vector<Id> ids = index_->add(rows, Labels(), control);
    row_of_.resize(index_->id_limit(), kNoId);
    for (std::size_t i = 0; i < ids.size(); ++i) row_of_[ids[i]] = newcomers[i];
    std::sort(newcomers.begin(), newcomers.end());
    std::erase_if(
        out_, [&](Id row) { return std::binary_search(newcomers.begin(), newcomers.end(), row); });
    in_.clear();
    for (const Id row : row_of_) {
      if (row != kNoId) in_.push_back(row);
    }
  }

  std::vector<Id> random_victims() {
    std::vector<Id> ids = present();
    shuffle(ids, turned());
    return ids;
  }
  // Half are what the answers to stored vectors name most, half what lies nearest the mean.
  std::vector<Id> hubs(const Control& control) {
    const Matrix<float> rows = copy_rows(base_.rows, in_);
    SearchOptions search;
    search.control = control;
    const Neighbours hits = index_->search(rows, kK, search);
    std::vector<std::size_t> named(row_of_.size(), 0);
    for (std::size_t q = 0; q < hits.queries(); ++q) {
      for (std::size_t i = 0; i < kK; ++i) named[hits.ids(q, i)] += hits.ids(q, i) != kNoId ? 1 : 0;
    }
    std::vector<Id> ids = present();
    std::stable_sort(ids.begin(), ids.end(), [&](Id a, Id b) { return named[a] > named[b]; });
    ids.resize(turned() - turned() / 2);
    Matrix<float> mean(1, index_->dim());
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      for (std::size_t j = 0; j < rows.cols(); ++j) {
        mean(0, j) += rows(i, j) / static_cast<float>(rows.rows());
      }
    }
    std::sort(ids.begin(), ids.end());
    const std::vector<Id> first = ids;
    const Neighbours middle = index_->search(mean, 2 * turned(), search);
    for (std::size_t i = 0; i < middle.k() && ids.size() < turned(); ++i) {
      const Id id = middle.ids(0, i);
      if (id != kNoId && !std::binary_search(first.begin(), first.end(), id)) ids.push_back(id);
    }
    return ids;
  }

  std::vector<Id> random_newcomers() {
    std::vector<Id> rows = out_;
    shuffle(rows, turned());
    return rows;
  }
  // The rows that reach farthest in a random direction.
  std::vector<Id> shifted_newcomers() {
    std::vector<float> direction(index_->dim()), x(index_->dim());
    for (float& value : direction) value = static_cast<float>(random_.normal());
    std::vector<float> reach(base_.rows.rows());
    for (const Id row : out_) {
      base_.rows.copy_row(row, x.data());
      reach[row] = std::inner_product(x.begin(), x.end(), direction.begin(), 0.0f);
    }
    std::vector<Id> rows = out_;
    std::stable_sort(rows.begin(), rows.end(), [&](Id a, Id b) { return reach[a] > reach[b]; });
    rows.resize(turned());
    return rows;
  }

  // Truth in base rows, so found ids are translated.
  double recall(const Index& index, std::span<const Id> row_of, const AnyMatrixView& queries,
                const Neighbours& truth, std::size_t beam, const Control& control) const {
    SearchOptions search;
    search.beam = beam;
    search.control = control;
    Neighbours found = index.search(queries, kK, search);
    for (std::size_t q = 0; q < found.queries(); ++q) {
      for (std::size_t i = 0; i < kK; ++i) {
        if (found.ids(q, i) != kNoId) found.ids(q, i) = row_of[found.ids(q, i)];
      }
    }
    judge_by_similarity(found, index.metric());
    return recall_at(found, truth, kK);
  }

  Neighbours truth(const AnyMatrixView& queries, const Control& control) const {
    ExactOptions exact;
    exact.k = kK + kSpareTruth;
    exact.metric = build_.metric;
    exact.control = control;
    const Matrix<float> rows = copy_rows(base_.rows, in_);
    Neighbours truth = exact_search(rows, queries, exact);
    for (std::size_t q = 0; q < truth.queries(); ++q) {
      for (std::size_t i = 0; i < truth.k(); ++i) {
        if (truth.ids(q, i) != kNoId) truth.ids(q, i) = in_[truth.ids(q, i)];
      }
    }
    judge_by_similarity(truth, build_.metric);
    return truth;
  }

  std::span<const Id> rows_inside() const { return in_; }
  std::span<const Id> row_of_id() const { return row_of_; }

 private:
  std::vector<Id> present() const {
    std::vector<Id> ids;
    for (Id id = 0; id < row_of_.size(); ++id) {
      if (row_of_[id] != kNoId) ids.push_back(id);
    }
    return ids;
  }
  void shuffle(std::vector<Id>& ids, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(ids[i], ids[i + random_.below(ids.size() - i)]);
    }
    ids.resize(count);
  }

  const Vectors& base_;
  BuildOptions build_;
  const Options& options_;
  Random random_;
  std::vector<Id> in_, out_;  // rows
  std::vector<Id> row_of_;    // by id; kNoId: removed
  std::unique_ptr<Index> index_;
};

void run(const Options& options) {
  const Control control = options.control();
  const BuildOptions build = options.build.build_options(options);
  ReadOptions read = options.read;
  read.control = control;
  const Vectors base = read_vectors(options.base, read),
                queries = read_vectors(options.queries, read);
  if (base.rows.dim() != queries.rows.dim() || base.rows.rows() < 1000) {
    throw Error(ErrorCode::invalid_argument,
                options.base + ": expected at least 1,000 vectors of the queries' dimension");
  }

  Stopwatch watch;
  Turnover turnover(base, build, options);
  const std::size_t beam = turnover.index().info().default_beam;
  Table table({"cycle",
               "what",
               "vectors",
               {"recall", "recall@10"},
               {"fresh_recall", "built afresh"},
               {"difference", "difference"},
               {"cpu_seconds", "change CPU s"},
               {"fresh_cpu_seconds", "build CPU s"}});
  const auto add = [&](std::size_t cycle, const char* what, double cpu) {
    const Neighbours truth = turnover.truth(queries.rows, control);
    const double recall =
        turnover.recall(turnover.index(), turnover.row_of_id(), queries.rows, truth, beam, control);
    const Stopwatch building;
    const Index fresh = turnover.build_fresh();
    const double build_cpu = building.cpu_seconds();
    const double again =
        turnover.recall(fresh, turnover.rows_inside(), queries.rows, truth, beam, control);
    table.add({cycle, what, turnover.index().size(), Cell(recall, fixed_text(recall, 4)),
               Cell(again, fixed_text(again, 4)),
               Cell(recall - again, fixed_text(recall - again, 4)), Cell(cpu, fixed_text(cpu, 1)),
               Cell(build_cpu, fixed_text(build_cpu, 1))});
  };
  add(0, "built", watch.cpu_seconds());
  for (std::size_t cycle = 1; cycle <= options.cycles; ++cycle) {
    const bool shifted = cycle == options.shifted, hubs = cycle == options.hubs;
    const std::vector<Id> victims = hubs ? turnover.hubs(control) : turnover.random_victims();
    std::vector<Id> newcomers =
        shifted ? turnover.shifted_newcomers() : turnover.random_newcomers();
    newcomers.resize(std::min(newcomers.size(), victims.size()));
    const Stopwatch changing;
    turnover.replace(victims, std::move(newcomers), control);
    add(cycle,
        shifted ? "newcomers from one side"
        : hubs  ? "hubs and middle go"
                : "random",
        changing.cpu_seconds());
  }
  table.print(stdout, options.json);
}

}  // namespace

void add_bench_change(CLI::App& bench) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = bench.add_subcommand(
      "change", "Recall while vectors are replaced, beside indexes built afresh");
  verb->add_option("BASE", options->base, "File of vectors; half are in the index at a time")
      ->required()
      ->type_name("");
  verb->add_option("QUERIES", options->queries, "File of query vectors")->required()->type_name("");
  verb->add_option("--cycles", options->cycles, "How often (default: 10)")
      ->check(whole_number(1, 1000))
      ->type_name("N");
  verb->add_option("--share", options->share, "Share that is replaced each time (default: 0.3)")
      ->check(number_above(0, 0.9))
      ->type_name("S");
  add_build_choices(*verb, options->build);
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith bench change words-base.fbin words-queries.fbin --metric cosine\n"
               "kith bench change base.fvecs queries.fvecs --index graph --cycles 3 --share 0.1");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
