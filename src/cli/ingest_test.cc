// kith ingest and kith ask.
#include <gmock/gmock.h>

#include "cli/test_tool.h"

namespace kith::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Ingest : public ToolTest {
 protected:
  // A static model whose words are "w0", "w1", ...
  void make_model(const std::string& name = "model", std::uint64_t seed = 1) const {
    make_words("words.txt", 50, 8, seed);
    const Outcome outcome = kith({"model", "import", "words.txt", "-o", name});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
  }
  // Text i begins with the word wi; of every seventh no word is known.
  static std::string lines(std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string own = i % 7 == 6 ? "unknown" : "w" + std::to_string(i % 50);
      all += R"({"_id": "t)" + std::to_string(i) + R"(", "title": "Title )" + std::to_string(i) +
             R"(", "text": ")" + own + " " + own + R"( x", "n": )" + std::to_string(i) + "}\n";
    }
    return all;
  }
  Outcome ingest(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"ingest", "a.jsonl", "--model", "model", "-o", "./c", "--json"});
    return kith(more);
  }
  std::vector<std::string> ids(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"ask", "./c", "--json"});
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    std::vector<std::string> found;
    for (const auto& object : outcome.objects()) found.push_back(object.at("id"));
    return found;
  }
};

TEST_F(Ingest, ACollectionAnswersByVectorsByWordsAndByBoth) {
  make_model();
  write_file(path("a.jsonl"), lines(40));
  const Outcome made = ingest();
  ASSERT_EQ(made.exit, 0) << made.err;
  EXPECT_EQ(made.objects()[0]["items"], 40);
  EXPECT_EQ(made.objects()[0]["empty"], 5);
  EXPECT_EQ(files(), (std::vector<std::string>{"a.jsonl", "c", "model", "words.txt"}));
  EXPECT_THAT(ids({"w3", "-k", "1"}), ElementsAre("t3"));
  EXPECT_THAT(ids({"w3", "-k", "1", "--bm25"}), ElementsAre("t3"));
  EXPECT_THAT(ids({"w3", "-k", "1", "--hybrid"}), ElementsAre("t3"));
  EXPECT_THAT(ids({"w4", "-k", "1", "--hybrid", "--fusion", "minmax", "--weights", "1,2"}),
              ElementsAre("t4"));
  // Words that the model doesn't know are BM25's.
  EXPECT_THAT(ids({"unknown", "-k", "3"}), ElementsAre());
  EXPECT_THAT(ids({"unknown", "-k", "2", "--hybrid"}), ElementsAre("t6", "t13"));
  EXPECT_THAT(ids({"Title", "33", "-k", "1", "--bm25"}), ElementsAre("t33"));
  EXPECT_EQ(ids({"--like", "t3", "-k", "39"}).size(), 34u);
  EXPECT_EQ(ids({"--like", "t6"}).size(), 0u);
}

TEST_F(Ingest, AnswersShowTheRecordAsItCame) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ASSERT_EQ(ingest().exit, 0);
  const auto object = kith({"ask", "./c", "w5", "-k", "1", "--json"}).objects()[0];
  EXPECT_EQ(object["question"], "w5");
  EXPECT_EQ(object["rank"], 1);
  EXPECT_NEAR(object["score"].get<double>(), 1, 0.05);
  EXPECT_EQ(object["record"]["title"], "Title 5");
  EXPECT_EQ(object["record"]["n"], 5);
  const auto chosen =
      kith({"ask", "./c", "w5", "-k", "1", "--json", "--fields", "n,none"}).objects()[0];
  EXPECT_EQ(chosen["record"], nlohmann::json({{"n", 5}}));
  const Outcome shown = kith({"ask", "./c", "w5", "-k", "2"});
  EXPECT_THAT(shown.out, HasSubstr("  t5  Title 5\n"));
  EXPECT_THAT(shown.out, HasSubstr("w5 w5 x\n"));
  EXPECT_THAT(kith({"ask", "./c", "w5", "-k", "1", "--fields", "n"}).out, HasSubstr("n: 5\n"));
  const auto info = kith({"info", "./c", "--json"}).objects()[0];
  EXPECT_EQ(info["items"], 10);
  EXPECT_EQ(info["checksums"], "verified");
  EXPECT_EQ(info["precision"], "f32");
}

TEST_F(Ingest, WordsExplainWhatTheyFound) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ASSERT_EQ(ingest().exit, 0);
  const std::vector<std::string> command = {"ask", "./c", "w5 x w5 nowhere", "--explain", "--json"};
  for (const char* by : {"--bm25", "--hybrid"}) {
    std::vector<std::string> own = command;
    own.emplace_back(by);
    const Outcome outcome = kith(own);
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    const auto first = outcome.objects()[0];
    EXPECT_EQ(first["id"], "t5");
    const auto& words = first["explanation"]["words"];
    ASSERT_EQ(words.size(), 2u);
    EXPECT_EQ(words[0]["word"], "w5");
    EXPECT_EQ(words[1]["word"], "x");
    EXPECT_NEAR(words[0]["share"].get<double>() + words[1]["share"].get<double>(), 1, 1e-9);
    if (std::string(by) == "--hybrid") continue;
    const double sum =
        words[0]["contribution"].get<double>() + words[1]["contribution"].get<double>();
    EXPECT_NEAR(sum, first["score"].get<double>(), 1e-5);
  }
  EXPECT_THAT(kith({"ask", "./c", "w5 x", "--explain", "--bm25", "-k", "1"}).out,
              HasSubstr("words:  w5 "));
  expect_error({"ask", "./c", "w5", "--explain"}, 1, {"no names", "[model.concepts]", "--bm25"});
}

// Questions are computed as the collection's vectors were.
TEST_F(Ingest, ACollectionKeepsItsPrecision) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ASSERT_EQ(ingest({"--precision", "int8"}).exit, 0);
  EXPECT_EQ(kith({"info", "./c", "--json"}).objects()[0]["precision"], "int8");
  EXPECT_THAT(ids({"w5", "-k", "1"}), ElementsAre("t5"));
}

TEST_F(Ingest, TablesAndLinesAreRecordsToo) {
  make_model();
  const std::vector<std::string> command = {"ingest", "--model", "model", "--replace", "-o", "./c"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    const Outcome outcome = kith(more);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return kith({"ask", "./c", "w2", "-k", "1", "--json"}).objects()[0];
  };
  write_file(path("a.csv"), "sku,name,body\nx,\"w1, w1\",w1\ny,w2 \xff,\"w2\"\n");
  const auto table = with({"a.csv", "--field", "name,body", "--id", "sku"});
  EXPECT_EQ(table["id"], "y");
  EXPECT_EQ(table["record"],
            nlohmann::json({{"sku", "y"}, {"name", "w2 \xef\xbf\xbd"}, {"body", "w2"}}));
  write_file(path("a.tsv"), "x\tw1\ny\tw2\n");
  EXPECT_EQ(with({"a.tsv"})["record"], nlohmann::json({{"id", "y"}, {"text", "w2"}}));
  write_file(path("a.txt"), "w1\nw2\n");
  const auto line = with({"a.txt"});
  EXPECT_EQ(line["id"], "1");
  EXPECT_EQ(line["record"], nlohmann::json({{"text", "w2"}}));
}

TEST_F(Ingest, PassagesOfAnItemGiveOneAnswerWithTheBestOfThem) {
  make_model();
  std::string long_text;
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 10; ++j) long_text += "w" + std::to_string(i) + " ";
  }
  write_file(path("a.jsonl"), R"({"id": "long", "text": ")" + long_text + "\"}\n" +
                                  R"({"id": "other", "text": "w40 w40"})" + "\n");
  const Outcome made = ingest({"--passages", "10", "--overlap", "0"});
  ASSERT_EQ(made.exit, 0) << made.err;
  EXPECT_EQ(made.objects()[0]["passages"], 21);
  const auto objects = kith({"ask", "./c", "w7", "--json"}).objects();
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0]["id"], "long");
  EXPECT_THAT(objects[0]["passage"].get<std::string>(), HasSubstr("w7 w7"));
  EXPECT_NEAR(objects[0]["score"].get<double>(), 1, 0.05);
  expect_error(
      {"ingest", "a.jsonl", "--model", "model", "-o", "./d", "--passages", "5", "--overlap", "5"},
      2, {"overlap"});
}

// A text that isn't JSON stops the run; mended, the same command goes on.
TEST_F(Ingest, AnInterruptedRunGoesOnAndGivesTheSameCollection) {
  make_model();
  const std::string good = lines(3000);
  write_file(path("a.jsonl"), good);
  ASSERT_EQ(ingest({"--index", "flat"}).exit, 0);
  std::filesystem::rename(path("c"), path("whole"));
  write_file(path("a.jsonl"), good.substr(0, good.size() - 100) + "\n");
  EXPECT_EQ(ingest({"--index", "flat"}).exit, 1);
  EXPECT_EQ(files(),
            (std::vector<std::string>{"a.jsonl", "c.partial", "model", "whole", "words.txt"}));
  write_file(path("a.jsonl"), good);
  const Outcome second = ingest({"--index", "flat"});
  ASSERT_EQ(second.exit, 0) << second.err;
  EXPECT_EQ(second.objects()[0]["before"], 2816);
  for (const char* file : {"items.kith", "vectors.kith", "texts.kith"}) {
    EXPECT_EQ(read_file(path("c/" + std::string(file))),
              read_file(path("whole/" + std::string(file))))
        << file;
  }
  EXPECT_EQ(files(), (std::vector<std::string>{"a.jsonl", "c", "model", "whole", "words.txt"}));
}

TEST_F(Ingest, WhatCannotBeACollectionIsRefused) {
  make_model();
  write_file(path("a.jsonl"), "{\"id\": 1, \"text\": \"w1\"}\n\n{\"id\": 1, \"text\": \"w2\"}\n");
  const std::vector<std::string> command = {"ingest", "a.jsonl", "--model", "model", "-o", "./c"};
  expect_error(command, 1, {"a.jsonl: line 3: id '1' stands in line 1 already"});
  write_file(path("a.jsonl"), "{\"text\": \"unknown\"}\n");
  expect_error(command, 1, {"a.jsonl: no text has a token that the model knows"});
  write_file(path("a.jsonl"), "{\"text\": \"w1\", \"n\": 1e999}\n");
  expect_error(command, 1, {"a.jsonl: line 1: not JSON"});
  expect_error({"ingest", "a.jsonl", "--model", "none", "-o", "./c"}, 1, {"none"});
  expect_error({"ingest", "a.jsonl", "--model", "model", "-o", "./none/c"}, 1, {"none/c.partial"});
  expect_error({"ingest", "a.jsonl", "--model", "model", "-o", "./c", "--overlap", "1"}, 2,
               {"--overlap"});
}

TEST_F(Ingest, ACollectionIsReplacedOnlyWhenAskedForAndAlone) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ASSERT_EQ(ingest().exit, 0);
  const std::vector<std::string> command = {"ingest", "a.jsonl", "--model", "model", "-o", "./c"};
  expect_error(command, 2, {"./c: exists already", "--replace"});
  write_file(path("a.jsonl"), lines(20));
  EXPECT_EQ(ingest({"--replace"}).exit, 0);
  EXPECT_EQ(kith({"info", "./c", "--json"}).objects()[0]["items"], 20);
  EXPECT_EQ(files(), (std::vector<std::string>{"a.jsonl", "c", "model", "words.txt"}));
  write_file(path("c/mine.txt"), "precious");
  expect_error({"ingest", "a.jsonl", "--model", "model", "-o", "./c", "--replace"}, 2,
               {"./c: holds mine.txt too"});
  expect_error({"ingest", "a.jsonl", "--model", "model", "-o", "./model", "--replace"}, 2,
               {"./model: no collection"});
}

TEST_F(Ingest, AskingNamesWhatIsMissing) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ASSERT_EQ(ingest().exit, 0);
  expect_error({"ask", "./none", "w1"}, 1, {"./none: no collection"});
  expect_error({"ask", "./c", "w1", "--hybrid", "--bm25"}, 2, {"expected one of them"});
  expect_error({"ask", "./c", "w1", "--like", "t1"}, 2, {"too much at once"});
  expect_error({"ask", "./c", "--like", "nobody"}, 1, {"no item has the id 'nobody'"});
  expect_error({"ask", "./c", "w1", "--fusion", "x", "--hybrid"}, 2, {"--fusion: 'x'"});
  expect_error({"ask", "./c", "w1", "--weights", "1,2"}, 2, {"--weights", "--hybrid"});
  make_model("other", 2);
  expect_error({"ask", "./c", "w1", "--model", "other"}, 2, {"other: not the model that ./c"});
  std::filesystem::rename(path("model"), path("moved"));
  expect_error({"ask", "./c", "w1"}, 1, {"--model says where it is now"});
  EXPECT_THAT(ids({"w1", "-k", "1", "--model", "moved"}), ElementsAre("t1"));
  EXPECT_THAT(ids({"w1", "-k", "1", "--bm25"}), ElementsAre("t1"));
}

TEST_F(Ingest, ManyQuestionsComeFromAFileAndFromStandardInput) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ASSERT_EQ(ingest().exit, 0);
  write_file(path("q.txt"), "w1\nw2\n");
  EXPECT_THAT(ids({"--questions", "q.txt", "-k", "1"}), ElementsAre("t1", "t2"));
  const Outcome shown = kith({"ask", "./c", "--questions", "q.txt", "-k", "1"});
  EXPECT_THAT(shown.out, testing::StartsWith("w1\n1  "));
  EXPECT_THAT(shown.out, HasSubstr("\n\nw2\n1  "));
  const std::string piped =
      "cd " + path("") + " && " + KITH_TOOL + " ask ./c -k 1 < q.txt > piped.txt";
  EXPECT_EQ(std::system(piped.c_str()), 0);
  EXPECT_EQ(read_file(path("piped.txt")), shown.out);
}

TEST_F(Ingest, ABareNameLiesUnderTheDataFolder) {
  make_model();
  write_file(path("a.jsonl"), lines(10));
  ::setenv("XDG_DATA_HOME", path("data").c_str(), 1);
  EXPECT_EQ(kith({"ingest", "a.jsonl", "--model", "model", "-o", "mine"}).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(path("data/kith/mine/items.kith")));
  EXPECT_EQ(kith({"ask", "mine", "w1", "-k", "1", "--json"}).objects()[0]["id"], "t1");
  EXPECT_EQ(kith({"info", "mine", "--json"}).objects()[0]["items"], 10);
  ::unsetenv("XDG_DATA_HOME");
  expect_error({"ingest", "a.jsonl", "--model", "model", "-o", ".."}, 2, {"collection '..'"});
}

}  // namespace
}  // namespace kith::cli
