#include "papers/common/paper.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/progress.h"

namespace kith::papers {

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
  report_(++done_, total_);
}

Report run(const Paper& paper, const RunOptions& options) {
  Report report;
  const std::size_t trials = options.seeds.size();
  for (std::size_t t = 0; t < trials; ++t) {
    const auto progress = [&](std::size_t done, std::size_t total) {
      if (options.control.progress) {
        options.control.progress(paper.slug, t * total + done, trials * total);
      }
    };
    const Trial trial(options.seeds[t], options.quick, options.cache,
                      without_progress(options.control), progress);
    paper.measure(trial, report.results);
    report.results.check_complete(t + 1);
  }
  for (const Claim& claim : paper.claims) report.judgements.push_back(claim.judge(report.results));
  return report;
}

}  // namespace kith::papers
