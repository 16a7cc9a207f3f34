#include "cli/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/format.h"
#include "cli/progress_bar.h"

namespace kith::cli {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRight) {
  Table table({"word", "cosine"});
  table.add({"paris", Cell(0.91234, "0.912")});
  table.add({"a", Cell(-10.5, "-10.500")});
  EXPECT_EQ(table.text(),
            "word    cosine\n"
            "paris    0.912\n"
            "a      -10.500\n");
}

TEST(Table, MeasuresWideAndCombiningCharacters) {
  Table table({"word", "n"});
  table.add({"東京", 1});
  table.add({"e\u0301te\u0301", 2});
  EXPECT_EQ(table.text(),
            "word  n\n"
            "東京  1\n"
            "e\u0301te\u0301   2\n");
}

TEST(Table, GivesOneJsonObjectALineInColumnOrder) {
  Table table({{"qps_cpu", "queries/s"}, {"beam", "beam"}});
  table.add({Cell(0.5, "1"), 64});
  table.add({Cell(std::nan(""), "-"), Cell()});
  EXPECT_EQ(table.json_lines(),
            "{\"qps_cpu\":0.5,\"beam\":64}\n"
            "{\"qps_cpu\":null,\"beam\":null}\n");
}

TEST(Table, KeepsJsonValidForLabelsThatAreNotUtf8) {
  Table table({"label"});
  table.add({"\xff\xfe\n"});
  EXPECT_NO_THROW(nlohmann::json::parse(table.json_lines()));
}

TEST(Table, NeverSendsControlCharactersOfALabelToTheTerminal) {
  Table table({"label"});
  table.add({"\x1b[31mred\r\n"});
  EXPECT_EQ(table.text(), "label\n?[31mred??\n");
}

TEST(Record, LinesUpValuesAndKeepsKeysApartFromTitles) {
  Record record;
  record.add("dim", 100);
  record.add("build_seconds", "build time", Cell(1.5, "1.50 s"));
  EXPECT_EQ(record.text(), "dim         100\nbuild time  1.50 s\n");
  EXPECT_EQ(record.json_line(), "{\"dim\":100,\"build_seconds\":1.5}\n");
}

TEST(Format, GroupsCounts) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(18446744073709551615u), "18,446,744,073,709,551,615");
}

TEST(Format, ChoosesByteUnitsWithThreeDigits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.50 KiB");
  EXPECT_EQ(bytes_text(1048575), "1.00 MiB");
  EXPECT_EQ(bytes_text(5e9), "4.66 GiB");
}

TEST(Format, ChoosesTimeUnits) {
  EXPECT_EQ(seconds_text(12.34e-6), "12.3 µs");
  EXPECT_EQ(seconds_text(0.0123), "12.3 ms");
  EXPECT_EQ(seconds_text(0.9999), "1.00 s");
  EXPECT_EQ(seconds_text(125), "2 min 5 s");
  EXPECT_EQ(seconds_text(7290), "2 h 2 min");
}

TEST(Format, RoundsRatesToThreeDigits) {
  EXPECT_EQ(rate_text(12345.6), "12,300");
  EXPECT_EQ(rate_text(999.6), "1,000");
  EXPECT_EQ(rate_text(3.14159), "3.14");
  EXPECT_EQ(rate_text(0), "0");
}

TEST(Format, KeepsSignificantDigits) {
  EXPECT_EQ(significant_text(0.0123456, 3), "0.0123");
  EXPECT_EQ(significant_text(9.996, 3), "10.0");
  EXPECT_EQ(significant_text(-1234.5, 6), "-1234.50");
  EXPECT_EQ(significant_text(0, 3), "0");
}

TEST(Progress, ShowsOnlyStagesLongerThanTwoSeconds) {
  EXPECT_FALSE(worth_showing(50, 100, 0.5));  // will take one second
  EXPECT_TRUE(worth_showing(10, 100, 0.5));   // will take five
  EXPECT_FALSE(worth_showing(1, 100, 0.1));   // too early to tell
  EXPECT_TRUE(worth_showing(0, 100, 2.5));
  EXPECT_FALSE(worth_showing(100, 100, 9));  // done
}

TEST(Progress, TellsTheTimeLeftAndFitsTheTerminal) {
  const std::string line = progress_line("building the graph", 25, 100, 3, 80);
  EXPECT_NE(line.find("25 %, 9.00 s left"), std::string::npos) << line;
  EXPECT_LT(progress_line("building the graph", 25, 100, 3, 10).size(), 10u);
}

}  // namespace
}  // namespace kith::cli
