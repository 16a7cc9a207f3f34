#include "papers/common/task_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "papers/common/made_up_texts.h"

namespace kith::papers {
namespace {

Task retrieval() {
  Random random(1);
  return made_up_retrieval(random, 100);
}

TEST(SmallRetrieval, KeepsWhatAnswersItsQueries) {
  const Task whole = retrieval();
  const Task small = small_retrieval(whole, 10, 30, 7);
  const auto& task = std::get<RetrievalTask>(small.content);
  ASSERT_EQ(task.queries.texts.size(), 10u);
  ASSERT_EQ(task.corpus.texts.size(), 30u);
  EXPECT_EQ(std::set<std::string>(task.corpus.ids.begin(), task.corpus.ids.end()).size(), 30u);
  for (std::size_t q = 0; q < 10; ++q) {
    const std::string& answer = task.corpus.texts[task.judgements[q].front().document];
    EXPECT_TRUE(answer.starts_with(task.queries.texts[q]));
  }
}

TEST(SmallRetrieval, AsksOnlyForWhatPasses) {
  const auto even = [](std::uint32_t document) { return document % 2 == 0; };
  const Task small = small_retrieval(retrieval(), 1000, 40, 7, even);
  const auto& task = std::get<RetrievalTask>(small.content);
  EXPECT_EQ(task.queries.texts.size(), 25u);  // of 50, half ask for even documents
  EXPECT_EQ(task.corpus.ids.size(), 40u);
  for (const std::string& id : task.corpus.ids) EXPECT_EQ(std::stoul(id.substr(1)) % 2, 0u);
}

TEST(TaskSamples, AreDrawnByTheSeed) {
  const auto queries = [](std::uint64_t seed) {
    const Task task = some_queries(retrieval(), 5, seed);
    return std::get<RetrievalTask>(task.content).queries.ids;
  };
  EXPECT_EQ(queries(1), queries(1));
  EXPECT_NE(queries(1), queries(2));
}

TEST(TaskSamples, KeepTextsAndTruthTogether) {
  Random random(1);
  const Task classes = made_up_classes("topics", 4, random, 100);
  const auto& all = std::get<ClassificationTask>(classes.content);
  const auto label_of = [&](const std::string& text) {
    const auto at = std::find(all.test.texts.begin(), all.test.texts.end(), text);
    return all.test_labels[static_cast<std::size_t>(at - all.test.texts.begin())];
  };
  const Task tested = some_tests(classes, 8, 3);
  const auto& few = std::get<ClassificationTask>(tested.content);
  ASSERT_EQ(few.test.texts.size(), 8u);
  EXPECT_EQ(few.train.texts.size(), all.train.texts.size());
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(few.test_labels[i], label_of(few.test.texts[i]));
  }
  const Task clustered = clustering_of(classes, 2, 9, 3);
  const auto& sets = std::get<ClusteringTask>(clustered.content);
  ASSERT_EQ(sets.texts.texts.size(), 18u);
  EXPECT_EQ(sets.sets[1], (std::pair<std::size_t, std::size_t>{9, 18}));
  for (std::size_t i = 0; i < 18; ++i) EXPECT_EQ(sets.truth[i], label_of(sets.texts.texts[i]));
}

TEST(TaskSamples, OfPairsKeepTheirScores) {
  Random random(1);
  const Task pairs = made_up_similarity(random);
  const Task some = some_pairs(pairs, 10, 2);
  const auto &all = std::get<StsTask>(pairs.content), &few = std::get<StsTask>(some.content);
  ASSERT_EQ(few.scores.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i) {
    const auto at = std::find(all.first.texts.begin(), all.first.texts.end(), few.first.texts[i]);
    const auto place = static_cast<std::size_t>(at - all.first.texts.begin());
    EXPECT_EQ(few.scores[i], all.scores[place]);
    EXPECT_EQ(few.second.texts[i], all.second.texts[place]);
  }
}

}  // namespace
}  // namespace kith::papers
