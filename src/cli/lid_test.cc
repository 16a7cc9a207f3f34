#include <numeric>

#include "cli/test_tool.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

class Lid : public ToolTest {};

TEST_F(Lid, SummarisesWhatItWrites) {
  make_words("words.txt", 900, 8, 1);
  const Outcome outcome = kith(
      {"lid", "words.txt", "--format", "word2vec-text", "-k", "30", "-o", "lid.fbin", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const nlohmann::json found = outcome.objects().at(0);
  const Vectors written = read_vectors(path("lid.fbin"));
  ASSERT_EQ(written.rows.rows(), 900u);
  ASSERT_EQ(written.rows.dim(), 2u);
  EXPECT_EQ(written.labels.text(7), "w7");
  double sum = 0;
  for (std::size_t i = 0; i < 900; ++i) {
    float pair[2];
    written.rows.copy_row(i, pair);
    sum += pair[0];
    EXPECT_GE(pair[1], 1);
  }
  EXPECT_NEAR(found["mean"], sum / 900, 1e-3);
  // Normal clouds of 8 dimensions, seen from 30 of their 45 points.
  EXPECT_GT(found["p50"], 3);
  EXPECT_LT(found["p50"], 9);
  EXPECT_LE(found["p25"], found["p50"]);
  EXPECT_EQ(found["undefined"], 0);
}

TEST_F(Lid, OfASampleWritesTheLabelsOfWhatItDrew) {
  make_words("words.txt", 400, 6, 6);
  const Outcome outcome = kith({"lid", "words.txt", "--format", "word2vec-text", "-k", "20",
                                "--sample", "30", "-o", "lid.fbin", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().at(0)["sample"], 30);
  const Vectors written = read_vectors(path("lid.fbin"));
  EXPECT_EQ(written.rows.rows(), 30u);
  EXPECT_EQ(written.labels.size(), 30u);
}

TEST_F(Lid, DrawsTheDistribution) {
  make_vectors("base.fbin", 500, 6, 2);
  const Outcome outcome = kith({"lid", "base.fbin", "-k", "20"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("LID median"), std::string::npos);
  EXPECT_NE(outcome.out.find("##########"), std::string::npos);
  EXPECT_NE(outcome.out.find(">= "), std::string::npos);
}

TEST_F(Lid, ThroughAnIndexSaysWhatThatCosts) {
  make_vectors("base.fbin", 3000, 12, 3);
  build("base.fbin", "base.kith", {"--index", "graph", "--codec", "f32"});
  const Outcome outcome = kith({"lid", "base.fbin", "--index", "base.kith", "-k", "20", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const nlohmann::json found = outcome.objects().at(0);
  const double approximate = found["checked_mean"], exact = found["checked_exact"];
  EXPECT_GT(exact, 3);
  EXPECT_NEAR(approximate, exact, 0.05 * exact);
}

TEST_F(Lid, RefusesWhatDoesNotFit) {
  make_vectors("base.fbin", 60, 6, 4);
  make_vectors("other.fbin", 50, 6, 5);
  build("other.fbin", "other.kith");
  expect_error({"lid", "base.fbin"}, 2, {"60 vectors", "100 neighbours"});
  expect_error({"lid", "base.fbin", "-k", "1"}, 2, {"'1'", "2 to"});
  expect_error({"lid", "base.fbin", "--index", "other.kith", "-k", "5"}, 2, {"50", "60"});
  expect_error({"lid", "other.fbin", "--index", "other.kith", "-k", "5", "--metric", "cosine"}, 2,
               {"built for l2"});
  expect_error({"lid", "base.fbin", "--index", "other.kith", "-k", "5", "--among", "9"}, 2,
               {"expected one"});
}

}  // namespace
}  // namespace kith::cli
