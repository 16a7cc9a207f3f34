#include "kith/labels.h"

#include <gtest/gtest.h>

#include "kith/error.h"

namespace kith {
namespace {

TEST(Labels, WithoutLabelsARowIsItsNumber) {
  const Labels labels;
  EXPECT_EQ(labels.text(7), "7");
  EXPECT_EQ(labels.find("7", 10), std::optional<std::size_t>(7));
  EXPECT_EQ(labels.find("10", 10), std::nullopt);
  EXPECT_EQ(labels.find("seven", 10), std::nullopt);
}

TEST(Labels, FindsStringsAndNumbers) {
  const Labels words(std::vector<std::string>{"paris", "", "rome"});
  EXPECT_EQ(words.find("rome", 3), std::optional<std::size_t>(2));
  EXPECT_EQ(words.find("", 3), std::optional<std::size_t>(1));
  EXPECT_EQ(words.find("oslo", 3), std::nullopt);
  const Labels numbers(std::vector<std::uint64_t>{5, ~std::uint64_t{0}});
  EXPECT_EQ(numbers.find("18446744073709551615", 2), std::optional<std::size_t>(1));
  EXPECT_EQ(numbers.find("0", 2), std::nullopt);
}

TEST(Labels, SelectKeepsTheOrderAskedFor) {
  const Labels words(std::vector<std::string>{"a", "bb", "ccc"});
  const std::uint32_t rows[] = {2, 0};
  const Labels chosen = words.select(rows);
  EXPECT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen.text(0), "ccc");
  EXPECT_EQ(chosen.text(1), "a");
}

TEST(Labels, RowsWithoutLabelsBesideLabelledOnesGetTheirNumbers) {
  using Rows = std::vector<std::uint32_t>;
  const Labels words(std::vector<std::string>{"a"});
  EXPECT_EQ(words.with(1, Rows{1, 2}, Labels()).text(2), "2");
  EXPECT_EQ(Labels().with(2, Rows{2}, words).text(2), "a");
  EXPECT_EQ(Labels().with(2, Rows{2}, words).text(1), "1");
  EXPECT_EQ(Labels().with(2, Rows{2, 3}, Labels()).kind(), Labels::Kind::none);
  const Labels numbers(std::vector<std::uint64_t>{9});
  EXPECT_EQ(numbers.with(1, Rows{1}, Labels()).number(1), 1u);
}

TEST(Labels, OfAReplacedRowTheNewOneHolds) {
  const std::vector<std::uint32_t> rows{3, 0};
  const Labels before(std::vector<std::string>{"a", "b", "c"});
  const Labels after = before.with(3, rows, Labels(std::vector<std::string>{"d", "e"}));
  ASSERT_EQ(after.size(), 4u);
  EXPECT_EQ(after.text(0), "e");
  EXPECT_EQ(after.text(1), "b");
  EXPECT_EQ(after.text(3), "d");
  EXPECT_EQ(before.with(3, rows, Labels(std::vector<std::uint64_t>{7, 8})).text(0), "8");
  EXPECT_EQ(before.find("b", 3, 1), std::optional<std::size_t>(1));
  EXPECT_EQ(before.find("b", 3, 2), std::nullopt);
}

TEST(Labels, RefusesOffsetsThatDoNotFitTheText) {
  const std::uint64_t descending[] = {0, 3, 2, 3};
  const std::uint64_t short_of[] = {0, 2};
  EXPECT_THROW(Labels::strings_view(descending, "abc", nullptr), Error);
  EXPECT_THROW(Labels::strings_view(short_of, "abc", nullptr), Error);
  EXPECT_THROW(Labels::strings_view({}, "", nullptr), Error);
}

}  // namespace
}  // namespace kith
