// Tasks read from folders and written to them.
#include "kith/suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "judge/test_tasks.h"

namespace kith::judge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Suite : public TaskTest {
 protected:
  template <class Content>
  Content read() const {
    return std::get<Content>(read_task(folder_).content);
  }
  void write_beir() const {
    write(
        "corpus.jsonl",
        "{\"_id\": \"a\", \"title\": \"T\", \"text\": \"one\"}\n{\"_id\": 7, \"text\": \"two\"}\n");
    write("queries.jsonl",
          "{\"_id\": \"q\", \"text\": \"ask\"}\n\n{\"_id\": \"train\", \"text\": \"other\"}\n");
    write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\ta\t2\nq\t7\t0\n");
  }
};

TEST_F(Suite, BeirFoldersAreRetrieval) {
  write_beir();
  const Task task = read_task(folder_);
  EXPECT_EQ(task_type(task), "Retrieval");
  const auto& retrieval = std::get<RetrievalTask>(task.content);
  EXPECT_THAT(retrieval.corpus.texts, ElementsAre("T one", "two"));
  EXPECT_THAT(retrieval.corpus.ids, ElementsAre("a", "7"));
  EXPECT_THAT(retrieval.queries.ids, ElementsAre("q"));  // the other is of another split
  ASSERT_EQ(retrieval.judgements.size(), 1u);
  EXPECT_EQ(retrieval.judgements[0][0].grade, 2);
  EXPECT_EQ(retrieval.judgements[0][1].document, 1u);
}

TEST_F(Suite, BrokenBeirFoldersAreRefusedNamingFileAndLine) {
  write_beir();
  write("qrels/test.tsv", "q\ta\t1\nq\tb\t1\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("test.tsv: line 2: 'b' is not in corpus.jsonl"));
  write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nx\ta\t1\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("test.tsv: line 2: 'x' is not in queries.jsonl"));
  write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\ta\thigh\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("test.tsv: line 2: grade 'high'"));
  write("qrels/test.tsv", "q\ta\t1\nq\ta\t2\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 2: the same document was judged with another"));
  write("qrels/test.tsv", "q a 1\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: expected a query's ID"));
  write("qrels/test.tsv", "query-id\tcorpus-id\tscore\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("test.tsv: judges no query"));
  std::filesystem::remove(path("qrels/test.tsv"));
  EXPECT_THAT(error_of_reading(), HasSubstr("qrels/test.tsv"));
  write_beir();
  write("corpus.jsonl", "{\"_id\": \"a\", \"text\": \"one\"}\n{\"_id\": \"7\", \"text\": \" \"}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("corpus.jsonl: line 2: \"text\" is empty"));
  write("corpus.jsonl", "{\"_id\": \"a\", \"text\": \"one\"}\n{\"_id\": \"a\", \"text\": \"x\"}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 2: \"_id\" 'a' stands there twice"));
  write("corpus.jsonl", "{\"_id\": \"a\", \"text\": 1}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: \"text\" is not a text"));
  write("corpus.jsonl", "{\"_id\": \"a\"}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: no \"text\""));
  write("corpus.jsonl", "[1]\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: not a JSON object"));
}

TEST_F(Suite, FieldsOfTheFirstLineSayWhatATaskIs) {
  write("test.jsonl",
        "{\"query\": \"q\", \"positive\": [\"a\"], \"negative\": [\"b\", \"a b\"]}\n"
        "{\"query\": \"all alike\", \"positive\": [\"a\"], \"negative\": []}\n");
  const auto reranking = read<RerankingTask>();
  EXPECT_THAT(reranking.documents.texts, ElementsAre("a", "b", "a b"));
  ASSERT_EQ(reranking.candidates.size(), 1u);
  EXPECT_EQ(reranking.candidates[0][2].grade, 0);

  write("test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": 2.5}\n");
  EXPECT_THAT(read<StsTask>().scores, ElementsAre(2.5));
  write("test.jsonl",
        "{\"sent1\": [\"a\", \"c\"], \"sent2\": [\"b\", \"d\"], \"labels\": [1, 0]}\n");
  EXPECT_THAT(read<PairTask>().positive, ElementsAre(1, 0));
  write("test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": \"1\"}\n");
  EXPECT_THAT(read<PairTask>().positive, ElementsAre(1));
  write("test.jsonl",
        "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"gold\": 1}\n"
        "{\"sentence1\": \"c\", \"sentence2\": \"d\", \"gold\": 0}\n");
  EXPECT_THAT(read<BitextTask>().gold, ElementsAre(1, 0));
  write("test.jsonl",
        "{\"sentences\": [\"a\", \"b\"], \"labels\": [\"x\", \"y\"]}\n"
        "{\"sentences\": [\"c\"], \"labels\": [\"x\"]}\n");
  const auto old = read<ClusteringTask>();
  EXPECT_THAT(old.truth, ElementsAre(0, 1, 0));
  EXPECT_EQ(old.sets.size(), 2u);
  write("test.jsonl",
        "{\"sentences\": \"a\", \"labels\": 5}\n{\"sentences\": \"b\", \"labels\": 6}\n");
  EXPECT_THAT(read<ClusteringTask>().labels, ElementsAre("5", "6"));

  write("test.jsonl", "{\"text\": \"a\", \"label\": \"good\"}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("train.jsonl"));
  write("train.jsonl",
        "{\"text\": \"b\", \"label\": \"bad\"}\n{\"text\": \"c\", \"label\": \"good\"}");
  const auto classes = read<ClassificationTask>();
  EXPECT_THAT(classes.train_labels, ElementsAre(0, 1));
  EXPECT_THAT(classes.test_labels, ElementsAre(1));
}

TEST_F(Suite, ListsOfLabelsAreMultilabel) {
  write("train.jsonl",
        "{\"text\": \"a\", \"label\": [\"x\", \"y\", \"x\"]}\n{\"text\": \"b\", \"label\": []}");
  write("test.jsonl", "{\"text\": \"c\", \"label\": [\"y\"]}\n{\"text\": \"d\", \"label\": []}\n");
  write("task.json", "{\"name\": \"mine\", \"samples_per_label\": 3}");
  const Task task = read_task(folder_);
  EXPECT_EQ(task_type(task), "MultilabelClassification");
  const auto& sets = std::get<MultilabelTask>(task.content);
  EXPECT_THAT(sets.labels, ElementsAre("x", "y"));
  EXPECT_THAT(sets.train_labels, ElementsAre(ElementsAre(0, 1), ElementsAre()));
  EXPECT_THAT(sets.test_labels, ElementsAre(ElementsAre(1), ElementsAre()));
  EXPECT_EQ(sets.samples_per_label, 3u);
  write_task(task, folder_);
  const auto again = read<MultilabelTask>();
  EXPECT_EQ(again.train_labels, sets.train_labels);
  EXPECT_EQ(again.test_labels, sets.test_labels);
  EXPECT_EQ(again.samples_per_label, 3u);
  write("test.jsonl", "{\"text\": \"c\", \"label\": [\"z\"]}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: label 'z' is not in train.jsonl"));
  write("test.jsonl", "{\"text\": \"c\", \"label\": [1.5]}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: \"label\""));
}

TEST_F(Suite, BrokenLinesAreRefusedByNumber) {
  write("test.jsonl", "\n{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": 2}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("test.jsonl: line 2: label '2', expected 0 or 1"));
  write("test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"\", \"score\": 1}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: \"sentence2\" is empty"));
  write("test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": \"x\"}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: \"score\" is not a number"));
  write("test.jsonl", "{\"sentences\": [\"a\"], \"labels\": [\"x\", \"y\"]}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: 1 sentences, but 2 labels"));
  write("test.jsonl",
        "{\"sentences\": \"a\", \"labels\": 1}\n{\"sentences\": \"b\", \"labels\": 1}");
  EXPECT_THAT(error_of_reading(), HasSubstr("1 label, expected two"));
  write("test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"gold\": 3}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("\"gold\" 3, but only 1"));
  write("test.jsonl", "{\"query\": \"q\", \"positive\": \"a\", \"negative\": [\"b\"]}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("line 1: \"positive\" is not a list"));
  write("test.jsonl", "{\"something\": 1}\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("its fields are of no known task"));
  write("test.jsonl", "\n");
  EXPECT_THAT(error_of_reading(), HasSubstr("holds nothing"));
  write("test.jsonl", "{\"text\": \"a\", \"label\": \"z\"}\n");
  write("train.jsonl", "{\"text\": \"b\", \"label\": \"x\"}\n{\"text\": \"c\", \"label\": \"y\"}");
  EXPECT_THAT(error_of_reading(), HasSubstr("test.jsonl: line 1: label 'z' is not in train.jsonl"));
}

TEST_F(Suite, TaskJsonDescribes) {
  write("test.jsonl",
        "{\"sentences\": \"a\", \"labels\": 1}\n{\"sentences\": \"b\", \"labels\": 2}");
  write("task.json", "{\"name\": \"mine\", \"licence\": \"MIT\", \"max_documents\": 9}");
  const Task task = read_task(folder_);
  EXPECT_EQ(task.name, "mine");
  EXPECT_EQ(task.licence, "MIT");
  EXPECT_EQ(std::get<ClusteringTask>(task.content).max_documents, 9u);
  write("task.json", "{\"name\": \"../other\"}");
  EXPECT_THAT(error_of_reading(), HasSubstr("task.json: name"));
}

TEST_F(Suite, HoldsTheTasksOfItsFolders) {
  for (const char* name : {"b", "a"}) {
    write(std::string(name) + "/test.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\"}\n");
  }
  write("notes/readme", "no task");
  const std::vector<Task> tasks = read_suite(folder_);
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].name, "a");
  EXPECT_THROW(read_suite(path("notes")), Error);
  EXPECT_THROW(read_suite(path("none")), Error);
}

// Any bytes that JSON can hold.
rc::Gen<std::string> texts() {
  return rc::gen::map(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)),
                      [](const std::string& text) { return "x" + text; });
}

void expect_same(const TextPart& a, const TextPart& b) {
  RC_ASSERT(a.texts == b.texts);
  RC_ASSERT(a.name == b.name);
}

TEST_F(Suite, WrittenTasksReadBack) {
  rc::check("write_task and read_task", [&] {
    const auto written = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(texts()));
    const std::size_t count = written.size();
    const int kind = *rc::gen::inRange(0, 5);
    std::vector<std::uint32_t> order(count);
    for (auto& place : order) place = *rc::gen::inRange<std::uint32_t>(0, count);
    std::filesystem::remove_all(folder_);
    const auto again = [&](decltype(Task::content) content) {
      write_task(task_with(std::move(content)), folder_);
      const Task task = read_task(folder_);
      RC_ASSERT(task.name == "made-up");
      return task.content;
    };
    if (kind == 0) {
      const StsTask task{part("sentence1", written), part("sentence2", written),
                         std::vector<double>(order.begin(), order.end())};
      const auto read = std::get<StsTask>(again(task));
      expect_same(read.first, task.first);
      RC_ASSERT(read.scores == task.scores);
    } else if (kind == 1) {
      const BitextTask task{part("sentence1", written), part("sentence2", written), order};
      const auto read = std::get<BitextTask>(again(task));
      expect_same(read.second, task.second);
      RC_ASSERT(read.gold == order);
    } else if (kind == 2) {
      PairTask task{part("sentence1", written), part("sentence2", written),
                    std::vector<std::uint8_t>(count, 1)};
      task.positive.back() = count > 1 ? 0 : 1;
      RC_ASSERT(std::get<PairTask>(again(task)).positive == task.positive);
    } else if (kind == 3) {
      ClassificationTask task;
      task.train = part("train", {"a", "b"});
      task.test = part("test", written);
      task.labels = {"no", "yes"};
      task.train_labels = {0, 1};
      for (const std::uint32_t place : order) task.test_labels.push_back(place % 2);
      task.samples_per_label = 16;
      const auto read = std::get<ClassificationTask>(again(task));
      expect_same(read.test, task.test);
      RC_ASSERT(read.test_labels == task.test_labels);
      RC_ASSERT(read.samples_per_label == 16u);
    } else {
      RetrievalTask task;
      task.corpus = part("corpus", written);
      for (std::size_t i = 0; i < count; ++i) {
        task.corpus.ids.push_back("d" + std::to_string(i));
      }
      task.queries = part("queries", {"ask"}, {"q"});
      task.judgements = {{{order.front(), 3}}};
      const auto read = std::get<RetrievalTask>(again(task));
      expect_same(read.corpus, task.corpus);
      RC_ASSERT(read.judgements[0][0].document == order.front());
      RC_ASSERT(read.judgements[0][0].grade == 3);
    }
  });
}

TEST_F(Suite, WrittenClusteringsAndRerankingsReadBack) {
  ClusteringTask sets;
  sets.texts = part("texts", {"a", "b", "c"});
  sets.labels = {"x", "y"};
  sets.truth = {0, 1, 1};
  sets.sets = {{0, 2}, {2, 3}};
  write_task(task_with(sets), folder_);
  EXPECT_EQ(read<ClusteringTask>().sets, sets.sets);
  sets.sets.clear();
  sets.max_documents = 3;
  write_task(task_with(sets), folder_);
  EXPECT_EQ(read<ClusteringTask>().truth, sets.truth);
  EXPECT_EQ(read<ClusteringTask>().max_documents, 3u);
  RerankingTask reranking;
  reranking.queries = part("queries", {"q"});
  reranking.documents = part("documents", {"good", "bad"});
  reranking.candidates = {{{0, 1}, {1, 0}}};
  write_task(task_with(reranking), folder_);
  EXPECT_EQ(read<RerankingTask>().documents.texts, reranking.documents.texts);
}

TEST_F(Suite, DownsamplingKeepsPoolsAndJudgedDocuments) {
  const Task task = small_retrieval();
  const std::vector<Pool> pools = {{{0, 1, 2}, {3, 1, 2}}};
  const Task small = downsample(task, pools, {.queries = 10, .depth = 1});
  const auto& content = std::get<RetrievalTask>(small.content);
  EXPECT_THAT(content.corpus.ids, ElementsAre("d1", "d2", "d4", "d5"));
  ASSERT_EQ(content.judgements.size(), 2u);
  EXPECT_EQ(content.judgements[0][1].document, 3u);  // d5's new place
  EXPECT_EQ(content.judgements[0][1].grade, 1);
  EXPECT_EQ(
      std::get<RetrievalTask>(downsample(task, pools, {.queries = 1}).content).queries.texts.size(),
      1u);
  EXPECT_THROW(downsample(task, {}), Error);
  EXPECT_THROW(downsample(task, {{{0}}}), Error);
  EXPECT_THROW(downsample(task, {{{9}, {0}}}), Error);
}

}  // namespace
}  // namespace kith::judge
