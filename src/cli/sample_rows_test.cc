#include "cli/sample_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace kith::cli {
namespace {

TEST(SampleRows, PutEveryRowOnOneSideAndRepeatForTheSameSeed) {
  const SampledRows split = sample_rows(1000, 100, 7);
  EXPECT_EQ(split.sample.size(), 100u);
  std::vector<std::uint32_t> all = split.sample;
  all.insert(all.end(), split.rest.begin(), split.rest.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 1000u);
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i], i);

  EXPECT_EQ(sample_rows(1000, 100, 7).sample, split.sample);
  EXPECT_NE(sample_rows(1000, 100, 8).sample, split.sample);
}

TEST(SampleRows, SelectedRowsKeepTheirValuesAndLabels) {
  Matrix<std::int8_t> rows(3, 2);
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    rows(i, 0) = static_cast<std::int8_t>(10 * i);
    rows(i, 1) = static_cast<std::int8_t>(-i);
    names.push_back("row " + std::to_string(i));
  }
  Vectors from;
  from.rows = rows;
  from.labels = Labels(names);
  const std::vector<std::uint32_t> wanted = {2, 0};
  const Vectors picked = select_rows(from, wanted);
  ASSERT_EQ(picked.rows.type(), ElementType::i8);
  ASSERT_EQ(picked.rows.rows(), 2u);
  const auto* first = static_cast<const std::int8_t*>(picked.rows.row(0));
  EXPECT_EQ(first[0], 20);
  EXPECT_EQ(first[1], -2);
  EXPECT_EQ(picked.labels.text(0), "row 2");
  EXPECT_EQ(picked.labels.text(1), "row 0");
}

}  // namespace
}  // namespace kith::cli
