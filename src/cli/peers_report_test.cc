#include "cli/peers_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace kith::cli {
namespace {

using testing::HasSubstr;

PeersPoint point(std::size_t breadth, double recall, double single, double batched = 0) {
  return {bench::breadth_setting("ef", breadth), recall, {single, single}, {batched, batched}};
}

PeersEntry entry(const std::string& peer, std::vector<PeersPoint> points) {
  PeersEntry made;
  made.variant.peer = peer;
  made.variant.name = "M=16";
  made.bytes = 5000;
  made.build_cpu_seconds = 2;
  made.points = std::move(points);
  return made;
}

PeersData ten_rows() {
  PeersData data;
  data.name = "toy";
  data.base = Matrix<float>(10, 4);
  data.queries = Matrix<float>(3, 4);
  return data;
}

nlohmann::json row(const Table& table, std::size_t number) {
  const std::string lines = table.json_lines();
  std::size_t begin = 0;
  for (std::size_t i = 0; i < number; ++i) begin = lines.find('\n', begin) + 1;
  return nlohmann::json::parse(lines.substr(begin, lines.find('\n', begin) - begin));
}

TEST(PeersReport, TakesTheFastestSettingThatReachesTheRecall) {
  const PeersEntry made =
      entry("kith", {point(10, 0.89, 900), point(20, 0.91, 500), point(30, 0.96, 600)});
  EXPECT_EQ(best_point(made, 0.90)->setting.text, "ef=30");
  EXPECT_EQ(best_point(made, 0.97), nullptr);
}

TEST(PeersReport, ComparesWithTheBestHnswlib) {
  const std::vector<PeersEntry> entries = {entry("kith", {point(10, 0.95, 900)}),
                                           entry("hnswlib", {point(10, 0.95, 300)}),
                                           entry("hnswlib", {point(10, 0.95, 450)})};
  const Table table = peers_table(ten_rows(), entries, 0.95);
  EXPECT_DOUBLE_EQ(row(table, 0)["ratio"], 2.0);
  EXPECT_DOUBLE_EQ(row(table, 2)["ratio"], 1.0);
  EXPECT_DOUBLE_EQ(row(table, 0)["bytes"], 500.0);
}

TEST(PeersReport, SaysHowFarAVariantGetsThatMissesTheRecall) {
  const std::vector<PeersEntry> entries = {
      entry("USearch", {point(10, 0.8, 900), point(500, 0.9312, 9)})};
  EXPECT_EQ(row(peers_table(ten_rows(), entries, 0.99), 0)["setting"],
            "not reached (at most 0.931)");
  EXPECT_THAT(peers_markdown(ten_rows(), entries, {0.99}), HasSubstr("not reached"));
}

TEST(PeersReport, CountsALoopOverSinglesAsTheBatchOfAPeerWithoutBatches) {
  std::vector<PeersEntry> entries = {entry("hnswlib", {point(10, 0.95, 300)}),
                                     entry("FAISS", {point(10, 0.95, 100, 800)})};
  entries[1].variant.batches = true;
  const Table table = peers_table(ten_rows(), entries, 0.95);
  EXPECT_DOUBLE_EQ(row(table, 0)["batched"], 300.0);
  EXPECT_DOUBLE_EQ(row(table, 1)["batched"], 800.0);
}

}  // namespace
}  // namespace kith::cli
