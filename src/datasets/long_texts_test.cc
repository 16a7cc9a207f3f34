#include "datasets/long_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace kith::datasets {
namespace {

using testing::HasSubstr;

constexpr std::size_t kTokens[] = {64, 256};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(LongTexts, HaveThreeWordsForFourTokensAndOnePassageEach) {
  const std::vector<Task> tasks = passkey_tasks(kTokens, 3);
  ASSERT_EQ(tasks.size(), 2u);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto& task = std::get<RetrievalTask>(tasks[t].content);
    ASSERT_EQ(task.corpus.texts.size(), kLongTexts);
    ASSERT_EQ(task.queries.texts.size(), kLongTextQueries);
    for (const std::string& text : task.corpus.texts) {
      EXPECT_EQ(split_words(text).size(), words_of(kTokens[t]));
      EXPECT_EQ(count(text, "Remember it."), 1u);
    }
    for (std::size_t q = 0; q < kLongTextQueries; ++q) {
      const std::string& query = task.queries.texts[q];
      const std::string name = query.substr(24, query.size() - 25);
      std::size_t texts = 0;
      for (const std::string& text : task.corpus.texts) texts += count(text, name + "'s") == 1;
      EXPECT_EQ(texts, 1u) << name;
      EXPECT_THAT(task.corpus.texts[task.judgements[q][0].document], HasSubstr(name + "'s"));
    }
  }
}

TEST(LongTexts, PutPassagesWhereSentencesEndAllOverTheText) {
  const std::string filler = garbage(200);
  std::set<std::size_t> places;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string text = with_passage(filler, "Here it is.", 203, seed);
    const std::size_t at = text.find("Here it is.");
    ASSERT_NE(at, std::string::npos);
    EXPECT_TRUE(at == 0 || text[at - 2] == '.') << text.substr(0, at);
    places.insert(at * 4 / text.size());
  }
  EXPECT_EQ(places.size(), 4u);  // in every quarter
}

TEST(LongTexts, AskForOtherPeopleInTrainingThanInTests) {
  std::set<std::string> tested;
  for (const Needle& each : passkeys(kLongTexts, false, 1)) tested.insert(each.query);
  EXPECT_EQ(tested.size(), kLongTexts);
  for (const Needle& each : passkeys(2000, true, 2)) EXPECT_FALSE(tested.contains(each.query));
}

TEST(LongTexts, OfRunningTextAreTheSameForTheSameSeed) {
  std::string running;
  for (std::size_t i = 0; i < 5000; ++i) running += "word" + std::to_string(i) + ". ";
  std::vector<Needle> needles;
  for (std::size_t i = 0; i < kLongTexts; ++i) {
    needles.push_back({"query " + std::to_string(i), "needle " + std::to_string(i) + " of all."});
  }
  const auto texts = [&](std::uint64_t seed) {
    return std::get<RetrievalTask>(needle_tasks(kTokens, running, needles, seed)[1].content)
        .corpus.texts;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
  EXPECT_EQ(split_words(texts(1)[5]).size(), words_of(256));
  EXPECT_THAT(texts(1)[5], HasSubstr("needle 5 of all."));
}

TEST(LongTexts, ShorterThanTheirPassageAreThePassage) {
  EXPECT_EQ(with_passage("a b c", "one two three", 2, 1), "one two three");
  EXPECT_EQ(with_passage("", "one", 9, 1), "one");
}

}  // namespace
}  // namespace kith::datasets
