#include "learn/train/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kith::learn {
namespace {

using testing::UnorderedElementsAre;

TEST(Answers, AreAllPositivesOfAQueryThatHasSeveral) {
  const std::vector<Example> examples = {{.query = "a", .positive = "x"},
                                         {.query = "b", .positive = "y"},
                                         {.query = "a", .positive = "z"},
                                         {.query = "b", .positive = "y"},
                                         {.query = "a", .positive = "x"}};
  const Answers answers(examples);
  ASSERT_NE(answers.of("a"), nullptr);
  EXPECT_THAT(*answers.of("a"), UnorderedElementsAre("x", "z"));
  EXPECT_EQ(answers.of("b"), nullptr);
  EXPECT_EQ(answers.of("c"), nullptr);
  EXPECT_EQ(Answers().of("a"), nullptr);
}

}  // namespace
}  // namespace kith::learn
