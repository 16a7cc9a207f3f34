// eval, tune, plan, info and add on small files, and what all verbs share.
#include <map>

#include "cli/test_tool.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

class Verbs : public ToolTest {
 protected:
  static constexpr std::size_t kRows = 4000, kDim = 24, kQueries = 60;

  // A graph over base.fvecs with queries and their truth. A small degree leaves something to tune.
  void prepare() {
    make_vectors("base.fvecs", kRows, kDim, 1);
    make_vectors("queries.fvecs", kQueries, kDim, 2);
    build("base.fvecs", "x.kith", {"--index", "graph", "--degree", "10", "--codec", "f32"});
    ExactOptions exact;
    exact.k = 20;
    write_neighbours(path("truth.ibin"),
                     exact_search(vectors(kRows, kDim, 1), vectors(kQueries, kDim, 2), exact));
  }
};

TEST_F(Verbs, EvalGivesRecallRatesAndLatenciesForEachBeamAndThreadCount) {
  prepare();
  const Outcome outcome = kith({"eval", "x.kith", "queries.fvecs", "truth.ibin", "--beams",
                                "10,40,160", "--threads", "2", "--seconds", "0.02", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto rows = outcome.objects();
  ASSERT_EQ(rows.size(), 6u);
  std::map<int, double> recall;
  for (const auto& row : rows) {
    recall[row.at("beam")] = row.at("recall");
    EXPECT_GT(row.at("qps_cpu").get<double>(), 0);
    EXPECT_GT(row.at("qps_wall").get<double>(), 0);
    EXPECT_GT(row.at("p50_us").get<double>(), 0);
    EXPECT_GE(row.at("p99_us").get<double>(), row.at("p50_us").get<double>());
  }
  EXPECT_EQ(rows.front().at("threads"), 1);
  EXPECT_EQ(rows.back().at("threads"), 2);
  EXPECT_LE(recall.at(10), recall.at(40));
  EXPECT_LE(recall.at(40), recall.at(160));
  EXPECT_GE(recall.at(160), 0.9);
}

TEST_F(Verbs, EvalDrawsAPlot) {
  prepare();
  ASSERT_EQ(kith({"eval", "x.kith", "queries.fvecs", "truth.ibin", "--beams", "10,40", "--seconds",
                  "0.02", "--svg", "plot.svg"})
                .exit,
            0);
  const std::string svg = read_file(path("plot.svg"));
  EXPECT_TRUE(svg.starts_with("<svg"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST_F(Verbs, EvalOfAFlatIndexIsOneExactRow) {
  prepare();
  build("base.fvecs", "flat.kith", {"--index", "flat", "--codec", "f32"});
  const auto rows = kith({"eval", "flat.kith", "queries.fvecs", "truth.ibin", "--threads", "1",
                          "--seconds", "0.02", "--json"})
                        .objects();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("recall"), 1.0);
}

TEST_F(Verbs, EvalRefusesTruthThatDoesNotFit) {
  prepare();
  expect_error({"eval", "x.kith", "queries.fvecs", "truth.ibin", "-k", "21"}, 2,
               {"truth.ibin: 20 neighbours a query, but recall@21 needs 21"});
  make_vectors("fewer.fvecs", kQueries - 1, kDim, 2);
  expect_error({"eval", "x.kith", "fewer.fvecs", "truth.ibin"}, 2, {"truth.ibin", "60", "59"});
  make_vectors("small.fvecs", 100, kDim, 1);
  build("small.fvecs", "small.kith");
  expect_error({"eval", "small.kith", "queries.fvecs", "truth.ibin"}, 2,
               {"truth.ibin", "the index holds 100"});
  expect_error({"eval", "x.kith", "queries.fvecs", "truth.ibin", "--beams", "10,0"}, 2,
               {"--beams: '0'"});
  expect_error({"eval", "x.kith", "queries.fvecs", "truth.ibin", "--svg", "no/plot.svg"}, 1,
               {"no/plot.svg"});
}

TEST_F(Verbs, TuneStoresTheSmallestBeamThatReachesTheRecall) {
  prepare();
  const Outcome outcome =
      kith({"tune", "x.kith", "queries.fvecs", "truth.ibin", "--recall", "0.9", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const nlohmann::json tuned = outcome.objects().back();
  EXPECT_EQ(tuned.at("setting"), "tuned");
  EXPECT_GE(tuned.at("recall").get<double>(), 0.8);  // on queries it hasn't seen
  const nlohmann::json info = kith({"info", "x.kith", "--json"}).objects().at(0);
  EXPECT_EQ(info.at("beam"), tuned.at("beam"));
  EXPECT_EQ(info.at("tuned_recall"), 0.9);
}

TEST_F(Verbs, TuneLeavesTheIndexAloneWhenItFails) {
  prepare();
  // Answers that no search can find: the truth of other queries.
  ExactOptions exact;
  exact.k = 10;
  write_neighbours(path("wrong.ibin"),
                   exact_search(vectors(kRows, kDim, 1), vectors(kQueries, kDim, 99), exact));
  const std::string before = read_file(path("x.kith"));
  expect_error({"tune", "x.kith", "queries.fvecs", "wrong.ibin"}, 1, {"recall 0.95", "beam 4"});
  EXPECT_EQ(read_file(path("x.kith")), before);
  build("base.fvecs", "flat.kith", {"--index", "flat"});
  expect_error({"tune", "flat.kith", "queries.fvecs", "truth.ibin"}, 2, {"flat.kith", "exact"});
}

TEST_F(Verbs, MergePutsIndexesTogetherAndNamesTheFileThatDoesNotFit) {
  make_words("a.txt", 300, kDim, 1);
  make_words("b.txt", 200, kDim, 2);  // the labels of a.txt
  make_vectors("c.fvecs", 100, kDim, 3);
  make_vectors("narrow.fvecs", 100, kDim - 1, 3);
  for (const char* name : {"a.txt", "b.txt", "c.fvecs", "narrow.fvecs"}) {
    build(name, std::string(name).substr(0, std::string(name).find('.')) + ".kith");
  }
  expect_error({"merge", "a.kith", "b.kith", "-o", "all.kith"}, 2,
               {"b.kith: label 'w", "is in a.kith too"});
  expect_error({"merge", "a.kith", "narrow.kith", "-o", "all.kith"}, 2,
               {"narrow.kith: 23 dimensions, but a.kith has 24"});
  expect_error({"merge", "a.kith", "-o", "all.kith"}, 2, {"a.kith: one index"});
  expect_error({"merge", "a.kith", "c.kith", "--vectors", "narrow.fvecs", "-o", "all.kith"}, 2,
               {"c.kith: 100 ids of dimension 24", "of dimension 23"});
  const Outcome outcome =
      kith({"merge", "a.kith", "b.kith", "c.kith", "--replace", "-o", "a.kith", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().at(0).at("vectors"), 400);
  EXPECT_EQ(outcome.objects().at(0).at("replaced"), 200);
  const Index merged = Index::open(path("a.kith"));
  EXPECT_TRUE(merged.find("w0"));
  EXPECT_EQ(merged.size(), 400u);
}

TEST_F(Verbs, BenchScalingComparesNumbersOfThreads) {
  make_vectors("base.fvecs", 3000, kDim, 1);
  const Outcome outcome = kith({"bench", "scaling", "base.fvecs", "--threads", "3", "--rounds", "1",
                                "--seconds", "0.01", "--index", "graph", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto rows = outcome.objects();
  ASSERT_EQ(rows.size(), 6u);
  const std::vector<int> threads = {1, 2, 3, 1, 2, 3};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("task"), i < 3 ? "build" : "search");
    EXPECT_EQ(rows[i].at("threads"), threads[i]);
    EXPECT_GT(rows[i].at("per_second").get<double>(), 0);
    EXPECT_NEAR(rows[i].at("efficiency").get<double>() * threads[i],
                rows[i].at("speed_up").get<double>(), 1e-9);
  }
  EXPECT_EQ(rows[0].at("speed_up"), 1.0);
  make_vectors("narrow.fvecs", 10, kDim - 1, 1);
  expect_error({"bench", "scaling", "base.fvecs", "narrow.fvecs"}, 2,
               {"narrow.fvecs: 23 dimensions, but base.fvecs has 24"});
}

TEST_F(Verbs, PlanForecastsTheSizeOfWhatBuildWrites) {
  make_vectors("base.fvecs", 20000, kDim, 1);
  const std::vector<std::vector<std::string>> choices = {
      {"--index", "graph"}, {"--index", "flat"}, {"--codec", "pq6+rot-lvq8"}};
  for (const std::vector<std::string>& choice : choices) {
    std::vector<std::string> plan_words = {"plan", "base.fvecs", "--json"};
    std::vector<std::string> build_words = {"build", "base.fvecs", "-o", "x.kith", "--json"};
    plan_words.insert(plan_words.end(), choice.begin(), choice.end());
    build_words.insert(build_words.end(), choice.begin(), choice.end());
    const auto plan = kith(plan_words).objects().at(0);
    const auto built = kith(build_words).objects().at(0);
    EXPECT_EQ(plan.at("kind"), built.at("kind"));
    EXPECT_EQ(plan.at("codec"), built.at("codec"));
    EXPECT_NEAR(plan.at("bytes").get<double>() / built.at("bytes").get<double>(), 1, 0.1);
    EXPECT_GT(plan.at("cpu_seconds").get<double>(), 0);
    EXPECT_GT(plan.at("peak_memory_bytes").get<double>(), built.at("bytes").get<double>() / 2);
  }
}

TEST_F(Verbs, PlanForecastsTheKindThatBuildChooses) {
  make_vectors("base.fvecs", 5000, kDim, 1);
  const auto plan = kith({"plan", "base.fvecs", "--json"}).objects().at(0);
  const auto built = kith({"build", "base.fvecs", "-o", "x.kith", "--json"}).objects().at(0);
  EXPECT_EQ(plan.at("kind"), built.at("kind"));
}

TEST_F(Verbs, InfoKnowsIndexesVectorsAndNeighbours) {
  prepare();
  const auto index = kith({"info", "x.kith", "--json"}).objects().at(0);
  EXPECT_EQ(index.at("checksums"), "verified");
  EXPECT_EQ(index.at("vectors"), kRows);
  EXPECT_EQ(index.at("degree"), 10);
  const auto file = kith({"info", "base.fvecs", "--json"}).objects().at(0);
  EXPECT_EQ(file.at("format"), "fvecs");
  EXPECT_EQ(file.at("vectors"), kRows);
  EXPECT_EQ(file.at("element"), "f32");
  const auto truth = kith({"info", "truth.ibin", "--json"}).objects().at(0);
  EXPECT_EQ(truth.at("queries"), kQueries);
  EXPECT_EQ(truth.at("k"), 20);
  expect_error({"info", "absent"}, 1, {"absent"});
}

TEST_F(Verbs, AddAppendsVectorsWithTheirLabels) {
  make_words("words.txt", 300, 8, 1);
  build("words.txt", "words.kith");
  make_words("more.txt", 320, 8, 1);  // w0 ... w319: its last 20 are new
  const std::string before = read_file(path("words.kith"));
  const Outcome outcome = kith({"add", "words.kith", "more.txt", "-o", "grown.kith", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().at(0).at("vectors"), 620);
  EXPECT_EQ(read_file(path("words.kith")), before);
  const auto hits = kith({"search", "grown.kith", "--like", "w310", "-k", "3", "--json"}).objects();
  EXPECT_EQ(hits.size(), 3u);

  ASSERT_EQ(kith({"add", "words.kith", "more.txt"}).exit, 0);
  EXPECT_EQ(Index::open(path("words.kith")).size(), 620u);
}

TEST_F(Verbs, AddReplacesTheVectorsThatHaveTheSameLabels) {
  make_words("words.txt", 400, 8, 1);
  build("words.txt", "words.kith");
  make_words("corrected.txt", 30, 8, 2);
  const Outcome outcome = kith({"add", "words.kith", "corrected.txt", "--replace", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto record = outcome.objects().at(0);
  EXPECT_EQ(record.at("replaced"), 30);
  EXPECT_EQ(record.at("vectors"), 400);
  const Index index = Index::open(path("words.kith"));
  std::vector<float> x(8);
  index.vector(index.find("w7").value(), x.data());
  EXPECT_NEAR(x[0], vectors(30, 8, 2)(7, 0), 0.05f);
}

TEST_F(Verbs, RemoveTakesLabelsAFileOfThemOrAPattern) {
  make_words("words.txt", 400, 8, 1);
  build("words.txt", "words.kith");
  ASSERT_EQ(kith({"remove", "words.kith", "--label", "w1", "--label", "w2"}).exit, 0);
  write_file(path("gone.txt"), "w30\nw31\n");
  ASSERT_EQ(kith({"remove", "words.kith", "--labels", "gone.txt"}).exit, 0);
  const Outcome outcome = kith({"remove", "words.kith", "--match", "^w3..$", "--json"});
  EXPECT_EQ(outcome.objects().at(0).at("removed"), 100) << outcome.err;
  EXPECT_EQ(Index::open(path("words.kith")).size(), 296u);
  EXPECT_EQ(kith({"info", "words.kith", "--json"}).objects().at(0).at("removed"), 104);
  expect_error({"remove", "words.kith", "--label", "w1"}, 1, {"words.kith", "'w1'"});
  expect_error({"remove", "words.kith"}, 2, {"nothing to remove", "--label"});
}

TEST_F(Verbs, BenchFiltersAndChangeGiveRecallBesideTheBaseline) {
  prepare();
  const auto filters = kith({"bench", "filters", "x.kith", "base.fvecs", "queries.fvecs", "--count",
                             "5", "--rounds", "1", "--json"})
                           .objects();
  ASSERT_EQ(filters.size(), 28u);
  EXPECT_EQ(filters[0].at("to_unfiltered"), 1);
  for (const auto& row : filters) EXPECT_GE(row.at("recall").get<double>(), 0.7) << row.dump();
  const auto cycles = kith({"bench", "change", "base.fvecs", "queries.fvecs", "--cycles", "8",
                            "--index", "graph", "--json"})
                          .objects();
  ASSERT_EQ(cycles.size(), 9u);
  EXPECT_EQ(cycles[7].at("what"), "hubs and middle go");
  for (const auto& row : cycles) {
    EXPECT_EQ(row.at("vectors"), 2000);
    EXPECT_GE(row.at("difference").get<double>(), -0.03) << row.dump();
  }
}

TEST_F(Verbs, BenchCodecsShowsWhatEachCodecFindsAndTakes) {
  make_vectors("base.fvecs", 1500, 16, 1);
  make_vectors("queries.fvecs", 40, 16, 2);
  std::vector<std::string> bench = {"bench",    "codecs", "base.fvecs", "queries.fvecs",
                                    "--rounds", "1",      "--seconds",  "0.01"};
  const auto with = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> all = bench;
    all.insert(all.end(), more);
    return all;
  };
  const Outcome outcome =
      kith(with({"--codec", "f32", "--codec", "lvq8", "--codec", "rabitq1", "--codec", "pq4",
                 "--codec", "pq8+rot-lvq8", "--codec", "leanvec8-lvq8", "--json", "--svg", "c.svg",
                 "--markdown", "page.md"}));
  const auto rows = outcome.objects();
  ASSERT_EQ(rows.size(), 6u) << outcome.err;
  EXPECT_EQ(rows[0].at("recall"), 1);
  EXPECT_EQ(rows[0].at("bytes"), 64);
  EXPECT_GT(rows[1].at("recall").get<double>(), rows[2].at("recall").get<double>());
  EXPECT_LT(rows[3].at("bytes").get<double>(), 12);
  EXPECT_EQ(rows[4].at("held"), "lists");
  EXPECT_TRUE(rows[4].at("among_100").is_null());
  for (const std::size_t scanned : {0, 1, 2, 3, 5}) {
    EXPECT_GE(rows[scanned].at("among_100").get<double>(),
              rows[scanned].at("recall").get<double>());
  }
  EXPECT_NE(read_file(path("c.svg")).find("rabitq"), std::string::npos);
  EXPECT_NE(read_file(path("page.md")).find("## codecs: base"), std::string::npos);
  EXPECT_NE(read_file(path("codecs-base.svg")).find("rabitq"), std::string::npos);

  EXPECT_EQ(kith(with({"--json"})).objects().size(), 34u);
  expect_error(with({"--codec", "lvq9"}), 2, {"lvq9"});
  expect_error(with({"--trained", "absent"}), 1, {"absent"});
}

TEST_F(Verbs, AddRefusesOtherDimensionsAndLeavesTheIndexAlone) {
  make_vectors("base.fvecs", 300, 8, 1);
  make_vectors("wide.fvecs", 10, 9, 1);
  build("base.fvecs", "x.kith");
  const std::string before = read_file(path("x.kith"));
  expect_error({"add", "x.kith", "wide.fvecs"}, 2, {"wide.fvecs: 9 dimensions, but x.kith has 8"});
  expect_error({"add", "x.kith", "absent.fvecs"}, 1, {"absent.fvecs"});
  EXPECT_EQ(read_file(path("x.kith")), before);
}

TEST_F(Verbs, EveryVerbHasExamplesAndTheCommonOptions) {
  for (const std::string verb :
       {"plan", "build", "info", "search", "eval", "tune", "add", "data", "judge"}) {
    const Outcome outcome = kith({verb, "--help"});
    EXPECT_EQ(outcome.exit, 0);
    for (const std::string part : {"Examples:\n  kith ", "--json", "--threads", "--seed"}) {
      EXPECT_NE(outcome.out.find(part), std::string::npos) << verb << " lacks " << part;
    }
  }
}

TEST_F(Verbs, UsageErrorsAreOneLineAndExitWith2) {
  expect_error({"frobnicate"}, 2, {"frobnicate", "kith --help"});
  expect_error({"build"}, 2, {"kith build", "BASE", "kith build --help"});
  expect_error({"build", "a", "-o", "b", "--colour"}, 2, {"--colour"});
  expect_error({"--colour"}, 2, {"--colour"});
}

TEST_F(Verbs, VersionIsOneLine) {
  const Outcome outcome = kith({"--version"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_TRUE(outcome.out.starts_with("kith ")) << outcome.out;
}

}  // namespace
}  // namespace kith::cli
