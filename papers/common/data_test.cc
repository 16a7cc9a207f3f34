#include "papers/common/data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kith/error.h"
#include "kith/exact.h"
#include "kith/vectors.h"
#include "papers/common/test_rows.h"

namespace kith::papers {
namespace {

using testing::HasSubstr;

// A cache folder with a set of 500 rows and 40 queries.
class PapersData : public testing::Test {
 protected:
  void SetUp() override {
    cache_ = testing::TempDir() + "papers-data-" + std::to_string(::getpid());
    std::filesystem::create_directories(cache_ + "/peers-data");
    std::filesystem::create_directories(cache_ + "/apt/lists");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < 500; ++i) names.push_back("p" + std::to_string(i));
    write_vectors(cache_ + "/peers-data/debian-768.base.fbin", unit_rows(500, 8, 1), Labels(names));
    write_vectors(cache_ + "/peers-data/debian-768.query.fbin", unit_rows(40, 8, 2), Labels());
  }
  void TearDown() override { std::filesystem::remove_all(cache_); }
  Trial trial(std::uint64_t seed) const {
    return Trial(seed, false, cache_, {}, [](std::size_t, std::size_t) {});
  }

  std::string cache_;
};

TEST_F(PapersData, IsASampleWithItsLabelsAndExactNeighbours) {
  const Sample sample = load_sample("debian-768", 200, 20, trial(1));
  ASSERT_EQ(sample.base.rows(), 200u);
  ASSERT_EQ(sample.queries.rows(), 20u);
  const Matrix<float> all = unit_rows(500, 8, 1);
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t from = std::stoul(sample.labels.text(i).substr(1));
    EXPECT_TRUE(std::equal(all.row(from), all.row(from) + 8, sample.base.row(i)));
  }
  ExactOptions exact;
  exact.k = 10;
  exact.metric = Metric::cosine;
  EXPECT_EQ(recall_at(exact_search(sample.base, sample.queries, exact), sample.truth, 10), 1.0);
}

TEST_F(PapersData, NamesTheCommandThatMakesATrainingSet) {
  EXPECT_THAT(missing_data("train/debian", cache_),
              HasSubstr("data/train/debian.jsonl: not there; kith data --cache .cache train debian "
                        "makes it"));
  EXPECT_THROW(training_set("debian", trial(1)), Error);
  std::filesystem::create_directories(cache_ + "/data/train");
  std::ofstream(cache_ + "/data/train/debian.jsonl") << "{}";
  EXPECT_EQ(missing_data("train/debian", cache_), "");
  EXPECT_EQ(training_set("debian", trial(1)), cache_ + "/data/train/debian.jsonl");
}

TEST_F(PapersData, IsDrawnByTheTrialsSeed) {
  const auto first = [&](std::uint64_t seed) {
    return load_sample("debian-768", 100, 10, trial(seed)).labels.text(0) +
           load_sample("debian-768", 100, 10, trial(seed)).labels.text(50);
  };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
}

TEST(Normalise, MakesUnitVectorsAndRefusesZero) {
  Matrix<float> rows(2, 2);
  rows(0, 0) = 3;
  rows(0, 1) = -4;
  EXPECT_THROW(normalise(rows), Error);
  rows(1, 1) = 1e-20f;
  normalise(rows);
  EXPECT_FLOAT_EQ(rows(0, 0), 0.6f);
  EXPECT_FLOAT_EQ(rows(0, 1), -0.8f);
  EXPECT_FLOAT_EQ(rows(1, 1), 1);
}

TEST_F(PapersData, KnowsTheSectionsOfPackages) {
  std::ofstream(cache_ + "/apt/lists/main_Packages")
      << "Package: p1\nVersion: 1\nSection: editors\nDescription: not a\n Section: of it\n\n"
         "Package: p2\nSection: non-free/games\n";
  const auto sections = debian_sections(trial(1));
  EXPECT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections.at("p1"), "editors");
  EXPECT_EQ(sections.at("p2"), "non-free/games");
}

TEST_F(PapersData, ThatIsNotThereIsNamedWithWhatMakesIt) {
  EXPECT_EQ(missing_data("debian-768", cache_), "");
  const std::string said = missing_data("words", cache_);
  EXPECT_THAT(said, HasSubstr(cache_ + "/peers-data/words.query.fbin: not there"));
  EXPECT_THAT(said, HasSubstr("bench/data.sh build/release/kith-make-data .cache words makes it"));
  EXPECT_THROW(load_sample("words", 10, 10, trial(1)), Error);
  EXPECT_THROW(missing_data("no such set", cache_), Error);
}

}  // namespace
}  // namespace kith::papers
