// kith judge and kith data, on small tasks; nothing is fetched.
#include <filesystem>

#include "cli/test_tool.h"

namespace kith::cli {
namespace {

class Judge : public ToolTest {
 protected:
  void put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    write_file(path(name), bytes);
  }

  static std::string numbered(const char* name, int number) {
    return std::string(name).append(std::to_string(number));
  }

  // 40 documents, each asked for by its first word, which the one before it holds twice: BM25 finds
  // it second.
  void make_retrieval(const std::string& folder) const {
    std::string corpus, queries, qrels = "query-id\tcorpus-id\tscore\n";
    for (int i = 0; i < kDocuments; ++i) {
      const std::string own = std::to_string(i);
      const std::string next = numbered("w", (i + 1) % kDocuments);
      corpus.append(R"({"_id": "d)").append(own).append(R"(", "title": "", "text": "w)");
      corpus.append(own).append(" ").append(next).append(" ").append(next).append("\"}\n");
      queries.append(R"({"_id": "q)").append(own).append(R"(", "text": "w)").append(own);
      queries.append("\"}\n");
      qrels.append("q").append(own).append("\td").append(own).append("\t1\n");
    }
    put(folder + "/corpus.jsonl", corpus);
    put(folder + "/queries.jsonl", queries);
    put(folder + "/qrels/test.tsv", qrels);
  }

  static constexpr int kDocuments = 40;
};

TEST_F(Judge, Bm25StandsBesideVectorsWithIntervalsAndDifferences) {
  make_retrieval("task");
  make_vectors("base.npy", kDocuments, 8, 1);
  make_vectors("q.npy", kDocuments, 8, 1);  // each query is its document: perfect
  const Outcome outcome =
      kith({"judge", "--suite", "task", "--vectors", "base.npy", "--queries", "q.npy", "--compare",
            "--json", "--resamples", "200", "-o", "results"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto objects = outcome.objects();
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0].at("system"), "BM25");
  EXPECT_EQ(objects[1].at("system"), "base");
  EXPECT_EQ(objects[1].at("scores").at("test").at(0).at("ndcg_at_10"), 1.0);
  EXPECT_LT(objects[0].at("scores").at("test").at(0).at("main_score").get<double>(), 1);
  EXPECT_EQ(objects[2].at("against"), "BM25");
  EXPECT_GT(objects[2].at("low").get<double>(), 0);
  EXPECT_LT(objects[2].at("p").get<double>(), 0.05);
  EXPECT_EQ(nlohmann::json::parse(read_file(path("results/base/task.json"))).at("task_name"),
            "task");
  const Outcome table = kith({"judge", "--suite", "task", "--bm25"});
  EXPECT_EQ(table.exit, 0) << table.err;
  EXPECT_NE(table.out.find("mrr_at_10"), std::string::npos) << table.out;
}

TEST_F(Judge, AModelIsJudgedAsItsVectorsAre) {
  make_retrieval("task");
  make_words("words.txt", kDocuments, 8, 1);
  ASSERT_EQ(kith({"model", "import", "words.txt", "-o", "model"}).exit, 0);
  std::filesystem::create_directories(path("ready"));
  for (const std::string part : {"corpus", "queries"}) {
    const Outcome embedded = kith(
        {"embed", "task/" + part + ".jsonl", "--model", "model", "-o", "ready/" + part + ".npy"});
    ASSERT_EQ(embedded.exit, 0) << embedded.err;
  }
  const Outcome outcome =
      kith({"judge", "--suite", "task", "--model", "model", "--vectors", "ready", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto objects = outcome.objects();
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[1].at("system"), "model");
  EXPECT_EQ(objects[1].at("scores"), objects[2].at("scores"));
  EXPECT_GT(objects[1].at("scores").at("test").at(0).at("ndcg_at_10").get<double>(), 0.3);
  expect_error({"judge", "--suite", "task", "--model", "none"}, 1, {"none/config.json"});
}

TEST_F(Judge, FusionWithBm25StandsBesideASystem) {
  make_retrieval("task");
  make_vectors("base.npy", kDocuments, 8, 1);
  make_vectors("q.npy", kDocuments, 8, 1);  // perfect, where BM25 finds each document second
  const Outcome outcome = kith({"judge", "--suite", "task", "--vectors", "base.npy", "--queries",
                                "q.npy", "--hybrid", "--json", "--resamples", "0"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto objects = outcome.objects();
  ASSERT_EQ(objects.size(), 3u);
  const auto score = [&](std::size_t i) {
    return objects[i].at("scores").at("test").at(0).at("main_score").get<double>();
  };
  EXPECT_EQ(objects[1].at("system"), "base");
  EXPECT_EQ(objects[2].at("system"), "base+BM25");
  EXPECT_EQ(score(1), 1.0);
  EXPECT_GT(score(2), score(0));
}

TEST_F(Judge, AFusionIsWeightedAsItIsTold) {
  make_retrieval("task");
  make_vectors("base.npy", kDocuments, 8, 1);
  make_vectors("q.npy", kDocuments, 8, 2);  // finds nothing but by chance
  const std::vector<std::string> judge = {"judge",    "--suite",     "task",  "--vectors",
                                          "base.npy", "--queries",   "q.npy", "--hybrid",
                                          "--json",   "--resamples", "0"};
  const auto scores = [&](const std::vector<std::string>& fusion) {
    std::vector<std::string> words = judge;
    words.insert(words.end(), fusion.begin(), fusion.end());
    const Outcome outcome = kith(words);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    std::vector<double> found;
    for (const auto& each : outcome.objects()) {
      found.push_back(each.at("scores").at("test").at(0).at("main_score").get<double>());
    }
    return found;
  };
  // BM25, the system, both. Where one counts next to nothing, the other's order stays.
  const std::vector<double> even = scores({"--fusion", "distribution"});
  const std::vector<double> words = scores({"--fusion", "distribution", "--weights", "1e-6,1"});
  const std::vector<double> vectors = scores({"--fusion", "distribution", "--weights", "1,1e-6"});
  EXPECT_EQ(words[0], even[0]);
  EXPECT_EQ(words[1], even[1]);
  EXPECT_EQ(words[2], words[0]);
  EXPECT_NE(even[2], vectors[2]);
  EXPECT_NEAR(vectors[2], vectors[1], 1e-3);
  EXPECT_NE(scores({"--rrf-k", "1"})[2], scores({"--rrf-k", "1000", "--weights", "3,1"})[2]);
  for (const char* name : {"--fusion", "--weights", "--rrf-k"}) {
    expect_error({"judge", "--suite", "task", "--bm25", name, "1"}, 2,
                 {std::string(name) + ": an option of fusing rankings, expected --hybrid too"});
  }
  std::vector<std::string> wrong = judge;
  wrong.insert(wrong.end(), {"--fusion", "mean"});
  expect_error(wrong, 2, {"--fusion: 'mean', expected rrf, minmax or distribution"});
  wrong.back() = "rrf";
  wrong.insert(wrong.end(), {"--weights", "1,2,3"});
  expect_error(wrong, 2, {"--weights: 3 numbers for 2 rankings"});
}

TEST_F(Judge, RefusesWhatDoesNotFitNamingIt) {
  make_retrieval("task");
  make_vectors("base.npy", kDocuments - 1, 8, 1);
  make_vectors("q.npy", kDocuments, 8, 1);
  expect_error({"judge", "--suite", "task", "--vectors", "base.npy", "--queries", "q.npy"}, 2,
               {"base.npy: 39 vectors, but there are 40 texts in corpus"});
  expect_error({"judge", "--suite", "task", "--vectors", "q.npy"}, 1,
               {"no file of vectors for queries"});
  expect_error({"judge", "--suite", "none", "--bm25"}, 1, {"none: no such folder"});
  expect_error({"judge", "--suite", "task"}, 2, {"expected --bm25, --model or --vectors"});
  expect_error({"judge", "--bm25"}, 2, {"--suite"});
  put("pairs/test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": 1}\n");
  expect_error({"judge", "--suite", "pairs", "--bm25"}, 2, {"no task that BM25 can do"});
  put("task/qrels/test.tsv", "q1\tnobody\t1\n");
  expect_error({"judge", "--suite", "task", "--bm25"}, 1, {"test.tsv: line 1: 'nobody'"});
}

TEST_F(Judge, JudgesSuitesOfSeveralTasksByFoldersOfVectors) {
  std::string lines;
  for (int i = 0; i < 30; ++i) {
    lines += R"({"sentence1": "a)" + std::to_string(i) + R"(", "sentence2": "b)" +
             std::to_string(i) + R"(", "score": )" + std::to_string(i % 7) + "}\n";
  }
  put("suite/first/test.jsonl", lines);
  put("suite/second/test.jsonl", lines);
  for (const char* task : {"first", "second"}) {
    std::filesystem::create_directories(path(std::string("mine/") + task));
    make_vectors(std::string("mine/") + task + "/sentence1.npy", 30, 4, 1);
    make_vectors(std::string("mine/") + task + "/sentence2.npy", 30, 4, 2);
  }
  const auto rows =
      kith({"judge", "--suite", "suite", "--vectors", "mine", "--json", "--resamples", "20"})
          .objects();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].at("task_name"), "second");
  EXPECT_EQ(rows[1].at("system"), "mine");
  EXPECT_EQ(rows[1].at("main_metric"), "cosine_spearman");
}

TEST_F(Judge, RanksAndSelectsFromResults) {
  for (int s = 0; s < 6; ++s) {
    for (int t = 0; t < 3; ++t) {
      const double score = t == 2 ? (s * 7 % 6) / 10.0 : s / 10.0 + t * 0.01;
      put("r/s" + std::to_string(s) + "/t" + std::to_string(t) + ".json",
          R"({"task_name": "t)" + std::to_string(t) + R"(", "scores": {"test": [{"main_score": )" +
              std::to_string(score) + "}]}}");
    }
  }
  std::vector<std::string> folders;
  for (int s = 0; s < 6; ++s) folders.push_back(numbered("r/s", s));
  std::vector<std::string> words = {"judge", "rank", "--json"};
  words.insert(words.end(), folders.begin(), folders.end());
  const auto standings = kith(words).objects();
  ASSERT_EQ(standings.size(), 6u);
  EXPECT_EQ(standings[0].at("system"), "s5");
  EXPECT_EQ(standings[0].at("tasks"), 3);
  words[1] = "select";
  const auto selection = kith(words).objects();
  ASSERT_EQ(selection.size(), 3u);
  EXPECT_EQ(selection[2].at("verdict"), "leave out");
  put("r/s0/t1.json", "{}");
  expect_error(words, 1, {"r/s0/t1.json: not a result"});
  expect_error({"judge", "rank", "nowhere"}, 1, {"nowhere: no such folder"});
}

TEST_F(Judge, DownsamplesToATaskThatItCanJudge) {
  make_retrieval("task");
  const Outcome outcome =
      kith({"judge", "downsample", "task", "-o", "small", "--most-queries", "5", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects()[0].at("queries"), 5);
  EXPECT_LT(outcome.objects()[0].at("documents").get<int>(), 12);
  const auto judged = kith({"judge", "--suite", "small", "--bm25", "--json"}).objects();
  ASSERT_EQ(judged.size(), 1u);
  EXPECT_EQ(judged[0].at("task_name"), "taskHardNegatives");
  expect_error({"judge", "downsample", "task", "-o", "task"}, 2, {"is the task itself"});
  put("x.run", "q1 Q0 nobody 1 0.5 tag\n");
  expect_error({"judge", "downsample", "task", "x.run", "-o", "other"}, 1,
               {"x.run: document 'nobody'"});
}

TEST_F(Judge, DepthRanksTestsAndSelects) {
  make_words("f.txt", 60, 6, 1);
  make_vectors("g.npy", 50, 6, 9);
  const auto ranked = kith({"judge", "depth", "rank", "f.txt", "-k", "3", "--json"}).objects();
  ASSERT_EQ(ranked.size(), 3u);
  EXPECT_GE(ranked[0].at("depth").get<double>(), ranked[1].at("depth").get<double>());
  const auto test = kith({"judge", "depth", "test", "f.txt", "g.npy", "--json"}).objects();
  ASSERT_EQ(test.size(), 1u);
  EXPECT_GE(test[0].at("q").get<double>(), 0);
  EXPECT_LE(test[0].at("p").get<double>(), 1);
  const auto chosen =
      kith({"judge", "depth", "select", "f.txt", "-k", "2", "--per-label", "--json"}).objects();
  EXPECT_EQ(chosen.size(), 60u);  // each word is its own category
  make_vectors("narrow.npy", 50, 5, 9);
  expect_error({"judge", "depth", "test", "f.txt", "narrow.npy"}, 2,
               {"narrow.npy: 5 dimensions, but f.txt has 6"});
  write_vectors(path("zero.npy"), Matrix<float>(3, 2), Labels());
  expect_error({"judge", "depth", "rank", "zero.npy"}, 2, {"zero.npy: row 0 is zero"});
}

TEST_F(Judge, DataListsItsSetsAndRefusesOthers) {
  const auto sets = kith({"data", "list", "--json"}).objects();
  ASSERT_GE(sets.size(), 5u);
  EXPECT_EQ(sets[0].at("name"), "debian");
  for (const auto& set : sets) EXPECT_FALSE(set.at("licence").get<std::string>().empty());
  EXPECT_EQ(sets.back().at("name"), "train texts");
  expect_error({"data", "train", "none"}, 1, {"training set 'none': expected one of debian"});
  expect_error({"data", "none"}, 1, {"data set 'none': expected one of debian"});
  expect_error({"data"}, 2, {"kith data list"});
  expect_error({"data", "debian", "foldoc", "--to", "x"}, 2, {"--to"});
}

}  // namespace
}  // namespace kith::cli
