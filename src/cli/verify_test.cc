// The verbs on an index whose candidates another model's vectors on disk rank.
#include <algorithm>
#include <cmath>

#include "cli/test_tool.h"
#include "kith/index.h"
#include "kith/verifier.h"

namespace kith::cli {
namespace {

class VerifyVerbs : public ToolTest {
 protected:
  static constexpr std::size_t kRows = 2500, kSmall = 16, kLarge = 40, kQueries = 30;

  // The small model is the large one's first dimensions, so that it finds what is near there.
  VerifyVerbs() {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < kRows; ++i) words.push_back("w" + std::to_string(i));
    WriteOptions how;
    how.format = "word2vec-text";
    write_vectors(path("small.txt"), start_of(large_), Labels(words), how);
    write_vectors(path("large.npy"), large_, Labels());
    write_vectors(path("queries.npy"), start_of(large_queries_), Labels());
    write_vectors(path("large-queries.npy"), large_queries_, Labels());
    build("small.txt", "x.kith",
          {"--metric", "ip", "--codec", "lvq4", "--index", "flat", "--verify", "large.npy"});
  }

  static Matrix<float> start_of(const Matrix<float>& rows) {
    Matrix<float> start(rows.rows(), kSmall);
    for (std::size_t i = 0; i < rows.rows(); ++i) std::copy_n(rows.row(i), kSmall, start.row(i));
    return start;
  }

  std::vector<std::string> searching(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "search",        "x.kith",           "queries.npy",       "--verify",
        "x.kith.verify", "--verify-queries", "large-queries.npy", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  Matrix<float> large_ = vectors(kRows, kLarge, 1);
  Matrix<float> large_queries_ = vectors(kQueries, kLarge, 2);
};

TEST_F(VerifyVerbs, SearchRanksTheIndexesCandidatesByTheOtherModelsVectors) {
  EXPECT_EQ(files(),
            (std::vector<std::string>{"large-queries.npy", "large.npy", "queries.npy", "small.txt",
                                      "x.kith", "x.kith.verify", "x.kith.verify.disk"}));
  const Index index = Index::open(path("x.kith"));
  const Verifier verifier = Verifier::open(path("x.kith.verify"));
  for (const std::size_t candidates : {1000u, 50u}) {
    for (const float weight : {0.0f, 0.5f}) {
      RerankOptions how;
      how.candidate_weight = weight;
      const Neighbours expected = verifier.rerank(
          large_queries_, index.search(start_of(large_queries_), candidates), 10, how);
      std::vector<std::string> more;
      if (candidates != 1000) more = {"--candidates", std::to_string(candidates)};
      if (weight != 0) more.insert(more.end(), {"--candidate-weight", "0.5"});
      const Outcome outcome = kith(searching(more));
      ASSERT_EQ(outcome.exit, 0) << outcome.err;
      const auto rows = outcome.objects();
      ASSERT_EQ(rows.size(), 10 * kQueries);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].at("label"), "w" + std::to_string(expected.ids(i / 10, i % 10)));
        EXPECT_NEAR(rows[i].at("value").get<double>(), -expected.distances(i / 10, i % 10), 1e-3);
      }
      more.insert(more.end(), {"--disk-reader", "threads", "--disk-cache", "1M"});
      EXPECT_EQ(kith(searching(more)).out, outcome.out);
      more.push_back("--direct");
      const Outcome direct = kith(searching(more));
      if (direct.exit != 0) {
        EXPECT_NE(direct.err.find("can't read directly"), std::string::npos) << direct.err;
      } else {
        EXPECT_EQ(direct.out, outcome.out);
      }
    }
  }
  // For people, the first queries only; each has its own vector.
  const Outcome shown = kith({"search", "x.kith", "queries.npy", "--verify", "x.kith.verify",
                              "--verify-queries", "large-queries.npy"});
  EXPECT_EQ(shown.exit, 0) << shown.err;
}

TEST_F(VerifyVerbs, SearchTakesStoredVectorsOfBothModels) {
  const Outcome outcome = kith({"search", "x.kith", "--like", "w17", "--like", "w5", "--verify",
                                "x.kith.verify", "-k", "3", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  ASSERT_EQ(outcome.objects().size(), 6u);
  for (const auto& row : outcome.objects()) EXPECT_NE(row.at("label"), row.at("query"));
  expect_error({"search", "x.kith", "--like", "w17", "--verify", "x.kith.verify",
                "--verify-queries", "large-queries.npy"},
               2, {"--verify-queries"});
  const Outcome filtered = kith(searching({"--match", "^w1", "-k", "2"}));
  ASSERT_EQ(filtered.exit, 0) << filtered.err;
  for (const auto& row : filtered.objects()) {
    EXPECT_TRUE(row.at("label").get<std::string>().starts_with("w1"));
  }
}

TEST_F(VerifyVerbs, QueriesServeBothModelsWhereTheirDimensionFits) {
  build("large.npy", "y.kith",
        {"--metric", "ip", "--codec", "lvq4", "--index", "flat", "--verify", "large.npy",
         "--verify-codec", "rot-lvq8"});
  EXPECT_EQ(kith({"info", "y.kith.verify", "--json"}).objects().at(0).at("codec"), "rot-lvq8");
  const Outcome outcome =
      kith({"search", "y.kith", "large-queries.npy", "--verify", "y.kith.verify", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().size(), 10 * kQueries);
  expect_error({"search", "x.kith", "queries.npy", "--verify", "x.kith.verify"}, 2,
               {"queries.npy: 16 dimensions", "x.kith.verify has 40", "--verify-queries"});
}

TEST_F(VerifyVerbs, EvalSweepsCandidatesAndCountsWhatAQueryReads) {
  ASSERT_EQ(kith({"exact", "large.npy", "large-queries.npy", "--metric", "ip", "-k", "10", "-o",
                  "truth.ibin"})
                .exit,
            0);
  std::vector<std::string> arguments = {"eval",
                                        "x.kith",
                                        "queries.npy",
                                        "truth.ibin",
                                        "--verify",
                                        "x.kith.verify",
                                        "--verify-queries",
                                        "large-queries.npy",
                                        "--seconds",
                                        "0.01",
                                        "--rounds",
                                        "1",
                                        "--threads",
                                        "1",
                                        "--json"};
  const Outcome swept = kith(arguments);
  ASSERT_EQ(swept.exit, 0) << swept.err;
  EXPECT_EQ(swept.objects().front().at("candidates"), 10);
  EXPECT_LE(swept.objects().back().at("candidates"), 1000);
  arguments.insert(arguments.end(), {"--candidates", "20,2500"});
  const Outcome outcome = kith(arguments);
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto rows = outcome.objects();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_GT(rows[0].at("read_bytes").get<double>(), 0);
  EXPECT_GT(rows[1].at("read_bytes").get<double>(), rows[0].at("read_bytes").get<double>());
  EXPECT_LT(rows[0].at("recall").get<double>(), rows[1].at("recall").get<double>());
  EXPECT_GE(rows[1].at("recall").get<double>(), 0.99);  // all are candidates, as f16
  arguments.insert(arguments.end(), {"--beams", "20,40"});
  expect_error(arguments, 2, {"--beams: '20,40'", "expected one"});
}

TEST_F(VerifyVerbs, InfoSaysWhatAVerifierIsAndVerifiesIt) {
  const auto info = kith({"info", "x.kith.verify", "--json"}).objects().at(0);
  EXPECT_EQ(info.at("codec"), "f16");
  EXPECT_EQ(info.at("metric"), "ip");
  EXPECT_EQ(info.at("vectors"), kRows);
  EXPECT_EQ(info.at("dim"), kLarge);
  EXPECT_EQ(info.at("disk_file"), "x.kith.verify.disk");
  std::string bytes = read_file(path("x.kith.verify.disk"));
  bytes[4096 + (2 * kLarge + 8) * 2000 + 5] ^= 4;
  write_file(path("x.kith.verify.disk"), bytes);
  expect_error({"info", "x.kith.verify"}, 1, {"x.kith.verify.disk: vector 2000", "checksum"});
  std::filesystem::remove(path("x.kith.verify.disk"));
  expect_error(searching(), 1, {"x.kith.verify.disk", "has vanished"});
  expect_error({"search", "x.kith.verify", "queries.npy"}, 1, {"x.kith.verify", "--verify"});
}

TEST_F(VerifyVerbs, PutTheVectorsWhereTheyAreTold) {
  std::filesystem::create_directory(path("big"));
  build("small.txt", "y.kith",
        {"--metric", "ip", "--index", "flat", "--codec", "lvq4", "--verify", "large.npy",
         "--verify-disk-file", "big/vectors", "--disk", "f16"});
  EXPECT_TRUE(std::filesystem::exists(path("big/vectors")));
  EXPECT_FALSE(std::filesystem::exists(path("y.kith.verify.disk")));
  std::filesystem::rename(path("big/vectors"), path("elsewhere"));
  std::vector<std::string> arguments = searching();
  arguments[1] = "y.kith";
  arguments[4] = "y.kith.verify";
  expect_error(arguments, 1, {"has vanished"});
  arguments.insert(arguments.end(), {"--verify-disk-file", "elsewhere"});
  const Outcome outcome = kith(arguments);
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
}

TEST_F(VerifyVerbs, BuildLeavesTheOldFilesWhenAnythingIsWrong) {
  const std::string index = read_file(path("x.kith"));
  const std::string vectors_before = read_file(path("x.kith.verify.disk"));
  Matrix<float> bad = large_.clone();
  bad(2000, 3) = std::nanf("");
  write_vectors(path("bad.npy"), bad, Labels());
  make_vectors("few.npy", 100, kLarge, 3);
  const std::vector<std::string> start = {"build", "small.txt", "-o", "x.kith", "--metric", "ip"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), start.begin(), start.end());
    return more;
  };
  expect_error(with({"--verify", "bad.npy"}), 1, {"bad.npy: row 2000, column 3: nan"});
  expect_error(with({"--verify", "few.npy"}), 2, {"few.npy: 100 vectors", "small.txt has 2500"});
  expect_error(with({"--verify", "large.npy", "--verify-codec", "rabitq2"}), 2, {"rabitq2"});
  expect_error(with({"--verify", "large.npy", "--codec", "f99"}), 2, {"f99"});
  EXPECT_EQ(read_file(path("x.kith")), index);
  EXPECT_EQ(read_file(path("x.kith.verify.disk")), vectors_before);
}

TEST_F(VerifyVerbs, RefuseOptionsThatMakeNoSense) {
  const auto building = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"build", "small.txt", "-o", "y.kith"});
    return more;
  };
  expect_error(building({"--verify-codec", "f16"}), 2, {"--verify-codec: expected --verify"});
  expect_error(building({"--verify", "large.npy", "--verify-disk-file", "y.kith"}), 2,
               {"is the index itself"});
  expect_error(building({"--verify", "large.npy", "--verify-disk-file", "large.npy"}), 2,
               {"overwrite"});
  expect_error(building({"--verify", "large.npy", "--verify-disk-file", "y.kith.verify"}), 2,
               {"is written already"});
  expect_error({"search", "x.kith", "queries.npy", "--candidate-weight", "1"}, 2,
               {"--candidate-weight: expected --verify"});
  expect_error({"search", "x.kith", "queries.npy", "--candidates", "100"}, 2, {"--candidates"});
  expect_error(searching({"--candidates", "5"}), 2, {"--candidates: 5", "10"});
  expect_error(searching({"--radius", "1"}), 2, {"--radius"});
  expect_error(searching({"--candidate-weight", "-1"}), 2, {"-1"});
  make_vectors("few.npy", 3, kLarge, 3);
  expect_error({"search", "x.kith", "queries.npy", "--verify", "x.kith.verify", "--verify-queries",
                "few.npy"},
               2, {"few.npy: 3 vectors for 30 of queries.npy"});
  build("small.txt", "c.kith", {"--metric", "cosine", "--index", "flat"});
  std::vector<std::string> other = searching({"--candidate-weight", "0.3"});
  other[1] = "c.kith";
  expect_error(other, 2, {"c.kith is of cosine", "x.kith.verify of ip"});
  ASSERT_EQ(kith({"add", "x.kith", "small.txt", "-o", "more.kith"}).exit, 0);
  other = searching();
  other[1] = "more.kith";
  expect_error(other, 2, {"x.kith.verify: 2500 vectors"});
}

}  // namespace
}  // namespace kith::cli
