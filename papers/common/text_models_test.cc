#include "papers/common/text_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace kith::papers {
namespace {

const std::vector<std::string> kTexts = {"the red car", "the blue car", "the old house",
                                         "The RED."};

TextPart part() {
  TextPart all;
  all.name = "texts";
  all.texts = kTexts;
  return all;
}

Matrix<float> embed(Embedder& model, std::size_t threads = 1) {
  const std::vector<std::uint32_t> all = {0, 1, 2, 3};
  Control control;
  control.threads = threads;
  return model.embed(part(), all, control);
}

double cosine(const Matrix<float>& rows, std::size_t a, std::size_t b) {
  double dot = 0, of_a = 0, of_b = 0;
  for (std::size_t j = 0; j < rows.cols(); ++j) {
    dot += double{rows(a, j)} * rows(b, j);
    of_a += double{rows(a, j)} * rows(a, j);
    of_b += double{rows(b, j)} * rows(b, j);
  }
  return dot / std::sqrt(of_a * of_b);
}

TEST(TextModels, FeaturesAreWordsOrRunsOfLetters) {
  EXPECT_EQ(features("One, two one", {}).size(), 3u);
  EXPECT_EQ(features("One, two one", {})[0], features("ONE", {})[0]);
  EXPECT_EQ(features("abcd", {3}).size(), 2u);
  EXPECT_EQ(features("abcd", {3})[1], features("BCD", {3})[0]);
  EXPECT_TRUE(features("ab", {3}).empty());
  EXPECT_TRUE(features("., !", {}).empty());
}

TEST(TextModels, RareFeaturesWeighMore) {
  const FeatureWeights weights(kTexts, {}, {});
  EXPECT_FLOAT_EQ(weights(features("the", {})[0]), 0);
  EXPECT_LT(weights(features("red", {})[0]), weights(features("house", {})[0]));
}

TEST(TextModels, TextsThatShareWordsAreNear) {
  const FeatureWeights weights(kTexts, {}, {});
  HashedTexts model("words", {}, 256, &weights, 1);
  const Matrix<float> rows = embed(model);
  EXPECT_GT(cosine(rows, 0, 3), cosine(rows, 1, 3));
  EXPECT_NEAR(cosine(rows, 2, 3), 0, 1e-6);
  const Matrix<float> again = embed(model, 3);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    EXPECT_TRUE(std::equal(rows.row(i), rows.row(i) + rows.cols(), again.row(i)));
  }
}

TEST(TextModels, MeansAreOfKnownWords) {
  Matrix<float> vectors(2, 3);
  vectors(0, 0) = 1;
  vectors(1, 1) = 2;
  vectors(1, 2) = 5;
  const WordVectors words(std::move(vectors), Labels(std::vector<std::string>{"red", "car"}));
  MeanOfWords model("mean", words, 2, nullptr);
  const Matrix<float> rows = embed(model);
  ASSERT_EQ(rows.cols(), 2u);
  EXPECT_EQ(rows(0, 0), 0.5);
  EXPECT_EQ(rows(0, 1), 1);
  EXPECT_EQ(rows(2, 0), 0);
}

}  // namespace
}  // namespace kith::papers
