#include "mine/negatives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/test_error.h"
#include "judge/test_tasks.h"

namespace kith::mine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One query, "q", which is embedded as (1, 0); document i as the i-th of these cosines with it.
class Cosines : public Embedder {
 public:
  explicit Cosines(std::vector<double> cosines) : cosines_(std::move(cosines)) {}
  std::string name() const override { return "cosines"; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control&) override {
    ++calls;
    Matrix<float> rows(which.size(), 2);
    for (std::size_t i = 0; i < which.size(); ++i) {
      const double cosine = part.name == "queries" ? 1 : cosines_.at(which[i]);
      rows(i, 0) = static_cast<float>(3 * cosine);
      rows(i, 1) = static_cast<float>(3 * std::sqrt(1 - cosine * cosine));
    }
    return rows;
  }
  int calls = 0;

 private:
  std::vector<double> cosines_;
};

// "q" with the positive "d0", and the documents "d1" to "d5".
PairTexts five_documents() {
  PairTexts texts;
  texts.add_pair("q", "d0");
  for (int i = 1; i <= 5; ++i) texts.add_document(std::string("d").append(std::to_string(i)));
  return texts;
}

std::vector<std::uint32_t> mined(const PairTexts& texts, Embedder* by, Embedder* teacher,
                                 const NegativeOptions& options) {
  return mine_negatives(texts, {&by, 1}, teacher, options).documents.at(0);
}

TEST(PairTexts, HoldEachTextOnce) {
  PairTexts texts;
  texts.add_pair("a", "x");
  texts.add_pair("a", "y");
  texts.add_pair("b", "x");
  texts.add_document("y");
  texts.add_document("b");
  EXPECT_THAT(texts.queries().texts, ElementsAre("a", "b"));
  EXPECT_THAT(texts.documents().texts, ElementsAre("x", "y", "b"));
  EXPECT_EQ(texts.pairs().size(), 3u);
  EXPECT_TRUE(texts.answers(0, 0) && texts.answers(0, 1) && texts.answers(1, 0));
  EXPECT_TRUE(texts.answers(1, 2)) << "the query's own text";
  EXPECT_FALSE(texts.answers(1, 1));
}

TEST(Negatives, AreTheDocumentsOfTheWantedRanksNearestFirst) {
  Cosines model({0.9, 0.1, 0.5, 0.95, 0.3, 0.7});
  const NegativeOptions options{.first = 2, .last = 4, .count = 2};
  // Without the positive: d3, d5, d2, d4, d1.
  EXPECT_THAT(mined(five_documents(), &model, nullptr, options), ElementsAre(5, 2));
  EXPECT_THAT(mined(five_documents(), &model, nullptr, {.first = 2, .last = 9}),
              ElementsAre(5, 2, 4, 1));
}

TEST(Negatives, ThatATeacherFindsAlmostAsNearAsThePositiveAreLeftOut) {
  Cosines model({0.9, 0.1, 0.5, 0.95, 0.3, 0.7}), teacher({0.8, 0.1, 0.7, 0.5, 0.77, 0.3});
  EXPECT_THAT(mined(five_documents(), &model, &model, {.first = 1, .last = 9, .max_ratio = 0.6}),
              ElementsAre(2, 4, 1));
  EXPECT_THAT(mined(five_documents(), &model, &teacher, {.first = 1, .last = 9}),
              ElementsAre(3, 5, 2, 1));
}

TEST(Negatives, ComeWithTheTeachersScoresOfThePositiveAndThem) {
  Cosines model({0.9, 0.1, 0.5, 0.95, 0.3, 0.7});
  Embedder* by = &model;
  const Negatives found =
      mine_negatives(five_documents(), {&by, 1}, &model, {.first = 1, .last = 9, .count = 2});
  EXPECT_THAT(found.documents[0], ElementsAre(5, 2));
  EXPECT_THAT(found.scores[0],
              ElementsAre(testing::FloatNear(0.9f, 1e-5f), testing::FloatNear(0.7f, 1e-5f),
                          testing::FloatNear(0.5f, 1e-5f)));
  EXPECT_EQ(model.calls, 2) << "each part is embedded once";
}

TEST(Negatives, OfSeveralRankingsComeInTurn) {
  Cosines a({0, 0.9, 0.8, 0.7, 0.6, 0.5}), b({0, 0.5, 0.9, 0.7, 0.6, 0.8});
  Embedder* const both[] = {&a, &b};
  const NegativeOptions options{.first = 1, .last = 3, .count = 4};
  EXPECT_THAT(mine_negatives(five_documents(), both, nullptr, options).documents[0],
              ElementsAre(1, 2, 5, 3));
}

TEST(Negatives, AreNeverAnotherPairsAnswerNorTheQueryItself) {
  PairTexts texts;
  texts.add_pair("mail reader", "reads mail");
  texts.add_pair("mail reader", "mail in a terminal");
  texts.add_document("mail reader");
  texts.add_document("mail server");
  texts.add_document("picture viewer");
  Embedder* bm25 = nullptr;
  const Negatives found = mine_negatives(texts, {&bm25, 1}, nullptr, {.first = 1, .last = 9});
  EXPECT_THAT(found.documents, testing::Each(ElementsAre(3))) << "what shares no word isn't found";
}

TEST(Negatives, AreFilledUpWithWhatDoesNotAnswerWhereAskedTo) {
  Cosines model({0.9, 0.1, 0.5, 0.95, 0.3, 0.7});
  NegativeOptions options{.first = 1, .last = 1, .count = 3, .fill = true};
  const auto found = mined(five_documents(), &model, &model, options);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_THAT(found, testing::Each(testing::Ne(0u)));
  EXPECT_EQ(std::set(found.begin(), found.end()).size(), 3u);
  options.count = 100;
  EXPECT_EQ(mined(five_documents(), &model, &model, options).size(), 5u);
}

PairTexts many_pairs() {
  PairTexts texts;
  Random random(3);
  const auto words = [&] {
    std::string text;
    for (int i = 0; i < 4; ++i)
      text.append("w").append(std::to_string(random.below(40))).append(" ");
    return text;
  };
  for (int i = 0; i < 300; ++i) texts.add_pair(words(), words());
  return texts;
}

TEST(Negatives, AreTheSameForAnyNumberOfThreads) {
  const PairTexts texts = many_pairs();
  judge::WordEmbedder model;
  Embedder* const both[] = {nullptr, &model};
  NegativeOptions options{.first = 3, .last = 30, .count = 5, .random = true, .fill = true};
  options.control.threads = 1;
  const Negatives one = mine_negatives(texts, both, &model, options);
  options.control.threads = 3;
  const Negatives three = mine_negatives(texts, both, &model, options);
  EXPECT_EQ(one.documents, three.documents);
  EXPECT_EQ(one.scores, three.scores);
  options.seed = 2;
  EXPECT_NE(mine_negatives(texts, both, &model, options).documents, one.documents);
}

TEST(Negatives, OfManyPairsKeepWhatTheyPromise) {
  const PairTexts texts = many_pairs();
  judge::WordEmbedder model;
  Embedder* const both[] = {nullptr, &model};
  const Negatives found =
      mine_negatives(texts, both, &model, {.first = 1, .last = 40, .max_ratio = 0.8});
  std::size_t all = 0;
  for (std::size_t i = 0; i < texts.pairs().size(); ++i) {
    const auto& own = found.documents[i];
    EXPECT_EQ(std::set(own.begin(), own.end()).size(), own.size());
    EXPECT_LE(own.size(), 7u);
    for (std::size_t n = 0; n < own.size(); ++n) {
      EXPECT_FALSE(texts.answers(texts.pairs()[i].query, own[n]));
      EXPECT_LE(found.scores[i][n + 1], 0.8 * found.scores[i][0]);
    }
    all += own.size();
  }
  EXPECT_GT(all, texts.pairs().size());
}

TEST(Negatives, ThatCantBeMinedAreRefusedWithWhatWasSeen) {
  const PairTexts texts = five_documents();
  Embedder* bm25 = nullptr;
  const auto refused = [&](const NegativeOptions& options) {
    return error_of([&] { mine_negatives(texts, {&bm25, 1}, nullptr, options); });
  };
  EXPECT_THAT(refused({.first = 0}), HasSubstr("ranks 0 to 60, expected 1 or more"));
  EXPECT_THAT(refused({.first = 9, .last = 8}), HasSubstr("ranks 9 to 8"));
  EXPECT_THAT(refused({.count = 0}), HasSubstr("a count of 0"));
  EXPECT_THAT(refused({.max_ratio = 0}), HasSubstr("a ratio of 0"));
  EXPECT_THAT(error_of([&] { mine_negatives(texts, {}, nullptr, {}); }),
              HasSubstr("no ranking to mine by"));
}

}  // namespace
}  // namespace kith::mine
