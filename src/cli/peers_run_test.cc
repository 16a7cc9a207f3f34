#include "cli/peers_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/test_rows.h"
#include "kith/error.h"
#include "kith/exact.h"

namespace kith::cli {
namespace {

// A peer that scans as many rows as its breadth: recall rises with it, and is known exactly.
class Scan : public bench::PeerIndex {
 public:
  explicit Scan(MatrixView<const float> base) : base_(base) {}
  std::size_t bytes() const override { return base_.rows() * base_.stride_bytes(); }
  void prepare(const bench::Setting& setting) override { breadth_ = setting.breadth; }
  void search(MatrixView<const float> queries, std::size_t, MatrixView<Id> ids) const override {
    ExactOptions exact;
    exact.k = ids.cols();
    exact.metric = Metric::cosine;
    exact.control.threads = 1;
    const Neighbours found =
        exact_search(base_.slice(0, std::min(breadth_, base_.rows())), queries, exact);
    for (std::size_t i = 0; i < ids.rows(); ++i) {
      std::copy_n(found.ids.row(i), ids.cols(), ids.row(i));
    }
  }
  void save(const std::string& path) const override { std::ofstream(path) << "scan\n"; }

 private:
  MatrixView<const float> base_;
  std::size_t breadth_ = 0;
};

int builds = 0;

std::vector<bench::Variant> scan_variants(const bench::Shape&) {
  bench::Variant variant;
  variant.peer = "scan";
  variant.name = "rows";
  variant.details = "rows";
  variant.breadth_word = "rows";
  variant.settings = bench::breadth_settings("rows", {50, 100, 200, 400});
  variant.build = [](MatrixView<const float> base, std::size_t) {
    ++builds;
    return std::make_unique<Scan>(base);
  };
  variant.load = [](const std::string&, MatrixView<const float> base) {
    return std::make_unique<Scan>(base);
  };
  return {variant};
}

class PeersRun : public testing::Test {
 protected:
  void SetUp() override {
    builds = 0;
    folder_ = testing::TempDir() + "peers-run-" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    data_.name = "toy";
    data_.base = normal_rows(400, 8, 1);
    data_.queries = normal_rows(50, 8, 2);
    ExactOptions exact;
    exact.k = 20;
    exact.metric = Metric::cosine;
    data_.truth = exact_search(data_.base, data_.queries, exact);
    options_.rounds = 1;
    options_.cache = folder_;
    options_.targets = {0.9};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  PeersData data_;
  PeersRunOptions options_;
  bench::PeersModule module_{scan_variants, nullptr};
};

TEST_F(PeersRun, NarrowsDownTheBreadthThatReachesATarget) {
  const std::vector<PeersEntry> entries = run_peers(module_, data_, options_);
  ASSERT_EQ(entries.size(), 1u);
  const PeersPoint* best = best_point(entries[0], 0.9);
  ASSERT_NE(best, nullptr);
  // Nine of ten neighbours lie in nine of ten rows, so the breadth is near 360; the grid has none
  // between 200 and 400.
  std::size_t narrowest = 400;
  for (const PeersPoint& p : entries[0].points) {
    if (p.recall >= 0.9) narrowest = std::min(narrowest, p.setting.breadth);
    EXPECT_GT(p.single.cpu, 0);
    EXPECT_NEAR(p.recall, static_cast<double>(p.setting.breadth) / 400, 0.12);
  }
  EXPECT_LT(narrowest, 400u);
  EXPECT_GT(narrowest, 300u);
}

TEST_F(PeersRun, BuildsOnceUnlessAskedForAFreshIndex) {
  const double seconds = run_peers(module_, data_, options_)[0].build_cpu_seconds;
  const std::vector<PeersEntry> again = run_peers(module_, data_, options_);
  EXPECT_EQ(builds, 1);
  EXPECT_TRUE(again[0].from_cache);
  EXPECT_DOUBLE_EQ(again[0].build_cpu_seconds, seconds);
  options_.fresh = true;
  run_peers(module_, data_, options_);
  EXPECT_EQ(builds, 2);
}

TEST_F(PeersRun, RefusesNamesThatNoVariantHas) {
  options_.only = "annoy";
  EXPECT_THROW(run_peers(module_, data_, options_), Error);
}

}  // namespace
}  // namespace kith::cli
