// What is trained on: reading, hard negatives and pairs of packages.
#include "papers/common/training_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/read_file.h"
#include "base/test_path.h"
#include "datasets/held_out.h"
#include "kith/error.h"
#include "papers/common/debian_packages.h"
#include "papers/common/hard_negatives.h"

namespace kith::papers {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::Not;

class PapersTraining : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(cache_ + "/data/train"); }
  void TearDown() override { std::filesystem::remove_all(cache_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(cache_ + "/" + name) << text;
  }

  const std::string cache_ = test_path("cache");
  const Trial trial_{1, false, cache_, {}, [](std::size_t, std::size_t) {}};
};

TEST_F(PapersTraining, ReadsTheLinesOfOneSource) {
  write("data/train/toys.jsonl",
        "{\"query\": \"a\", \"positive\": \"b\", \"source\": \"wood\", \"group\": \"g\", "
        "\"negatives\": [\"c\"]}\n"
        "{\"query\": \"d\", \"positive\": \"e\", \"source\": \"iron\"}\n");
  const auto pairs = read_pairs("toys", "wood", trial_);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].query + pairs[0].positive + pairs[0].group, "abg");
  EXPECT_THAT(pairs[0].negatives, ElementsAre("c"));
  EXPECT_TRUE(trained_texts("toys", trial_).contains(datasets::fingerprint("e")));
  EXPECT_FALSE(trained_texts("toys", trial_).contains(datasets::fingerprint("c")));
  EXPECT_THROW(read_pairs("none", "wood", trial_), Error);
}

TEST_F(PapersTraining, WritesWhatRecipesRead) {
  write_pairs(cache_ + "/new/pairs.jsonl", {{"q", "p", "g", {"n"}}});
  EXPECT_EQ(read_file(cache_ + "/new/pairs.jsonl"),
            "{\"negatives\":[\"n\"],\"positive\":\"p\",\"query\":\"q\"}\n");
  TrainingPair thoughtful{"q", "p"};
  thoughtful.thought = "t";
  write_pairs(cache_ + "/new/thoughts.jsonl", {thoughtful});
  EXPECT_THAT(read_file(cache_ + "/new/thoughts.jsonl"), HasSubstr("\"thought\":\"t\""));
  write_training_texts(cache_ + "/new/texts.jsonl", {"t"});
  EXPECT_EQ(read_file(cache_ + "/new/texts.jsonl"), "{\"text\":\"t\"}\n");
}

TEST_F(PapersTraining, HardNegativesAreOfLowRanksAndOtherGroups) {
  std::vector<TrainingPair> pairs;
  for (int i = 0; i < 12; ++i) {
    std::string text = "common";
    for (int word = 0; word < 12 - i; ++word) text += " apple" + std::to_string(word);
    pairs.push_back({"common apple0 apple1 apple2", text, i < 6 ? "same" : std::to_string(i)});
  }
  add_hard_negatives(pairs, {.first = 1, .last = 12, .each = 3}, trial_);
  for (int i = 0; i < 12; ++i) {
    const TrainingPair& pair = pairs[static_cast<std::size_t>(i)];
    EXPECT_EQ(pair.negatives.size(), 3u);
    EXPECT_THAT(pair.negatives, Not(Contains(pair.positive)));
    if (i >= 6) continue;
    for (int other = 0; other < 6; ++other) {
      EXPECT_THAT(pair.negatives, Not(Contains(pairs[static_cast<std::size_t>(other)].positive)));
    }
  }
}

TEST_F(PapersTraining, HardNegativesStandBelowTheFirstRanks) {
  std::vector<TrainingPair> pairs;
  for (int i = 0; i < 5; ++i) {
    // The shorter a text, the better it matches.
    pairs.push_back({"apple", "apple" + std::string(static_cast<std::size_t>(i) * 2, ' '), ""});
    for (int word = 0; word < 5 * i; ++word) {
      pairs.back().positive += " w" + std::to_string(i) + "x" + std::to_string(word);
    }
  }
  const std::string first = pairs[0].positive, second = pairs[1].positive;
  add_hard_negatives(pairs, {.first = 3, .last = 5, .each = 5}, trial_);
  EXPECT_THAT(pairs[4].negatives, Not(Contains(first)));
  EXPECT_THAT(pairs[4].negatives, Not(Contains(second)));
  EXPECT_EQ(pairs[4].negatives.size(), 2u);
}

TEST(PackagePairs, ShareOfTagsIsOfThoseThatEitherHas) {
  DebianPackage a, b;
  a.tags = {"game", "role", "x11"};
  b.tags = {"game", "role", "uitoolkit"};
  EXPECT_DOUBLE_EQ(shared_tags(a, b), 2.0 / 4);
  EXPECT_DOUBLE_EQ(shared_tags(a, a), 1);
  EXPECT_DOUBLE_EQ(shared_tags({}, {}), 0);
}

TEST(PackagePairs, AreOfDifferentSourcesAndOfAllGrades) {
  std::vector<DebianPackage> packages(60);
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < 60; ++i) {
    packages[i].source = "s" + std::to_string(i / 2);
    packages[i].section = i % 3 == 0 ? "games" : "net";
    for (std::uint32_t tag = 0; tag < 4 + i % 5; ++tag) {
      packages[i].tags.push_back("t" + std::to_string(tag + i % 4));
    }
    all.push_back(i);
  }
  const auto pairs = draw_pairs(packages, all, 100, 1);
  ASSERT_GT(pairs.size(), 30u);
  std::size_t alike = 0;
  for (const PackagePair& pair : pairs) {
    EXPECT_NE(packages[pair.first].source, packages[pair.second].source);
    EXPECT_EQ(pair.score, shared_tags(packages[pair.first], packages[pair.second]));
    alike += pair.score >= 0.9 ? 1 : 0;
  }
  EXPECT_LE(alike, 10u);
  EXPECT_GT(alike, 0u);
}

}  // namespace
}  // namespace kith::papers
