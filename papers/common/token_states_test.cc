#include "papers/common/token_states.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace kith::papers {
namespace {

Matrix<float> rows(const std::vector<std::vector<float>>& values) {
  Matrix<float> matrix(values.size(), values.front().size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values[i].size(); ++j) matrix(i, j) = values[i][j];
  }
  return matrix;
}

TEST(TokenStates, CosinesApartAreMeansOverAllPlaces) {
  std::vector<Matrix<float>> states;
  states.push_back(rows({{1, 0}, {0, 1}, {0, 2}}));
  states.push_back(rows({{1, 1}}));
  EXPECT_NEAR(cosine_apart(states, 1), 0.5, 1e-9);
  EXPECT_NEAR(cosine_apart(states, 2), 0, 1e-9);
  EXPECT_EQ(cosine_apart(states, 9), 0);
}

TEST(TokenStates, ACommonDirectionFakesLikenessUntilTheMeanIsRemoved) {
  Random random(1);
  std::vector<Matrix<float>> states;
  for (int text = 0; text < 20; ++text) {
    Matrix<float>& own = states.emplace_back(30, 8);
    for (std::size_t i = 0; i < 30; ++i) {
      for (std::size_t j = 0; j < 8; ++j) {
        own(i, j) = static_cast<float>(random.normal() + (j == 0 ? 20 : 0));
      }
    }
  }
  EXPECT_GT(cosine_apart(states, 1), 0.9);
  const std::vector<double> mean = mean_state(states);
  EXPECT_NEAR(mean[0], 20, 0.2);
  subtract(mean, states);
  EXPECT_NEAR(cosine_apart(states, 1), 0, 0.05);
}

TEST(TokenStates, TheBoundaryIsWhereMeansOfBothSidesDifferMost) {
  Random random(2);
  for (const std::size_t truth : {8, 13, 22}) {
    Matrix<float> states(30, 4);
    for (std::size_t i = 0; i < 30; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        states(i, j) = static_cast<float>(0.1 * random.normal() + (j == (i < truth ? 0u : 1u)));
      }
    }
    EXPECT_EQ(likeliest_boundary(states, 6), truth);
  }
}

}  // namespace
}  // namespace kith::papers
