#include "papers/common/explicit_semantics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kith::papers {
namespace {

const std::vector<std::string> kTexts = {"chess chess game", "mail game"};

double weight_in(const WeighedWords& words, const WeighedWords& one) {
  for (const auto& [word, weight] : words) {
    if (word == one[0].first) return weight;
  }
  return -1;
}

TEST(WordWeights, AreThoseByHand) {
  const WordWeights weigh(kTexts);
  const WeighedWords words = weigh(kTexts[0]);
  ASSERT_EQ(words.size(), 2u);
  EXPECT_NEAR(weight_in(words, weigh("Chess")), (1 + std::log(2.0)) * std::log(2.0), 1e-12);
  EXPECT_NEAR(weight_in(words, weigh("game")), 0, 1e-12);  // in both
  EXPECT_NEAR(weigh("unknown")[0].second, std::log(2.0), 1e-12);
  EXPECT_NEAR(cosine(words, weigh("a chess")), 1 / std::sqrt(2), 1e-12);
  EXPECT_EQ(cosine(words, weigh("game")), 0);
}

// Of two concepts; the words of each but "game" have length 1 together.
TEST(ExplicitSemantics, HasTheComponentsByHand) {
  const WordWeights weigh(kTexts);
  const ExplicitSemantics semantics(kTexts);
  const std::vector<float> vector = semantics.vector(weigh("chess mail mail game unknown"));
  ASSERT_EQ(vector.size(), 2u);
  EXPECT_NEAR(vector[0], std::log(2.0), 1e-6);
  EXPECT_NEAR(vector[1], (1 + std::log(2.0)) * std::log(2.0), 1e-6);
}

}  // namespace
}  // namespace kith::papers
