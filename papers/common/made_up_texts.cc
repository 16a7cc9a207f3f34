#include "papers/common/made_up_texts.h"

#include <utility>

namespace kith::papers {
namespace {

constexpr std::size_t kTopics = 12, kWordsOfText = 20, kLettersOfQuery = 60;

}  // namespace

std::string made_up_text(std::size_t topic, std::size_t words, Random& random) {
  constexpr std::size_t kTopical = 40, kCommon = 300;
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    const bool topical = random.below(3) == 0;
    const std::size_t word = random.below(topical ? kTopical : kCommon);
    if (!text.empty()) text += ' ';
    text += topical ? 't' : 'c';
    text += std::to_string(topical ? topic * kTopical + word : word);
  }
  return text;
}

Task made_up_classes(const std::string& name, std::size_t topics, Random& random,
                     std::size_t texts) {
  ClassificationTask task;
  task.train.name = "train";
  task.test.name = "test";
  for (std::size_t i = 0; i < topics; ++i) task.labels.push_back(std::to_string(i));
  for (std::size_t i = 0; i < texts; ++i) {
    const auto topic = static_cast<Label>(i % topics);
    const bool test = i % 5 == 0;
    (test ? task.test : task.train).texts.push_back(made_up_text(topic, kWordsOfText, random));
    (test ? task.test_labels : task.train_labels).push_back(topic);
  }
  Task result;
  result.name = name;
  result.content = std::move(task);
  return result;
}

Task made_up_retrieval(Random& random, std::size_t documents) {
  RetrievalTask task;
  task.corpus.name = "corpus";
  task.queries.name = "queries";
  for (std::size_t i = 0; i < documents; ++i) {
    task.corpus.texts.push_back(made_up_text(i % kTopics, kWordsOfText, random));
    task.corpus.ids.push_back(std::string("d").append(std::to_string(i)));
    if (i >= documents / 2) continue;
    task.queries.texts.push_back(task.corpus.texts[i].substr(0, kLettersOfQuery));
    task.queries.ids.push_back(std::string("q").append(std::to_string(i)));
    task.judgements.push_back({{static_cast<std::uint32_t>(i), 1}});
  }
  Task result;
  result.name = "retrieval";
  result.content = std::move(task);
  return result;
}

Task made_up_similarity(Random& random) {
  constexpr std::size_t kPairs = 100;
  StsTask task;
  task.first.name = "sentence1";
  task.second.name = "sentence2";
  for (std::size_t i = 0; i < kPairs; ++i) {
    const std::size_t a = random.below(kTopics), b = i % 2 == 0 ? a : random.below(kTopics);
    task.first.texts.push_back(made_up_text(a, kWordsOfText, random));
    task.second.texts.push_back(made_up_text(b, kWordsOfText, random));
    task.scores.push_back(a == b ? 1 : 0);
  }
  Task result;
  result.name = "similarity";
  result.content = std::move(task);
  return result;
}

std::vector<TrainingPair> made_up_pairs(Random& random, std::size_t count) {
  std::vector<TrainingPair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    TrainingPair pair;
    pair.positive = made_up_text(i % kTopics, kWordsOfText, random);
    pair.query = pair.positive.substr(0, kLettersOfQuery);
    pair.negatives = {made_up_text((i + 1) % kTopics, kWordsOfText, random)};
    pair.group = std::to_string(i);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace kith::papers
