#include "learn/loss/similarity.h"

#include <gtest/gtest.h>

#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

TEST(Similarity, OfZeroVectorsIsZeroAndAsksForNothing) {
  Tensor x = torch::zeros({1, 4}, torch::kDouble).requires_grad_();
  const Tensor y = random_tensor({1, 4}, 1);
  const Tensor cosine = similarity(x, y, Similarity::cosine).sum();
  EXPECT_EQ(value(cosine), 0);
  cosine.backward();
  EXPECT_EQ(value(x.grad().abs().max()), 0);
}

TEST(Similarity, IsExactForTinyVectors) {
  const Tensor x = random_tensor({1, 4}, 1), y = random_tensor({1, 4}, 2);
  for (const Similarity kind : {Similarity::cosine, Similarity::dot}) {
    const double factor = kind == Similarity::cosine ? 1e-40 : 1;
    EXPECT_NEAR(value(similarity(x * factor, y, kind).sum()), value(similarity(x, y, kind).sum()),
                1e-12);
    EXPECT_NEAR(value(similarities(x, y, kind).sum()), value(similarity(x, y, kind).sum()), 1e-12);
  }
}

}  // namespace
}  // namespace kith::learn
