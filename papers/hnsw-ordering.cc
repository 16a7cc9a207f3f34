// Elliott and Clark, "The Impacts of Data, Ordering, and Intrinsic Dimensionality on Recall in
// Hierarchical Navigable Small Worlds" (2024): with everything else fixed, an HNSW graph's recall
// depends on the intrinsic dimension of the data and on the order of insertion, and inserting by
// descending local intrinsic dimension (LID) is best.
//
// Theirs: 16 text models on seven MTEB sets and two private sets of pictures. Here: words,
// sentences and package descriptions of moderate dimension; hnswlib 0.6.2 and FAISS 1.7.3 as Debian
// builds them, and kith's own graph, which inserts in batches around entries drawn before.
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "kith/exact.h"
#include "kith/lid.h"
#include "papers/common/data.h"
#include "papers/common/paper.h"
#include "papers/peers/graphs.h"

namespace kith::papers {
namespace {

// The paper's parameters: medians over a dozen products.
constexpr std::size_t kDegree = 16, kEfConstruction = 128, kK = 10;
constexpr std::size_t kEf[] = {10, 40};
constexpr std::size_t kRandomOrders = 3, kCategoryOrders = 5;
constexpr char kRecall[] = "recall@10, ef 10", kWideRecall[] = "recall@10, ef 40";
constexpr char kSpread[] = "spread, ef 10";
constexpr char kFlats[] = "recall@10 at ef 40, random order";
constexpr char kSections[] = "debian-768, 64 dimensions, by section";

const std::vector<std::string> kSets = {"words", "debian-256"};
const std::vector<std::string> kHnsw = {"hnswlib", "FAISS"};

// ---- Data ----------------------------------------------------------------------------------

// Unit vectors that are Gaussian combinations of `rank` orthonormal ones. The paper lays them in
// 1,024 dimensions; an orthonormal frame keeps distances, so fewer show the same in less time.
Sample flat_sample(std::size_t rank, std::size_t dim, std::size_t rows, std::size_t queries,
                   const Trial& trial) {
  Random random(trial.seed, rank);
  Eigen::MatrixXf gaussian(dim, rank);
  for (float& x : gaussian.reshaped()) x = static_cast<float>(random.normal());
  const Eigen::MatrixXf frame = Eigen::HouseholderQR<Eigen::MatrixXf>(gaussian).householderQ() *
                                Eigen::MatrixXf::Identity(gaussian.rows(), gaussian.cols());
  const auto draw = [&](std::size_t count) {
    Matrix<float> points(count, dim);
    Eigen::VectorXf at(rank);
    for (std::size_t i = 0; i < count; ++i) {
      for (float& x : at) x = static_cast<float>(random.normal());
      Eigen::Map<Eigen::VectorXf>(points.row(i), static_cast<Eigen::Index>(dim)) = frame * at;
    }
    normalise(points);
    return points;
  };
  Sample sample;
  sample.base = draw(rows);
  sample.queries = draw(queries);
  sample.truth = cosine_truth(sample.base, sample.queries, 2 * kK, trial.control);
  return sample;
}

// debian-768 cut to its first dimensions: its vectors come from a truncated SVD, so that is the
// same with a smaller rank. A vector's category is its package's section.
Sample section_sample(std::size_t dim, std::size_t rows, std::size_t queries, const Trial& trial) {
  Sample sample = load_sample("debian-768", rows, queries, trial);
  const auto cut = [&](const Matrix<float>& wide) {
    Matrix<float> narrow(wide.rows(), dim);
    for (std::size_t i = 0; i < wide.rows(); ++i) std::copy_n(wide.row(i), dim, narrow.row(i));
    normalise(narrow);
    return narrow;
  };
  sample.base = cut(sample.base);
  sample.queries = cut(sample.queries);
  sample.truth = cosine_truth(sample.base, sample.queries, 100, trial.control);
  return sample;
}

// The fewest principal components that hold 0.99 of the variance.
double pca_dimension(MatrixView<const float> rows) {
  constexpr double kHeld = 0.99;
  const auto dim = static_cast<Eigen::Index>(rows.cols());
  Eigen::MatrixXf points(static_cast<Eigen::Index>(rows.rows()), dim);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    points.row(static_cast<Eigen::Index>(i)) =
        Eigen::Map<const Eigen::RowVectorXf>(rows.row(i), dim);
  }
  points.rowwise() -= points.colwise().mean();
  const Eigen::VectorXd variances =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>((points.transpose() * points).cast<double>(),
                                                     Eigen::EigenvaluesOnly)
          .eigenvalues()
          .reverse();
  double held = 0;
  Eigen::Index count = 0;
  while (count < dim && held < kHeld * variances.sum()) held += variances(count++);
  return static_cast<double>(count);
}

// ---- Orders --------------------------------------------------------------------------------

using Order = std::vector<Id>;

// Those without a LID come last.
Order by_lid(const std::vector<float>& lid, bool descending) {
  Order order(lid.size());
  std::iota(order.begin(), order.end(), Id{0});
  const auto key = [&](Id id) {
    if (lid[id] == 0) return std::numeric_limits<float>::infinity();
    return descending ? -lid[id] : lid[id];
  };
  std::stable_sort(order.begin(), order.end(), [&](Id a, Id b) { return key(a) < key(b); });
  return order;
}

// Category after category, in random order, and so are their members.
Order by_category(const std::vector<std::size_t>& category, std::size_t categories,
                  std::uint64_t seed) {
  const std::vector<std::uint32_t> place = random_permutation(categories, seed);
  Order order = random_permutation(category.size(), seed + 1);
  std::stable_sort(order.begin(), order.end(),
                   [&](Id a, Id b) { return place[category[a]] < place[category[b]]; });
  return order;
}

// ---- Measurement ---------------------------------------------------------------------------

// The first two alone show what needs many builds.
constexpr std::size_t kFew = 2;

std::vector<GraphEngine> engines() {
  BuildOptions plain;  // what HNSW keeps: floats, and 32 edges a node at the bottom
  plain.codec = "f32";
  plain.degree = 2 * kDegree;
  plain.build_beam = kEfConstruction;
  return {hnswlib_engine(kDegree, kEfConstruction), kith_engine("kith f32", plain),
          faiss_engine(kDegree, kEfConstruction), kith_engine("kith default", {})};
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Measured {
  double recall[std::size(kEf)] = {}, seconds = 0, path_length = 0;
};

struct Job {
  const GraphEngine* engine;
  const Order* order;
  Measured measured;
};

Measured measure_graph(const Sample& sample, const Job& job, std::uint64_t seed) {
  constexpr std::size_t kSources = 20;
  Measured measured;
  const double before = thread_seconds();
  const auto graph = job.engine->build(sample.base, *job.order, seed);
  measured.seconds = thread_seconds() - before;
  for (std::size_t e = 0; e < std::size(kEf); ++e) {
    measured.recall[e] = recall_at(graph->search(sample.queries, kK, kEf[e]), sample.truth, kK);
  }
  const auto edges = graph->edges();
  if (!edges.empty()) measured.path_length = mean_path_length(edges, kSources, seed);
  return measured;
}

std::vector<Job> jobs_of(std::span<const GraphEngine> engines, std::span<const Order> orders) {
  std::vector<Job> jobs;
  for (const GraphEngine& engine : engines) {
    for (const Order& order : orders) jobs.push_back({&engine, &order, {}});
  }
  return jobs;
}

// Every graph is built on one thread, as the order demands; several are built at once.
void run_jobs(const Sample& sample, std::vector<Job>& jobs, const Trial& trial) {
  parallel_for(trial.control, jobs.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      jobs[i].measured = measure_graph(sample, jobs[i], trial.seed);
      trial.step();
    }
  });
}

Measured mean_of(std::span<const Job> jobs) {
  Measured mean;
  const auto count = static_cast<double>(jobs.size());
  for (const Job& job : jobs) {
    for (std::size_t e = 0; e < std::size(kEf); ++e)
      mean.recall[e] += job.measured.recall[e] / count;
    mean.seconds += job.measured.seconds / count;
    mean.path_length += job.measured.path_length / count;
  }
  return mean;
}

void add_row(Results& results, const std::string& table, const std::string& row,
             const Measured& measured) {
  results.add(table, row, kRecall, measured.recall[0]);
  results.add(table, row, kWideRecall, measured.recall[1]);
  results.add(table, row, "build CPU s", measured.seconds);
  if (measured.path_length > 0) results.add(table, row, "path length", measured.path_length);
}

double sd_of(std::span<const Job> jobs) {
  std::vector<double> recalls;
  for (const Job& job : jobs) recalls.push_back(job.measured.recall[0]);
  return standard_deviation(recalls);
}

double range_of(std::span<const double> values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return *most - *least;
}

void describe(Results& results, const std::string& name, const Sample& sample,
              const LidEstimates& lid) {
  const auto defined = static_cast<double>(lid.lid.size() - lid.undefined);
  results.add("data", name, "mean LID",
              std::accumulate(lid.lid.begin(), lid.lid.end(), 0.0) / defined);
  results.add("data", name, "two nearest", lid.two_nearest);
  results.add("data", name, "PCA, 0.99", pca_dimension(sample.base));
}

LidEstimates cosine_lid(const Sample& sample, const Trial& trial) {
  LidOptions options;
  options.metric = Metric::cosine;
  options.control = trial.control;
  return estimate_lid(sample.base, options);
}

// Ascending, descending and random orders of one set.
void measure_orders(const std::string& name, const Sample& sample, const Trial& trial,
                    Results& results) {
  const LidEstimates lid = cosine_lid(sample, trial);
  describe(results, name, sample, lid);
  std::vector<Order> orders = {by_lid(lid.lid, false), by_lid(lid.lid, true)};
  for (std::size_t r = 0; r < kRandomOrders; ++r) {
    orders.push_back(random_permutation(sample.base.rows(), 100 * trial.seed + r));
  }
  const std::vector<GraphEngine> all = engines();
  std::vector<Job> jobs = jobs_of(all, orders);
  run_jobs(sample, jobs, trial);
  for (std::size_t e = 0; e < all.size(); ++e) {
    const std::string& engine = all[e].name;
    const std::span<const Job> own = std::span(jobs).subspan(e * orders.size(), orders.size());
    const Measured up = own[0].measured, down = own[1].measured;
    const Measured random = mean_of(own.subspan(2));
    const double sd = sd_of(own.subspan(2));
    add_row(results, name, engine + ", ascending", up);
    add_row(results, name, engine + ", descending", down);
    add_row(results, name, engine + ", random", random);
    const double gap = down.recall[0] - up.recall[0];
    const std::string table = name + ", differences of recall@10 at ef 10";
    results.add(table, engine, "descending - ascending", gap);
    results.add(table, engine, "descending - random", down.recall[0] - random.recall[0]);
    results.add(table, engine, "sd of random orders", sd);
    results.add(table, engine, "|desc - asc| - 2 sd", std::abs(gap) - 2 * sd);
    results.add(table, engine, kSpread,
                range_of(std::vector{up.recall[0], down.recall[0], random.recall[0]}));
  }
}

// Recall as the data fill more and more of the space, inserted in random order.
void measure_ranks(const std::vector<std::size_t>& ranks, std::size_t dim, std::size_t rows,
                   std::size_t queries, const Trial& trial, Results& results) {
  const std::vector<GraphEngine> all = engines();
  for (const std::size_t rank : ranks) {
    const Sample sample = flat_sample(rank, dim, rows, queries, trial);
    const std::string name = "rank " + std::to_string(rank);
    describe(results, name, sample, cosine_lid(sample, trial));
    const std::vector<Order> orders = {random_permutation(rows, trial.seed)};
    std::vector<Job> jobs = jobs_of(std::span(all).first(kFew), orders);
    run_jobs(sample, jobs, trial);
    for (const Job& job : jobs) {
      results.add(kFlats, name, job.engine->name, job.measured.recall[1]);
    }
  }
}

// Orders by category beside random ones.
void measure_categories(const std::string& name, const Sample& sample,
                        const std::vector<std::size_t>& category, std::size_t categories,
                        const Trial& trial, Results& results) {
  std::vector<Order> orders;
  for (std::size_t i = 0; i < kCategoryOrders; ++i) {
    orders.push_back(by_category(category, categories, 1000 * trial.seed + 2 * i));
  }
  for (std::size_t i = 0; i < kCategoryOrders; ++i) {
    orders.push_back(random_permutation(sample.base.rows(), 2000 * trial.seed + i));
  }
  const std::vector<GraphEngine> all = engines();
  std::vector<Job> jobs = jobs_of(std::span(all).first(kFew), orders);
  run_jobs(sample, jobs, trial);
  for (std::size_t e = 0; e < kFew; ++e) {
    const std::span<const Job> own = std::span(jobs).subspan(e * orders.size(), orders.size());
    double spread[2] = {};
    for (const std::size_t half : {0, 1}) {
      const std::span<const Job> jobs_of_half =
          own.subspan(half * kCategoryOrders, kCategoryOrders);
      std::vector<double> recalls;
      for (const Job& job : jobs_of_half) recalls.push_back(job.measured.recall[0]);
      spread[half] = range_of(recalls);
      const std::string row = all[e].name + (half == 0 ? ", by category" : ", random");
      add_row(results, name, row, mean_of(jobs_of_half));
      results.add(name, row, kSpread, spread[half]);
    }
  }
}

std::vector<std::size_t> numbered(const std::vector<std::string>& names, std::size_t& count) {
  std::map<std::string, std::size_t> numbers;
  std::vector<std::size_t> result;
  for (const std::string& name : names) {
    result.push_back(numbers.try_emplace(name, numbers.size()).first->second);
  }
  count = numbers.size();
  return result;
}

void measure_quickly(const Trial& trial, Results& results) {
  trial.expect(engines().size() * (2 + kRandomOrders) + kFew * (2 + 2 * kCategoryOrders));
  measure_ranks({4, 32}, 32, 500, 50, trial, results);
  const Sample sample = flat_sample(8, 32, 500, 50, trial);
  measure_orders("made up", sample, trial, results);
  std::vector<std::size_t> category(sample.base.rows());
  for (std::size_t i = 0; i < category.size(); ++i) category[i] = sample.base(i, 0) > 0 ? 1 : 0;
  measure_categories("made up, by sign", sample, category, 2, trial, results);
}

void measure(const Trial& trial, Results& results) {
  if (trial.quick) return measure_quickly(trial, results);
  constexpr std::size_t kRows = 15000, kQueries = 1000, kSectionRows = 8000, kFlatRows = 10000;
  const std::vector<std::size_t> ranks = {8, 64, 256};
  trial.expect(engines().size() * kSets.size() * (2 + kRandomOrders) +
               kFew * (ranks.size() + 2 * kCategoryOrders));
  measure_ranks(ranks, 256, kFlatRows, kQueries, trial, results);
  for (const std::string& name : kSets) {
    measure_orders(name, load_sample(name, kRows, kQueries, trial), trial, results);
  }
  const Sample sample = section_sample(64, kSectionRows, kQueries, trial);
  const auto sections = debian_sections(trial);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < sample.base.rows(); ++i) {
    const auto found = sections.find(sample.labels.text(i));
    names.push_back(found == sections.end() ? "" : found->second);
  }
  std::size_t count = 0;
  const std::vector<std::size_t> category = numbered(names, count);
  measure_categories(kSections, sample, category, count, trial, results);
}

// ---- Claims --------------------------------------------------------------------------------

// One judgement for each of the engines on each of the sets, of a column of differences.
template <class Judge>
std::vector<Judgement> each(const Results& results, const std::vector<std::string>& engines,
                            const std::string& column, const Judge& judge) {
  std::vector<Judgement> parts;
  for (const std::string& set : kSets) {
    for (const std::string& engine : engines) {
      std::string what = set;
      what += " " + engine;
      const std::string title = set + ", differences of recall@10 at ef 10";
      parts.push_back(judge(what, results.mean(title, engine, column)));
    }
  }
  return parts;
}

const auto is_above = [](const std::string& what, const Estimate& e) { return above(what, e); };

Judgement order_matters(const Results& results) {
  return any_of(each(results, kHnsw, "|desc - asc| - 2 sd", is_above));
}

Judgement descending_beats_ascending(const Results& results) {
  return all_of(each(results, kHnsw, "descending - ascending", is_above));
}

Judgement descending_beats_random(const Results& results) {
  return all_of(each(results, kHnsw, "descending - random", is_above));
}

Judgement rank_halves_recall(const Results& results) {
  const auto thin = results.values(kFlats, "rank 8", "hnswlib");
  const auto full = results.values(kFlats, "rank 256", "hnswlib");
  std::vector<double> ratios;
  for (std::size_t i = 0; i < full.size(); ++i) ratios.push_back(full[i] / thin[i]);
  return below("rank 256 / rank 8", estimate(ratios), 0.6);
}

Judgement categories_matter(const Results& results) {
  return above("by category - random",
               results.difference(kSections, "hnswlib, by category", "hnswlib, random", kSpread));
}

Judgement kith_is_less_sensitive(const Results& results) {
  std::vector<Judgement> parts;
  for (const std::string& set : kSets) {
    parts.push_back(below(set, results.difference(set + ", differences of recall@10 at ef 10",
                                                  "kith f32", "hnswlib", kSpread)));
  }
  return all_of(parts);
}

const Registration registration({
    .slug = "hnsw-ordering",
    .title = "The Impacts of Data, Ordering, and Intrinsic Dimensionality on Recall in "
             "Hierarchical Navigable Small Worlds",
    .authors = "Elliott and Clark",
    .year = 2024,
    .source = "arXiv 2405.17813",
    .data = {"words", "debian-256", "debian-768"},
    .seeds = 3,
    .claims =
        {{"The order of insertion matters",
          "shown if |descending - ascending| exceeds 2 sd of random orders (recall@10, ef 10) for "
          "hnswlib or FAISS on some set, refuted if it stays below for both on every set",
          order_matters},
         {"Descending LID beats ascending LID",
          "shown if so for hnswlib and FAISS on every set (recall@10, ef 10), refuted if the "
          "opposite holds for one of them on some set",
          descending_beats_ascending},
         {"Descending LID beats random order",
          "shown if so for hnswlib and FAISS on every set (recall@10, ef 10), refuted if the "
          "opposite holds for one of them on some set",
          descending_beats_random},
         {"Recall falls by about half as the data fill the space",
          "shown if hnswlib's recall@10 at ef 40 on rank 256 is less than 0.6 of that on rank 8, "
          "refuted if it is more",
          rank_halves_recall},
         {"The order of categories moves recall by more than chance",
          "shown if the range of hnswlib's recall@10 (ef 10) over five orders of categories "
          "exceeds "
          "that over five random orders, refuted if it is smaller",
          categories_matter},
         {"kith's own build is less sensitive to the order (not the paper's claim)",
          "shown if the range of recall@10 (ef 10) over ascending, descending and random order is "
          "smaller for kith f32 than for hnswlib on every set, refuted if larger on some set",
          kith_is_less_sensitive}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
