// The protocols on small tasks whose results are known.
#include "kith/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "judge/protocols.h"
#include "judge/test_tasks.h"
#include "kith/vectors.h"

namespace kith::judge {
namespace {

using testing::HasSubstr;

// Vectors given text by text.
class GivenVectors : public Embedder {
 public:
  explicit GivenVectors(std::map<std::string, std::vector<float>> vectors)
      : vectors_(std::move(vectors)) {}
  std::string name() const override { return "given"; }
  Matrix<float> embed(const TextPart& texts, std::span<const std::uint32_t> which,
                      const Control&) override {
    Matrix<float> rows(which.size(), 2);
    for (std::size_t i = 0; i < which.size(); ++i) {
      const std::vector<float>& vector = vectors_.at(texts.texts[which[i]]);
      std::copy(vector.begin(), vector.end(), rows.row(i));
    }
    return rows;
  }

 private:
  std::map<std::string, std::vector<float>> vectors_;
};

double score(const TaskResult& result, const std::string& name) {
  for (const auto& [each, value] : result.scores) {
    if (each == name) return value;
  }
  ADD_FAILURE() << name << " is missing";
  return std::nan("");
}

JudgeOptions few() {
  JudgeOptions options;
  options.resamples = 50;
  options.control.threads = 2;
  return options;
}

TEST(Retrieval, ATextWithoutADirectionIsNotFoundAndFindsNothing) {
  RetrievalTask task;
  task.corpus = part("corpus", {"a", "b", "c"}, {"a", "b", "c"});
  task.queries = part("queries", {"q", "r"}, {"q", "r"});
  task.judgements = {{{1, 1}}, {{2, 1}}};
  GivenVectors vectors(
      {{"a", {0, 0}}, {"b", {-1, 0}}, {"c", {-1, -1}}, {"q", {1, 0}}, {"r", {0, 0}}});
  const TaskResult result = judge_task(task_with(task), vectors, few());
  EXPECT_DOUBLE_EQ(score(result, "mrr_at_10"), (0.5 + 0) / 2);  // behind c, and not behind a
  GivenVectors nothing({{"a", {0, 0}}, {"b", {0, 0}}, {"c", {0, 0}}, {"q", {1, 0}}, {"r", {0, 0}}});
  EXPECT_EQ(judge_task(task_with(task), nothing, few()).main_score, 0);
}

TEST(Retrieval, RanksByCosineAndScoresGradedJudgements) {
  RetrievalTask task;
  task.corpus = part("corpus", {"a", "b", "c"}, {"a", "b", "c"});
  task.queries = part("queries", {"q", "a"}, {"q", "a"});
  task.judgements = {{{1, 1}, {2, 2}}, {{2, 1}}};
  GivenVectors vectors({{"a", {1, 0}}, {"b", {5, 5}}, {"c", {0, 1}}, {"q", {3, 1}}});
  const TaskResult result = judge_task(task_with(task), vectors, few());
  // q: a, b, c; the query a leaves out the document a: b, c.
  const double first = (1 / std::log2(3) + 2 / std::log2(4)) / (2 + 1 / std::log2(3));
  const double second = 1 / std::log2(3);
  EXPECT_NEAR(result.main_score, (first + second) / 2, 1e-9);
  EXPECT_EQ(result.main_metric, "ndcg_at_10");
  EXPECT_NEAR(score(result, "mrr_at_10"), 0.5, 1e-9);
  EXPECT_NEAR(score(result, "recall_at_1"), 0, 1e-9);
  EXPECT_EQ(result.units, 2u);
}

TEST(Retrieval, Bm25FindsTheDocumentsThatHoldTheWords) {
  const TaskResult result = judge_bm25(small_retrieval(), few());
  EXPECT_EQ(result.system, "BM25");
  EXPECT_NEAR(result.main_score, 1, 0.2);
  EXPECT_NEAR(score(result, "hit_rate_at_1"), 1, 0.6);
  EXPECT_LE(result.interval.low, result.main_score);
  EXPECT_GE(result.interval.high, result.main_score);
  EXPECT_THROW(judge_bm25(task_with(StsTask{}), few()), Error);
}

TEST(Reranking, IsMeanAveragePrecisionOfTheCandidates) {
  RerankingTask task;
  task.queries = part("queries", {"q"});
  task.documents = part("documents", {"near", "middle", "far"});
  task.candidates = {{{0, 0}, {1, 1}, {2, 1}}};
  GivenVectors vectors({{"q", {1, 0}}, {"near", {4, 1}}, {"middle", {1, 1}}, {"far", {-1, 1}}});
  const TaskResult result = judge_task(task_with(task), vectors, few());
  EXPECT_NEAR(result.main_score, (1.0 / 2 + 2.0 / 3) / 2, 1e-9);
  EXPECT_NEAR(score(result, "mrr"), 0.5, 1e-9);
  task.documents.texts = {"pears", "apples and pears", "apples apples"};
  task.queries.texts = {"apples"};
  EXPECT_NEAR(judge_bm25(task_with(task), few()).main_score, 1, 1e-9);
}

// Texts of `labels` kinds, each of its kind's words and some of all.
ClassificationTask made_up_classes(std::size_t each) {
  ClassificationTask task;
  task.train.name = "train";
  task.test.name = "test";
  task.labels = {"animals", "tools", "plants"};
  const std::vector<std::vector<std::string>> words = {{"cat", "dog", "cow", "fox"},
                                                       {"saw", "axe", "hammer", "file"},
                                                       {"oak", "elm", "fern", "moss"}};
  Random random(5);
  for (std::size_t i = 0; i < each * 6; ++i) {
    const auto label = static_cast<Label>(i % 3);
    std::string text = "the";
    for (int w = 0; w < 3; ++w) text += " " + words[label][random.below(4)];
    const bool train = i < each * 3;
    (train ? task.train : task.test).texts.push_back(text + " " + std::to_string(i));
    (train ? task.train_labels : task.test_labels).push_back(label);
  }
  return task;
}

TEST(Classification, LearnsFromFewTextsAndEmbedsNoMoreThanThose) {
  const ClassificationTask task = made_up_classes(100);
  WordEmbedder words(32);
  const TaskResult result = judge_task(task_with(task), words, few());
  EXPECT_GT(result.main_score, 0.9);
  EXPECT_EQ(result.main_metric, "accuracy");
  EXPECT_NEAR(score(result, "f1"), result.main_score, 0.05);
  EXPECT_LE(words.asked, 300u + 10 * 3 * 8);
  EXPECT_EQ(result.units, 300u);
  JudgeOptions one = few();
  one.control.threads = 1;
  EXPECT_EQ(judge_task(task_with(task), words, one).main_score, result.main_score);
}

TEST(Multilabel, GivesTextsTheLabelsOfTheirNeighbours) {
  const ClassificationTask kinds = made_up_classes(100);
  MultilabelTask task;
  task.train = kinds.train;
  task.test = kinds.test;
  task.labels = {"animals", "tools", "plants", "alive", "none tests this"};
  const auto labels = [](Label kind) {
    return kind == 1 ? std::vector<Label>{1} : std::vector<Label>{kind, 3};
  };
  for (const Label kind : kinds.train_labels) task.train_labels.push_back(labels(kind));
  for (const Label kind : kinds.test_labels) task.test_labels.push_back(labels(kind));
  for (std::size_t i = 0; i < task.train_labels.size(); i += 7) task.train_labels[i].push_back(4);
  WordEmbedder words(32);
  const TaskResult result = judge_task(task_with(task), words, few());
  EXPECT_EQ(result.type, "MultilabelClassification");
  EXPECT_EQ(result.main_metric, "accuracy");
  EXPECT_GT(result.main_score, 0.7);
  EXPECT_NEAR(score(result, "accuracy"), result.main_score, 1e-9);
  EXPECT_GT(score(result, "f1"), result.main_score);
  EXPECT_GT(score(result, "lrap"), result.main_score);
  EXPECT_EQ(result.units, 300u);
  JudgeOptions one = few();
  one.control.threads = 1;
  EXPECT_EQ(judge_task(task_with(task), words, one).main_score, result.main_score);
}

TEST(Multilabel, TakesTextsWhileALabelLacksSome) {
  MultilabelTask task;
  task.labels = {"common", "rare"};
  task.samples_per_label = 2;
  for (std::size_t i = 0; i < 50; ++i) {
    task.train.texts.push_back(std::to_string(i));
    task.train_labels.push_back(i % 10 == 0 ? std::vector<Label>{0, 1} : std::vector<Label>{0});
  }
  task.train_labels[5].clear();
  JudgeOptions options;
  options.experiments = 20;
  for (const auto& sample : multilabel_samples(task, options)) {
    std::size_t rare = 0, common = 0;
    for (const std::uint32_t text : sample) {
      rare += task.train_labels[text].size() > 1 ? 1 : 0;
      common += task.train_labels[text].size() == 1 ? 1 : 0;
      EXPECT_NE(text, 5u);
    }
    EXPECT_EQ(rare, 2u);
    EXPECT_LE(common, 2u);
  }
}

TEST(Clustering, FindsGroupsInBothForms) {
  const ClassificationTask classes = made_up_classes(60);
  ClusteringTask task;
  task.texts = part("texts", classes.test.texts);
  task.labels = classes.labels;
  task.truth = classes.test_labels;
  task.max_documents = 150;
  WordEmbedder words(32);
  JudgeOptions options = few();
  options.experiments = 2;
  const TaskResult sampled = judge_task(task_with(task), words, options);
  EXPECT_GT(sampled.main_score, 0.5);
  EXPECT_EQ(words.asked, 150u);
  EXPECT_EQ(sampled.units, 2u);
  task.sets = {{0, 90}, {90, 180}};
  EXPECT_GT(judge_task(task_with(task), words, options).main_score, 0.5);
}

TEST(Sts, IsTheRankCorrelationOfCosines) {
  const StsTask task{
      part("sentence1", {"x", "x", "x"}), part("sentence2", {"x", "d", "y"}), {3, 2, 1}};
  GivenVectors vectors({{"x", {1, 0}}, {"d", {9, 9}}, {"y", {0, 1}}});
  const TaskResult result = judge_task(task_with(task), vectors, few());
  EXPECT_NEAR(result.main_score, 1, 1e-9);
  EXPECT_NEAR(score(result, "euclidean_spearman"), 0.5, 1e-9);  // the long one is farthest
  EXPECT_NEAR(score(result, "cosine_pearson"), 0.9725754, 1e-6);
}

TEST(PairClassification, IsTheBestAveragePrecision) {
  const PairTask task{part("sentence1", {"x", "x", "x", "x"}),
                      part("sentence2", {"x", "d", "y", "m"}),
                      {1, 1, 0, 0}};
  GivenVectors vectors({{"x", {1, 0}}, {"d", {9, 9}}, {"y", {0, 1}}, {"m", {-1, 0}}});
  const TaskResult result = judge_task(task_with(task), vectors, few());
  EXPECT_NEAR(score(result, "cosine_ap"), 1, 1e-9);
  EXPECT_NEAR(score(result, "cosine_accuracy"), 1, 1e-9);
  EXPECT_NEAR(score(result, "cosine_accuracy_threshold"), std::sqrt(0.5) / 2, 1e-6);
  EXPECT_NEAR(score(result, "euclidean_ap"), (1 + 2.0 / 4) / 2, 1e-9);
  EXPECT_GT(score(result, "euclidean_f1_threshold"), 0);
  EXPECT_NEAR(result.main_score, 1, 1e-9);
}

TEST(BitextMining, CountsNearestTranslations) {
  BitextTask task{
      part("sentence1", {"a", "b", "c"}), part("sentence2", {"A", "B", "C"}), {0, 1, 2}};
  GivenVectors vectors({{"a", {1, 0}},
                        {"b", {0, 1}},
                        {"c", {1, 0.1f}},
                        {"A", {2, 0}},
                        {"B", {0, 3}},
                        {"C", {-1, 0}}});
  const TaskResult result = judge_task(task_with(task), vectors, few());
  EXPECT_NEAR(score(result, "accuracy"), 2.0 / 3, 1e-9);
  // f1 of the three targets: 2/3, 1, 0.
  EXPECT_NEAR(result.main_score, (2.0 / 3 + 1) / 3, 1e-9);
}

TEST(Judging, RefusesVectorsThatDoNotFit) {
  class Odd : public WordEmbedder {
   public:
    Matrix<float> embed(const TextPart& texts, std::span<const std::uint32_t> which,
                        const Control&) override {
      return {which.size(), texts.name == "corpus" ? 3u : 4u};
    }
  };
  Odd odd;
  EXPECT_THROW(judge_task(small_retrieval(), odd, few()), Error);
}

TEST(Comparison, OfTwoSystemsIsPairedOverUnits) {
  const ClassificationTask task = made_up_classes(60);
  WordEmbedder good(32), poor(1);
  const TaskResult a = judge_task(task_with(task), good, few());
  const TaskResult b = judge_task(task_with(task), poor, few());
  JudgeOptions options = few();
  options.resamples = 500;
  const PairedDifference found = compare(a, b, options);
  EXPECT_NEAR(found.difference, a.main_score - b.main_score, 1e-9);
  EXPECT_LT(found.p_value, 0.01);
  EXPECT_THROW(compare(a, judge_bm25(small_retrieval(), few()), options), Error);
}

TEST(Results, HaveMtebsForm) {
  TaskResult result = judge_bm25(small_retrieval(), few());
  result.language = "eng-Latn";
  const nlohmann::json json = nlohmann::json::parse(mteb_json(result));
  EXPECT_EQ(json.at("task_name"), "made-up");
  const nlohmann::json& scores = json.at("scores").at("test").at(0);
  EXPECT_EQ(scores.at("main_score"), scores.at("ndcg_at_10"));
  EXPECT_EQ(scores.at("hf_subset"), "default");
  EXPECT_EQ(scores.at("languages").at(0), "eng-Latn");
  EXPECT_TRUE(scores.contains("recall_at_100"));
  EXPECT_TRUE(json.contains("mteb_version"));
  EXPECT_GE(json.at("evaluation_time").get<double>(), 0);
}

class ReadyVectorsTest : public TaskTest {};

TEST_F(ReadyVectorsTest, AreFoundByLabelsOrByPlace) {
  Matrix<float> rows(3, 2);
  for (std::size_t i = 0; i < 3; ++i) rows(i, 0) = static_cast<float>(i);
  write_vectors(path("corpus.npy"), rows, Labels(std::vector<std::string>{"c", "a", "b"}));
  write_vectors(path("queries.npy"), rows, Labels());
  ReadyVectors vectors = ReadyVectors::in_folder(folder_);
  const std::vector<std::uint32_t> which = {0, 2};
  EXPECT_EQ(vectors.embed(part("corpus", {"x", "y", "z"}, {"a", "b", "c"}), which, {})(1, 0), 0);
  EXPECT_EQ(vectors.embed(part("queries", {"x", "y", "z"}, {"a", "b", "c"}), which, {})(1, 0), 2);
  const auto error = [&](const TextPart& texts) -> std::string {
    try {
      vectors.embed(texts, which, {});
    } catch (const Error& failed) {
      return failed.what();
    }
    return "no error";
  };
  EXPECT_THAT(error(part("queries", {"x", "y"})), HasSubstr("3 vectors, but there are 2 texts"));
  EXPECT_THAT(error(part("corpus", {"x", "y", "z"}, {"a", "b", "d"})),
              HasSubstr("no vector is labelled 'd'"));
  EXPECT_THAT(error(part("train", {"x", "y", "z"})), HasSubstr("no file of vectors for train"));
}

}  // namespace
}  // namespace kith::judge
