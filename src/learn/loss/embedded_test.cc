#include "learn/loss/embedded.h"

#include <gtest/gtest.h>

#include "base/test_error.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

Embedded batch() {
  return {random_tensor({2, 4}, 1), random_tensor({2, 4}, 2), random_tensor({2, 3, 4}, 3)};
}

TEST(Embedded, ListsQueriesThenPositivesThenNegatives) {
  const Embedded all = batch();
  const Tensor texts = all_texts(all);
  EXPECT_EQ(texts.sizes(), (std::vector<std::int64_t>{10, 4}));
  EXPECT_TRUE(texts[1].equal(all.queries[1]));
  EXPECT_TRUE(texts[2].equal(all.positives[0]));
  EXPECT_TRUE(texts[8].equal(all.negatives[1][1]));
  EXPECT_EQ(all_texts({all.queries, all.positives, {}}).size(0), 4);
  EXPECT_EQ(all_texts({all.queries, all.positives, torch::empty({2, 0, 4})}).size(0), 4);
}

TEST(Embedded, IsCutFirstAndNormalisedAfter) {
  const Embedded cut = truncated(batch(), 3, true);
  EXPECT_EQ(cut.dim(), 3);
  for (const Row& row : rows_of(all_texts(cut))) EXPECT_NEAR(plain_dot(row, row), 1, 1e-12);
  EXPECT_TRUE(truncated(batch(), 3, false).negatives.equal(batch().negatives.narrow(2, 0, 3)));
  EXPECT_FALSE(truncated({batch().queries, batch().positives, {}}, 3, true).negatives.defined());
}

TEST(Embedded, RefusesWidthsThatItDoesNotHave) {
  EXPECT_EQ(error_of([] { expect_width("a loss", 4, 4); }), "");
  EXPECT_EQ(error_of([] { expect_width("a loss", 5, 4); }), "a loss: width 5, expected 1 to 4");
  EXPECT_EQ(error_of([] { expect_width("a loss", 0, 4); }), "a loss: width 0, expected 1 to 4");
}

}  // namespace
}  // namespace kith::learn
