// kith ask --explain, from a recipe to the reasons.
#include <gmock/gmock.h>

#include "cli/test_tool.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

constexpr char kRecipe[] = R"(output = "named"
[model]
normalize = true
[model.architecture]
type = "static"
width = 16
tokenizer = "tokenizer.json"
[model.concepts]
least = 5
most_share = 0.7
[[data]]
files = ["pairs.jsonl"]
concepts = "tags"
query_concepts = "query_tags"
[loss]
concept_weight = 2
[train]
steps = 60
batch = 12
learning_rate = 0.05
dropout = 0
)";

class AskExplain : public ToolTest {
 protected:
  void SetUp() override {
    const char* things[] = {"mail", "chess", "music"};
    std::string lines, records;
    for (int i = 0; i < 48; ++i) {
      const std::string thing = things[i % 3], number = std::to_string(i % 7);
      const nlohmann::json tags = {"about::" + thing, i % 2 == 0 ? "kind::tool" : "kind::game"};
      const std::string what = i % 2 == 0 ? "tool" : "game";
      const std::string text = what + " of " + thing + " " + number;
      lines += nlohmann::json({{"query", thing + " " + what + " " + number},
                               {"positive", text},
                               {"query_tags", tags},
                               {"tags", tags}})
                   .dump() +
               "\n";
      if (i < 6) records += nlohmann::json({{"_id", text}, {"text", text}}).dump() + "\n";
    }
    write_file(path("pairs.jsonl"), lines);
    write_file(path("items.jsonl"), records);
    write_file(path("recipe.toml"), kRecipe);
    done({"train", "tokenizer", "items.jsonl", "--vocab", "100", "--min-frequency", "1", "-o",
          "tokenizer.json"});
    done({"train", "recipe.toml"});
    done({"ingest", "items.jsonl", "--model", "named", "-o", "./c"});
  }
  Outcome done(const std::vector<std::string>& arguments) const {
    Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome;
  }
};

TEST_F(AskExplain, NamesTheConceptsThatAddUpToTheScore) {
  const auto all = done({"ask", "./c", "chess tool", "--explain", "--json"}).objects();
  ASSERT_EQ(all.size(), 6u);
  for (const auto& object : all) {
    double sum = 0;
    for (const auto& each : object["explanation"]["concepts"]) {
      sum += each["contribution"].get<double>();
    }
    EXPECT_NEAR(sum, object["explanation"]["inner_product"].get<double>(), 1e-6) << object;
    EXPECT_NEAR(sum, object["score"].get<double>(), 0.02) << object;  // of five concepts all
    EXPECT_THAT(object["explanation"]["note"].get<std::string>(), HasSubstr("correlates"));
    EXPECT_FALSE(object["explanation"].contains("words"));
  }
  const auto& first = all[0]["explanation"];
  EXPECT_EQ(all[0]["id"].get<std::string>().substr(0, 13), "tool of chess");
  std::vector<std::string> names;
  for (const auto& each : first["concepts"]) names.push_back(each["concept"]);
  EXPECT_THAT(names, testing::Contains("about::chess"));
  EXPECT_THAT(names, testing::Contains("kind::tool"));
  EXPECT_THAT(all.back()["explanation"]["missing"].dump(), HasSubstr("about::chess"));

  const Outcome shown = done({"ask", "./c", "chess tool", "--explain", "-k", "1"});
  EXPECT_THAT(shown.out, HasSubstr("  shares: "));
  EXPECT_THAT(shown.out, HasSubstr("  lacks:  "));
  EXPECT_THAT(shown.err, HasSubstr("correlates"));
  const auto hybrid = done({"ask", "./c", "chess", "--explain", "--hybrid", "--json"}).objects();
  EXPECT_TRUE(hybrid[0]["explanation"].contains("words"));
  EXPECT_TRUE(hybrid[0]["explanation"].contains("concepts"));
}

TEST_F(AskExplain, IsRefusedForAnItem) {
  expect_error({"ask", "./c", "--like", "tool of chess 4", "--explain"}, 2, {"--like"});
}

}  // namespace
}  // namespace kith::cli
