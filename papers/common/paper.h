// A reproduction of a published method: one flat file papers/SLUG.cc that reads from top to bottom
// (data, baselines, method, table) and ends with a Registration. `kith papers list` shows it,
// `kith papers run SLUG` runs a trial for every seed, makes means and intervals, and judges the
// claims by their rules.
//
//   void measure(const Trial& trial, Results& results) {
//     const Sample words = load_sample("words", 15000, 1000, trial);
//     results.add("words", "baseline", "recall@10", ...);
//     results.add("words", "method", "recall@10", ...);
//   }
//
//   const Registration registration({
//       .slug = "method", .title = "...", .authors = "...", .year = 2024, .source = "arXiv ...",
//       .data = {"words"},
//       .claims = {{"the method finds more",
//                   "shown if recall@10 minus the baseline's is above 0, paired over seeds",
//                   [](const Results& results) {
//                     return above("words", results.difference("words", "method", "baseline",
//                                                              "recall@10"));
//                   }}},
//       .measure = measure});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kith/control.h"
#include "learn/learn.h"
#include "papers/common/results.h"
#include "papers/common/verdict.h"

namespace kith::papers {

// Loads libkith-learn at its first call.
using LoadLearn = const learn::Registry& (*)();

// One run of the whole comparison. All randomness comes from `seed`, so that trials are independent
// and rows of one trial can be paired.
class Trial {
 public:
  using Step = std::function<void(std::size_t done, std::size_t total)>;
  Trial(std::uint64_t trial_seed, bool is_quick, std::string cache_folder, Control steering,
        Step report, LoadLearn learn = nullptr)
      : seed(trial_seed),
        quick(is_quick),
        cache(std::move(cache_folder)),
        control(std::move(steering)),
        report_(std::move(report)),
        learn_(learn) {}

  const std::uint64_t seed;
  // A size that takes seconds and needs no fetched data, to see that all works; not a result.
  const bool quick;
  // The folder with the data sets; of a quick trial an empty one, which goes away with the run.
  const std::string cache;
  const Control control;  // threads and cancellation; progress is by steps

  // How many steps this trial has, before the first; then one call after each, from any thread.
  // Steps should take about equally long. Throws Error{cancelled} when the person wants no more.
  void expect(std::size_t steps) const;
  void step() const;

  // What trains models. Throws unsupported where whoever runs the trial has none, and what loading
  // it does.
  const learn::Registry& learn() const;

  // That a model was needed which took so many seconds of processor time to train: now, or in an
  // earlier run or trial.
  void used_model(const std::string& folder, double seconds, bool now) const;
  // By folder, the seconds that others spent on it; 0 for what was trained here.
  const std::map<std::string, double>& seconds_elsewhere() const { return seconds_elsewhere_; }

 private:
  Step report_;
  LoadLearn learn_;
  mutable std::mutex mutex_;
  mutable std::size_t done_ = 0, total_ = 0;
  mutable std::map<std::string, double> seconds_elsewhere_;
};

struct Claim {
  std::string text;  // one sentence
  std::string rule;  // when it counts as shown, when as refuted
  std::function<Judgement(const Results& results)> judge;
};

struct Paper {
  std::string slug, title, authors;
  int year = 0;
  std::string source = {};             // where to read it: "arXiv 2405.17813", "NeurIPS 2019"
  std::vector<std::string> data = {};  // names of data sets (papers/common/data.h) it reads
  std::size_t seeds = 5;               // trials unless the person says otherwise
  // Titles of tables that are drawn, too: how good each row and column are together.
  std::vector<std::string> grids = {};
  std::vector<Claim> claims;
  void (*measure)(const Trial& trial, Results& results) = nullptr;
};

// Adds a paper to those of its module.
class Registration {
 public:
  explicit Registration(Paper paper);
};

// In the order of their slugs.
std::vector<Paper>& registered_papers();

// ---- What the tool asks of a module ----------------------------------------------------------

struct RunOptions {
  std::vector<std::uint64_t> seeds = {};
  bool quick = false;
  std::string cache = ".cache";
  Control control = {};
  LoadLearn learn = nullptr;  // for papers that train
};

struct Report {
  Results results;
  std::vector<Judgement> judgements;  // one a claim
  // Of processor time, with what earlier runs spent on the models that this one found.
  double cpu_seconds = 0;
};

// A trial for every seed, then the claims' rules. Throws what the paper throws, and
// Error{cancelled}.
Report run(const Paper& paper, const RunOptions& options);

struct PapersModule {
  const std::vector<Paper>& (*papers)();
  Report (*run)(const Paper& paper, const RunOptions& options);
  // What is said of the first data set that isn't there; empty when all are.
  std::string (*missing)(const Paper& paper, const std::string& cache);
};

// The one entry of libkith-papers.so.
using PapersEntry = const PapersModule* (*)();
inline constexpr char kPapersEntry[] = "kith_papers_module";

}  // namespace kith::papers
