#include "papers/common/paper.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "base/cpu_time.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"

namespace kith::papers {
namespace {

// A folder that goes away with this.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("kith-papers-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::vector<Paper>& registered_papers() {
  static std::vector<Paper> papers;
  return papers;
}

// Files register in any order.
Registration::Registration(Paper paper) {
  std::vector<Paper>& papers = registered_papers();
  const auto place =
      std::lower_bound(papers.begin(), papers.end(), paper,
                       [](const Paper& a, const Paper& b) { return a.slug < b.slug; });
  papers.insert(place, std::move(paper));
}

void Trial::expect(std::size_t steps) const {
  total_ = steps;
  report_(done_, total_);
}

void Trial::step() const {
  throw_if_cancelled(control);
  const std::lock_guard lock(mutex_);
  report_(++done_, total_);
}

const learn::Registry& Trial::learn() const {
  if (learn_ == nullptr) throw Error(ErrorCode::unsupported, "nothing here trains models");
  return learn_();
}

void Trial::used_model(const std::string& folder, double seconds, bool now) const {
  const std::lock_guard lock(mutex_);
  // The first use tells: a model that was trained here is found by later ones.
  seconds_elsewhere_.try_emplace(folder, now ? 0 : seconds);
}

Report run(const Paper& paper, const RunOptions& options) {
  Report report;
  const double start = cpu_seconds();
  std::map<std::string, double> models;
  const std::size_t trials = options.seeds.size();
  std::optional<ScratchFolder> scratch;
  if (options.quick) scratch.emplace();
  for (std::size_t t = 0; t < trials; ++t) {
    const auto progress = [&](std::size_t done, std::size_t total) {
      if (options.control.progress) {
        options.control.progress(paper.slug, t * total + done, trials * total);
      }
    };
    const Trial trial(options.seeds[t], options.quick, scratch ? scratch->path() : options.cache,
                      without_progress(options.control), progress, options.learn);
    paper.measure(trial, report.results);
    report.results.check_complete(t + 1);
    models.insert(trial.seconds_elsewhere().begin(), trial.seconds_elsewhere().end());
  }
  report.cpu_seconds = cpu_seconds() - start;
  for (const auto& [folder, seconds] : models) report.cpu_seconds += seconds;
  for (const Claim& claim : paper.claims) report.judgements.push_back(claim.judge(report.results));
  return report;
}

}  // namespace kith::papers
