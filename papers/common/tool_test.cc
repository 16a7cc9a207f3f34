// A reproduction through the command, where its module is built.
#ifdef KITH_TOOL
#include <map>

#include "cli/test_tool.h"

namespace kith::papers {
namespace {

class PapersTool : public cli::ToolTest {};

TEST_F(PapersTool, ListsWhatCanBeRun) {
  const cli::Outcome outcome = kith({"papers", "list", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto papers = outcome.objects();
  const auto found = std::find_if(papers.begin(), papers.end(), [](const nlohmann::json& paper) {
    return paper["paper"] == "hnsw-ordering";
  });
  ASSERT_NE(found, papers.end());
  EXPECT_FALSE((*found)["claims"].empty());
  EXPECT_EQ((*found)["ready"], false);  // the test's folder holds no data
}

TEST_F(PapersTool, RunsAPaperFromDataToVerdicts) {
  const auto run = [&](const std::string& threads) {
    return kith({"papers", "run", "hnsw-ordering", "--quick", "--threads", threads, "--json"});
  };
  const cli::Outcome outcome = run("1");
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  std::map<std::string, double> recalls;
  std::size_t verdicts = 0;
  for (const nlohmann::json& object : outcome.objects()) {
    if (object.contains("verdict")) ++verdicts;
    if (object.contains("column") && object["column"] == "recall@10, ef 10") {
      recalls[object["table"].get<std::string>() + object["row"].get<std::string>()] =
          object["mean"];
    }
  }
  EXPECT_EQ(verdicts, 6u);
  EXPECT_EQ(recalls.size(), 16u);  // four engines in three orders, two of them by category
  for (const auto& [row, recall] : recalls) {
    EXPECT_GT(recall, 0.8) << row;
    EXPECT_LE(recall, 1.0) << row;
  }
  // All but times is the same for any number of threads.
  const auto again = run("2").objects();
  for (std::size_t i = 0; i < again.size(); ++i) {
    if (again[i].contains("column") && again[i]["column"] == "build CPU s") continue;
    EXPECT_EQ(again[i], outcome.objects()[i]);
  }
}

TEST_F(PapersTool, QuickTrialsMakeTheirOwnData) {
  for (const char* paper : {"mmteb", "tte-depth"}) {
    const cli::Outcome outcome = kith({"papers", "run", paper, "--quick", "--json"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    const auto objects = outcome.objects();
    EXPECT_EQ(std::count_if(objects.begin(), objects.end(),
                            [](const nlohmann::json& each) { return each.contains("verdict"); }),
              4)
        << paper;
  }
}

TEST_F(PapersTool, NamesTheCommandThatMakesMissingData) {
  expect_error({"papers", "run", "hnsw-ordering"}, 1,
               {".cache/peers-data/words.query.fbin: not there", "bench/data.sh", "makes it"});
}

TEST_F(PapersTool, RefusesWhatIsNoResult) {
  expect_error({"papers", "run", "no-such-paper"}, 1, {"no-such-paper", "kith papers list"});
  expect_error({"papers", "run", "hnsw-ordering", "--quick", "--markdown", "results.md"}, 2,
               {"--markdown", "quick"});
  expect_error({"papers", "run", "hnsw-ordering", "--seeds", "0"}, 2, {"'0'"});
}

}  // namespace
}  // namespace kith::papers
#endif
