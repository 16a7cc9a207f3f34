#include "papers/common/paper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "kith/error.h"

namespace kith::papers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Estimate kAbove{2, 1, 3, 5}, kAround{0, -1, 1, 5}, kBelow{-2, -3, -1, 5};

TEST(Verdict, NeedsTheWholeIntervalOnOneSide) {
  EXPECT_EQ(above("x", kAbove).verdict, Verdict::shown);
  EXPECT_EQ(above("x", kAround).verdict, Verdict::undecided);
  EXPECT_EQ(above("x", kBelow).verdict, Verdict::refuted);
  EXPECT_EQ(above("x", kAbove, 2).verdict, Verdict::undecided);
  EXPECT_EQ(below("x", kBelow).verdict, Verdict::shown);
  EXPECT_EQ(below("x", kAbove).verdict, Verdict::refuted);
  EXPECT_THAT(above("gain", kAbove).evidence, HasSubstr("gain 2 [1, 3]"));
}

TEST(Verdict, OfOneSeedIsUndecided) {
  const Estimate one = estimate(std::vector<double>{5});
  EXPECT_EQ(above("x", one).verdict, Verdict::undecided);
  EXPECT_EQ(below("x", one).verdict, Verdict::undecided);
}

TEST(Verdict, OfPartsIsThatOfAllOrOfAny) {
  const Judgement yes = above("x", kAbove), no = above("x", kBelow), open = above("x", kAround);
  EXPECT_EQ(all_of(std::vector{yes, yes}).verdict, Verdict::shown);
  EXPECT_EQ(all_of(std::vector{yes, open}).verdict, Verdict::undecided);
  EXPECT_EQ(all_of(std::vector{yes, open, no}).verdict, Verdict::refuted);
  EXPECT_EQ(any_of(std::vector{no, open, yes}).verdict, Verdict::shown);
  EXPECT_EQ(any_of(std::vector{no, open}).verdict, Verdict::undecided);
  EXPECT_EQ(any_of(std::vector{no, no}).verdict, Verdict::refuted);
  EXPECT_EQ(all_of({}).verdict, Verdict::undecided);
}

// A trial's "method" is one better than its "baseline", whatever its seed.
void measure_toy(const Trial& trial, Results& results) {
  trial.expect(2);
  const auto seed = static_cast<double>(trial.seed);
  results.add("toy", "baseline", "score", 10 * seed);
  trial.step();
  results.add("toy", "method", "score", 10 * seed + 1);
  trial.step();
}

Paper toy(const std::string& slug) {
  Paper paper;
  paper.slug = slug;
  paper.claims = {{"the method scores more", "above 0", [](const Results& results) {
                     return above("gain", results.difference("toy", "method", "baseline", "score"));
                   }}};
  paper.measure = measure_toy;
  return paper;
}

TEST(Paper, IsJudgedByPairsOfItsSeeds) {
  const Report report = run(toy("toy"), {.seeds = {1, 2, 9}});
  EXPECT_THAT(report.results.values("toy", "baseline", "score"), ElementsAre(10, 20, 90));
  EXPECT_DOUBLE_EQ(report.results.mean("toy", "method", "score").mean, 41);
  ASSERT_EQ(report.judgements.size(), 1u);
  EXPECT_EQ(report.judgements[0].verdict, Verdict::shown);
  EXPECT_THAT(report.judgements[0].evidence, HasSubstr("gain 1"));
}

TEST(Paper, CountsTheTimeOfModelsOnceWhoeverTrainedThem) {
  Paper paper = toy("toy");
  paper.measure = [](const Trial& trial, Results&) {
    trial.used_model("base", 1000, false);  // found by every trial
    trial.used_model("of " + std::to_string(trial.seed), 500, trial.seed == 1);
  };
  paper.claims.clear();
  EXPECT_NEAR(run(paper, {.seeds = {1, 2, 9}}).cpu_seconds, 2000, 100);
}

TEST(Paper, ReportsProgressOverAllItsTrials) {
  std::vector<std::pair<std::size_t, std::size_t>> reports;
  RunOptions options{.seeds = {1, 2}};
  options.control.progress = [&](std::string_view stage, std::size_t done, std::size_t total) {
    EXPECT_EQ(stage, "toy");
    reports.emplace_back(done, total);
  };
  run(toy("toy"), options);
  using P = std::pair<std::size_t, std::size_t>;
  EXPECT_THAT(reports, ElementsAre(P(0, 4), P(1, 4), P(2, 4), P(2, 4), P(3, 4), P(4, 4)));
}

TEST(Paper, HasAFolderThatGoesAwayWhereItsTrialIsQuick) {
  Paper paper = toy("toy");
  static std::string folder;
  paper.measure = [](const Trial& trial, Results& results) {
    folder = trial.cache;
    EXPECT_TRUE(std::filesystem::is_empty(folder));
    results.add("toy", "method", "score", 1);
    results.add("toy", "baseline", "score", 1);
  };
  run(paper, {.seeds = {1}, .quick = true, .cache = "never"});
  EXPECT_NE(folder, "never");
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Paper, StopsWhenCancelled) {
  const std::atomic<bool> cancel = true;
  RunOptions options{.seeds = {1}};
  options.control.cancel = &cancel;
  EXPECT_THROW(run(toy("toy"), options), Error);
}

TEST(Paper, MustMeasureTheSameInEveryTrial) {
  Paper paper = toy("uneven");
  paper.claims.clear();
  paper.measure = [](const Trial& trial, Results& results) {
    results.add("toy", "method", "score", 1);
    if (trial.seed == 2) results.add("toy", "method", "score", 1);
  };
  EXPECT_NO_THROW(run(paper, {.seeds = {1}}));
  EXPECT_THROW(run(paper, {.seeds = {1, 2}}), Error);
}

TEST(Paper, IsListedByItsSlug) {
  const Registration second(toy("second")), first(toy("first"));
  ASSERT_EQ(registered_papers().size(), 2u);
  EXPECT_EQ(registered_papers()[0].slug, "first");
  EXPECT_EQ(registered_papers()[1].slug, "second");
}

}  // namespace
}  // namespace kith::papers
