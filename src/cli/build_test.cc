#include "cli/test_tool.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

using Build = ToolTest;

TEST_F(Build, MakesAnIndexThatFindsNeighbours) {
  make_vectors("base.fvecs", 5000, 32, 1);
  make_vectors("queries.fvecs", 100, 32, 2);
  const Outcome outcome = kith({"build", "base.fvecs", "-o", "x.kith", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const nlohmann::json built = outcome.objects().at(0);
  EXPECT_EQ(built.at("kind"), "ivf");
  EXPECT_EQ(built.at("vectors"), 5000);
  EXPECT_EQ(built.at("dim"), 32);
  EXPECT_GT(built.at("beam").get<int>(), 0);
  std::size_t sum = 0;
  for (const auto& [part, bytes] : built.at("bytes_by_part").items()) sum += bytes.get<int>();
  EXPECT_EQ(built.at("bytes"), sum);

  const Index index = Index::open(path("x.kith"));
  const Vectors base = read_vectors(path("base.fvecs"));
  const Vectors queries = read_vectors(path("queries.fvecs"));
  ExactOptions exact;
  exact.k = 10;
  const Neighbours truth = exact_search(base.rows, queries.rows, exact);
  EXPECT_GE(recall_at(index.search(queries.rows, 10), truth, 10), 0.9);
}

TEST_F(Build, GivesTheSameFileForAnyNumberOfThreads) {
  make_vectors("base.fvecs", 3000, 16, 1);
  build("base.fvecs", "one.kith", {"--threads", "1"});
  build("base.fvecs", "three.kith", {"--threads", "3"});
  EXPECT_EQ(read_file(path("one.kith")), read_file(path("three.kith")));
}

TEST_F(Build, TakesEveryMetricCodecAndKind) {
  make_vectors("base.fvecs", 300, 16, 1);
  for (const std::string metric : {"l2", "ip", "cosine"}) {
    for (const std::string codec : {"f32", "f16", "lvq8", "lvq4+f16", "rabitq1+f16"}) {
      for (const std::string kind : {"graph", "flat"}) {
        build("base.fvecs", "x.kith", {"--metric", metric, "--codec", codec, "--index", kind});
        const IndexInfo info = Index::open(path("x.kith")).info();
        EXPECT_EQ(name(info.metric), metric);
        EXPECT_EQ(info.codec, codec);
        EXPECT_EQ(info.kind, kind);
      }
    }
  }
}

TEST_F(Build, LearnsAReductionFromQueries) {
  make_vectors("base.fvecs", 600, 16, 1);
  make_vectors("queries.fvecs", 60, 16, 2);
  make_vectors("few.fvecs", 5, 16, 2);
  make_vectors("narrow.fvecs", 60, 8, 2);
  const std::vector<std::string> reduced = {"--metric", "ip", "--codec", "leanvec8-lvq8+f16"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), reduced.begin(), reduced.end());
    return more;
  };
  for (const std::string method : {"id", "es", "fw", "es+fw"}) {
    build("base.fvecs", "x.kith",
          with({"--train-queries", "queries.fvecs", "--leanvec", method, "--index", "graph"}));
    EXPECT_EQ(Index::open(path("x.kith")).info().codec, "leanvec8-lvq8+f16") << method;
  }
  const auto refused = [&](const std::vector<std::string>& more, const std::string& said) {
    std::vector<std::string> words = {"build", "base.fvecs", "-o", "x.kith"};
    words.insert(words.end(), more.begin(), more.end());
    expect_error(words, 2, {said});
  };
  refused(with({"--train-queries", "few.fvecs"}), "5 training queries to learn from");
  refused(with({"--train-queries", "narrow.fvecs"}), "8 dimensions");
  refused(with({"--leanvec", "pca"}), "expected id, es, fw or es+fw");
  refused({"--codec", "lvq8", "--train-queries", "queries.fvecs"}, "learns nothing from queries");
}

TEST_F(Build, RefusesUnknownChoices) {
  make_vectors("base.fvecs", 100, 8, 1);
  expect_error({"build", "base.fvecs", "-o", "x.kith", "--metric", "hamming"}, 2,
               {"hamming", "l2, ip or cosine"});
  expect_error({"build", "base.fvecs", "-o", "x.kith", "--codec", "zip7"}, 2, {"zip7"});
  expect_error({"build", "base.fvecs", "-o", "x.kith", "--index", "tree"}, 2, {"tree"});
  expect_error({"build", "base.fvecs", "-o", "x.kith", "--degree", "many"}, 2,
               {"--degree", "many", "expected a whole number"});
  expect_error({"build", "base.fvecs", "-o", "x.kith", "--recall", "1.5"}, 2, {"--recall", "1.5"});
  expect_error({"build", "base.fvecs", "-o", "x.kith", "--threads", "0"}, 2, {"--threads"});
  expect_error({"build", "base.fvecs"}, 2, {"--output"});
}

TEST_F(Build, RefusesBadBases) {
  expect_error({"build", "absent.fvecs", "-o", "x.kith"}, 1, {"absent.fvecs"});

  write_file(path("empty.npy"), "");
  expect_error({"build", "empty.npy", "-o", "x.kith"}, 1, {"empty.npy"});

  Matrix<float> rows = vectors(50, 8, 1);
  std::fill_n(rows.row(7), 8, 0.0f);
  write_vectors(path("zero.fvecs"), rows, Labels());
  expect_error({"build", "zero.fvecs", "-o", "x.kith", "--metric", "cosine"}, 2,
               {"zero.fvecs: row 7", "zero vector"});

  make_vectors("nan.fvecs", 50, 8, 1);
  std::string bytes = read_file(path("nan.fvecs"));
  const float nan = std::nanf("");
  bytes.replace(20 * 36 + 4 + 3 * 4, 4, reinterpret_cast<const char*>(&nan), 4);
  write_file(path("nan.fvecs"), bytes);
  expect_error({"build", "nan.fvecs", "-o", "x.kith"}, 1, {"nan.fvecs", "20"});

  write_file(path("cut.fvecs"), bytes.substr(0, 100));
  expect_error({"build", "cut.fvecs", "-o", "x.kith"}, 1, {"cut.fvecs"});
}

TEST_F(Build, ChecksTheOutputBeforeItReadsTheBase) {
  expect_error({"build", "absent.fvecs", "-o", "no/such/folder/x.kith"}, 1,
               {"no/such/folder/x.kith", "No such file"});
  std::filesystem::create_directory(path("folder"));
  expect_error({"build", "absent.fvecs", "-o", "folder"}, 1, {"folder"});
  expect_error({"build", "absent.fvecs", "-o", "folder/"}, 2, {"folder/"});
  expect_error({"build", "absent.fvecs", "-o", "/proc/x.kith"}, 1, {"/proc/x.kith"});
}

TEST_F(Build, NeverReplacesItsOwnInput) {
  make_vectors("base.fvecs", 100, 8, 1);
  const std::string before = read_file(path("base.fvecs"));
  expect_error({"build", "base.fvecs", "-o", "./base.fvecs"}, 2, {"base.fvecs", "overwrite"});
  EXPECT_EQ(read_file(path("base.fvecs")), before);
}

TEST_F(Build, LeavesTheOldFileWhenCancelled) {
  make_vectors("base.fvecs", 30000, 128, 1);
  write_file(path("x.kith"), "the old file");
  const std::vector<std::string> before = files();
  const pid_t child = start({"build", "base.fvecs", "-o", "x.kith", "--index", "graph", "--degree",
                             "64", "--build-beam", "1000", "--threads", "1"});
  ASSERT_TRUE(catches_interrupts(child));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // into the build
  ::kill(child, SIGINT);
  const Outcome outcome = finish(child);
  EXPECT_EQ(outcome.exit, 130);
  EXPECT_EQ(outcome.err, "kith: cancelled: nothing was written\n");
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(read_file(path("x.kith")), "the old file");
  EXPECT_EQ(files(), before);
}

TEST_F(Build, ShowsNoProgressWhereThereIsNoTerminal) {
  make_vectors("base.fvecs", 3000, 32, 1);
  EXPECT_EQ(kith({"build", "base.fvecs", "-o", "x.kith"}).err, "");
}

}  // namespace
}  // namespace kith::cli
