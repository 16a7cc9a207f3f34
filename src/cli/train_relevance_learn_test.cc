// kith train relevance, and searches that take what it makes.
#include <gmock/gmock.h>

#include "base/test_rows.h"
#include "cli/test_tool.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class TrainRelevance : public ToolTest {
 protected:
  // Queries of two kinds: what is relevant to one kind lies nearer than what is relevant to the
  // other.
  void SetUp() override {
    Random random(4);
    Matrix<float> documents = directions(kDocuments, kDim, random),
                  queries = directions(60, kDim, random);
    std::filesystem::create_directories(path("task/qrels"));
    std::filesystem::create_directories(path("vectors"));
    std::string corpus, asked, judged = "query-id\tcorpus-id\tscore\n";
    for (std::size_t i = 0; i < kDocuments; ++i) {
      corpus += nlohmann::json({{"_id", name("d", i)}, {"text", name("text ", i)}}).dump() + "\n";
    }
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      asked += nlohmann::json({{"_id", name("q", q)}, {"text", name("query ", q)}}).dump() + "\n";
      const double least = queries(q, 0) > 0 ? 0.2 : 0.7;
      bool any = false;
      for (std::size_t i = 0; i < kDocuments; ++i) {
        double cosine = 0;
        for (std::size_t j = 0; j < kDim; ++j) cosine += double{queries(q, j)} * documents(i, j);
        if (cosine < least && (any || i + 1 < kDocuments)) continue;
        any = true;
        judged += name("q", q) + "\t" + name("d", i) + "\t1\n";
      }
    }
    write_file(path("task/corpus.jsonl"), corpus);
    write_file(path("task/queries.jsonl"), asked);
    write_file(path("task/qrels/test.tsv"), judged);
    write_vectors(path("vectors/corpus.npy"), documents.view(), Labels());
    write_vectors(path("vectors/queries.npy"), queries.view(), Labels());
    write_file(path("recipe.toml"),
               "output = \"relevance\"\n[data]\ntask = \"task\"\nvectors = \"vectors\"\n"
               "depth = 50\n[adapter]\nhidden = 16\n[train]\nepochs = 40\nbatch = 16\n"
               "learning_rate = 0.01\n[validation]\nshare = 0.3\n");
    ASSERT_EQ(kith({"build", "vectors/corpus.npy", "-o", "base.kith", "--metric", "cosine"}).exit,
              0);
  }

  static constexpr std::size_t kDocuments = 200, kDim = 5;
  static std::string name(const std::string& kind, std::size_t number) {
    return kind + std::to_string(number);
  }
};

TEST_F(TrainRelevance, LeavesOutHitsThatAreNotRelevantEnough) {
  const Outcome trained = kith({"train", "relevance", "recipe.toml", "--json"});
  ASSERT_EQ(trained.exit, 0) << trained.err;
  EXPECT_GT(trained.objects().at(0).at("pr_auc"), 0.5);
  const auto search = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"search", "base.kith",   "vectors/queries.npy", "-k",
                                          "30",     "--relevance", "relevance",           "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome.objects();
  };
  const auto some = search({"--min-relevance", "0.5"}), all = search({"--min-relevance", "0"});
  EXPECT_EQ(all.size(), 60u * 30);
  EXPECT_LT(some.size(), all.size());
  EXPECT_GT(some.size(), 0u);
  for (const auto& hit : some) EXPECT_GE(hit.at("relevance"), 0.5);
  EXPECT_EQ(search({"--min-relevance", "1", "--min-results", "2"}).size(), 60u * 2);
  EXPECT_TRUE(search({"--min-relevance", "1"}).empty());
}

TEST_F(TrainRelevance, SaysWhatDoesNotFit) {
  ASSERT_EQ(kith({"train", "relevance", "recipe.toml", "--set", "train.epochs=1"}).exit, 0);
  ASSERT_EQ(kith({"build", "vectors/corpus.npy", "-o", "l2.kith", "--metric", "l2"}).exit, 0);
  const auto refused = [&](const std::string& index, const std::string& adapter) {
    const Outcome outcome = kith({"search", index, "vectors/queries.npy", "--relevance", adapter});
    EXPECT_NE(outcome.exit, 0);
    return outcome.err;
  };
  EXPECT_THAT(refused("l2.kith", "relevance"), HasSubstr("cosines"));
  EXPECT_THAT(refused("base.kith", "base.kith"), HasSubstr("no relevance adapter"));
  EXPECT_THAT(refused("base.kith", "none"), HasSubstr("none"));
  const Outcome alone =
      kith({"search", "base.kith", "vectors/queries.npy", "--min-relevance", "1"});
  EXPECT_EQ(alone.exit, 2);
  const Outcome task = kith({"train", "relevance", "--task", "vectors", "-o", "x"});
  EXPECT_EQ(task.exit, 2);
  EXPECT_THAT(task.err, HasSubstr("model"));
}

}  // namespace
}  // namespace kith::cli
