#include "cli/papers_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace kith::cli {
namespace {

using testing::HasSubstr;

papers::Paper toy() {
  papers::Paper paper;
  paper.slug = "toy";
  paper.title = "On Toys";
  paper.authors = "Geppetto";
  paper.year = 1883;
  paper.source = "chapter 1";
  paper.claims = {{"wood is better", "above 0", nullptr}};
  return paper;
}

papers::Report measured() {
  papers::Report report;
  for (const double x : {0.90, 0.92, 0.91}) report.results.add("words", "wood", "recall@10", x);
  report.results.add("words", "wood", "rows", 15000);
  report.results.add("words", "iron", "bytes", 12.5);
  report.judgements = {{papers::Verdict::refuted, "gain -1"}};
  return report;
}

TEST(PapersReport, ShowsAsManyDigitsAsTheIntervalIsWorth) {
  EXPECT_EQ(estimate_text({0.931234, 0.926934, 0.935534, 5}), "0.9312 ± 0.0043");
  EXPECT_EQ(estimate_text({12345.6, 12000, 12691.2, 5}), "12346 ± 346");
  EXPECT_EQ(estimate_text(papers::estimate(std::vector<double>{0.5})), "0.5000");
  EXPECT_EQ(estimate_text(papers::estimate(std::vector<double>{0.5, 0.5})), "0.5000");
}

TEST(PapersReport, DrawsTheGridsOfAPaper) {
  papers::Paper paper = toy();
  EXPECT_EQ(papers_drawing(paper, measured()), "");
  paper.grids = {"words"};
  EXPECT_THAT(papers_drawing(paper, measured()), HasSubstr(">0.910<"));
  EXPECT_THAT(papers_markdown(paper, measured(), {}), HasSubstr("![words](toy.svg)"));
}

TEST(PapersReport, NamesSeedsShortly) {
  EXPECT_EQ(seeds_text({1, 2, 3}), "1 to 3");
  EXPECT_EQ(seeds_text({7}), "7");
  EXPECT_EQ(seeds_text({1, 4, 9}), "1, 4, 9");
}

TEST(PapersReport, GivesProgramsEveryValueAndVerdict) {
  std::istringstream lines(papers_json(toy(), measured()));
  std::vector<nlohmann::json> objects;
  for (std::string line; std::getline(lines, line);) {
    objects.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(objects.size(), 4u);
  EXPECT_EQ(objects[0]["row"], "wood");
  EXPECT_DOUBLE_EQ(objects[0]["mean"], 0.91);
  EXPECT_EQ(objects[0]["values"].size(), 3u);
  EXPECT_TRUE(objects[1]["low"].is_null());  // one value has no interval
  EXPECT_EQ(objects[3]["verdict"], "refuted");
}

TEST(PapersReport, LeavesBlankWhatWasNotMeasured) {
  const std::string page = papers_markdown(toy(), measured(), {.seeds = {1, 2, 3}});
  EXPECT_THAT(page, HasSubstr("| wood | 0.910 ± 0.025 | 15000"));
  EXPECT_THAT(page, HasSubstr("| iron |  |  | 12.50 |"));
  EXPECT_THAT(page, HasSubstr("- **refuted**: wood is better. gain -1. Rule: above 0."));
  EXPECT_THAT(papers_text(toy(), measured(), {.seeds = {1}, .quick = true}),
              HasSubstr("not a result"));
}

TEST(PapersReport, SumsUpEveryPaperInARowOfOneTable) {
  papers::Report report = measured();
  report.cpu_seconds = 125;
  const std::string row = papers_row(toy(), report, {.seeds = {1, 2, 3}});
  EXPECT_EQ(row,
            "| [toy](#toy) | wood is better | gain -1 | refuted | 0, 1, 0 | `kith papers run toy "
            "--seeds 3` | 2 min 5 s |\n");
  EXPECT_THAT(papers_row(toy(), report, {.seeds = {7}}), HasSubstr("run toy --seed 7`"));
}

}  // namespace
}  // namespace kith::cli
