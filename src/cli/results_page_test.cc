#include "cli/results_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kith::cli {
namespace {

using testing::HasSubstr;

TEST(ResultsPage, PutsSectionsInOrderAndReplacesThemWhole) {
  std::string page = "# Results\n";
  page = put_section(page, "b", "## b\n\nold\n\n### more of b\n");
  page = put_section(page, "c", "## c\n\nc\n");
  page = put_section(page, "a", "## a\n\na\n");
  EXPECT_EQ(page, "# Results\n\n## a\n\na\n\n## b\n\nold\n\n### more of b\n\n## c\n\nc\n");
  page = put_section(page, "b", "## b\n\nnew\n");
  EXPECT_EQ(page, "# Results\n\n## a\n\na\n\n## b\n\nnew\n\n## c\n\nc\n");
  page = put_section(page, "c", "## c\n\nlast\n");
  EXPECT_EQ(page, "# Results\n\n## a\n\na\n\n## b\n\nnew\n\n## c\n\nlast\n");
}

TEST(ResultsPage, KeepsARowOfEachInOneTableInFront) {
  std::string page = "# Results\n\n## a\n";
  page = put_row(page, "b", "| [b](#b) | old |\n");
  page = put_row(page, "c", "| [c](#c) | c |\n");
  page = put_row(page, "a", "| [a](#a) | a |\n");
  page = put_row(page, "b", "| [b](#b) | new |\n");
  EXPECT_THAT(page, HasSubstr("|\n| [a](#a) | a |\n| [b](#b) | new |\n| [c](#c) | c |\n\n## a\n"));
  EXPECT_THAT(put_row("# Results\n", "a", "| [a](#a) |\n"), HasSubstr("|\n| [a](#a) |\n"));
}

TEST(ResultsPage, BeginsWithAHeadWhereThereIsNone) {
  EXPECT_THAT(read_results_page("no-such-page.md"), testing::StartsWith("# Results\n"));
}

}  // namespace
}  // namespace kith::cli
