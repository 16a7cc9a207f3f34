// The verbs on indexes whose vectors are on disk.
#include <set>

#include "cli/test_tool.h"

namespace kith::cli {
namespace {

class TierVerbs : public ToolTest {
 protected:
  static constexpr std::size_t kRows = 3000, kDim = 32;

  TierVerbs() {
    make_words("words.txt", kRows, kDim, 1);
    make_vectors("queries.fvecs", 40, kDim, 2);
    build("words.txt", "x.kith", {"--index", "graph", "--codec", "lvq4", "--disk", "f16"});
  }

  void expect_output(const std::vector<std::string>& arguments, const std::string& expected) const {
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_EQ(outcome.out, expected);
  }
};

TEST_F(TierVerbs, SearchAsWhereTheVectorsAreInMemory) {
  build("words.txt", "memory.kith", {"--index", "graph", "--codec", "lvq4+f16"});
  for (const auto& what : {std::vector<std::string>{"queries.fvecs"},
                           {"--like", "w17"},
                           {"--like", "w17", "--match", "1"}}) {
    std::vector<std::string> arguments = {"search", "memory.kith", "--json"};
    arguments.insert(arguments.end(), what.begin(), what.end());
    const std::string expected = kith(arguments).out;
    EXPECT_FALSE(expected.empty());
    arguments[1] = "x.kith";
    expect_output(arguments, expected);
    arguments.insert(arguments.end(), {"--disk-reader", "threads", "--disk-cache", "1M"});
    expect_output(arguments, expected);
    arguments.push_back("--direct");
    const Outcome direct = kith(arguments);
    if (direct.exit != 0) {
      EXPECT_NE(direct.err.find("can't read directly"), std::string::npos) << direct.err;
    } else {
      EXPECT_EQ(direct.out, expected);
    }
  }
}

TEST_F(TierVerbs, InfoShowsBothFilesAndVerifiesBoth) {
  const auto info = kith({"info", "x.kith", "--json"}).objects().at(0);
  EXPECT_EQ(info.at("codec"), "lvq4+f16");
  EXPECT_EQ(info.at("disk_file"), "x.kith.disk");
  EXPECT_EQ(info.at("disk_codec"), "f16");
  const std::size_t disk = std::filesystem::file_size(path("x.kith.disk"));
  EXPECT_EQ(info.at("disk_bytes"), disk);
  EXPECT_GE(disk, kRows * (2 * kDim + 8));
  const std::string whole = read_file(path("x.kith.disk"));
  std::string flipped = whole;
  flipped[4096 + 72 * 2000 + 5] = static_cast<char>(flipped[4096 + 72 * 2000 + 5] ^ 4);
  write_file(path("x.kith.disk"), flipped);
  expect_error({"info", "x.kith"}, 1, {"x.kith.disk: vector 2000 at byte 148096", "checksum"});
  expect_error({"search", "x.kith", "--like", "w2000"}, 1, {"x.kith.disk: vector 2000"});
  EXPECT_EQ(kith({"search", "x.kith", "--like", "w1", "-k", "1"}).exit, 0);
  write_file(path("x.kith.disk"), whole.substr(0, whole.size() / 2));
  expect_error({"search", "x.kith", "--like", "w1"}, 1, {"x.kith.disk: truncated"});
  std::filesystem::remove(path("x.kith.disk"));
  expect_error({"search", "x.kith", "--like", "w1"}, 1, {"x.kith.disk", "has vanished"});
  write_file(path("elsewhere"), whole);
  EXPECT_EQ(kith({"search", "x.kith", "--like", "w1", "--disk-file", "elsewhere"}).exit, 0);
}

TEST_F(TierVerbs, PutTheVectorsWhereTheyAreTold) {
  std::filesystem::create_directory(path("big"));
  build("words.txt", "y.kith",
        {"--codec", "pq8", "--disk", "lvq8", "--disk-file", "big/y.vectors"});
  EXPECT_FALSE(std::filesystem::exists(path("y.kith.disk")));
  EXPECT_TRUE(std::filesystem::exists(path("big/y.vectors")));
  const Outcome outcome = kith({"search", "y.kith", "--like", "w5", "--json"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().size(), 10u);
}

TEST_F(TierVerbs, EvalCountsWhatAQueryReadsAndTuneStoresABeam) {
  ASSERT_EQ(kith({"exact", "words.txt", "queries.fvecs", "-k", "10", "-o", "truth.ibin"}).exit, 0);
  const Outcome outcome = kith({"eval", "x.kith", "queries.fvecs", "truth.ibin", "--beams", "20,80",
                                "--seconds", "0.01", "--rounds", "1", "--threads", "1", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  for (const auto& row : outcome.objects()) {
    EXPECT_GT(row.at("read_bytes").get<double>(), 0);
    EXPECT_GT(row.at("recall").get<double>(), 0.5);
  }
  const Outcome tuned = kith(
      {"tune", "x.kith", "queries.fvecs", "truth.ibin", "--recall", "0.9", "-o", "tuned.kith"});
  ASSERT_EQ(tuned.exit, 0) << tuned.err;
  EXPECT_EQ(kith({"info", "tuned.kith", "--json"}).objects().at(0).at("tuned_recall"), 0.9);
}

TEST_F(TierVerbs, RemoveHidesAndAddAndMergeSayWhatToDoInstead) {
  ASSERT_EQ(kith({"remove", "x.kith", "--label", "w17"}).exit, 0);
  expect_error({"search", "x.kith", "--like", "w17"}, 1, {"w17"});
  expect_error({"add", "x.kith", "words.txt"}, 1, {"add: ", "on disk", "build an index of all"});
  build("words.txt", "z.kith");
  expect_error({"merge", "z.kith", "x.kith", "-o", "all.kith"}, 1, {"merge: ", "on disk"});
}

TEST_F(TierVerbs, RefuseOptionsThatMakeNoSense) {
  expect_error({"build", "words.txt", "-o", "y.kith", "--disk-file", "a"}, 2, {"--disk"});
  expect_error({"build", "words.txt", "-o", "y.kith", "--disk", "f16", "--disk-file", "y.kith"}, 2,
               {"is the index itself"});
  expect_error({"build", "words.txt", "-o", "y.kith", "--disk", "f16", "--disk-file", "words.txt"},
               2, {"overwrite"});
  expect_error({"build", "words.txt", "-o", "y.kith", "--disk", "f99"}, 2, {"f99"});
  expect_error({"build", "words.txt", "-o", "y.kith", "--disk", "rabitq1"}, 2, {"records"});
  expect_error({"search", "x.kith", "--like", "w1", "--disk-cache", "64X"}, 2,
               {"--disk-cache: '64X'", "64M"});
  expect_error({"search", "x.kith", "--like", "w1", "--disk-reader", "mmap"}, 2,
               {"disk reader 'mmap'"});
}

TEST_F(TierVerbs, PlanForecastsBothTiers) {
  const auto plan =
      kith({"plan", "words.txt", "--index", "graph", "--codec", "lvq4", "--disk", "f16", "--json"})
          .objects()
          .at(0);
  const double disk = static_cast<double>(std::filesystem::file_size(path("x.kith.disk")));
  EXPECT_NEAR(plan.at("disk_bytes").get<double>(), disk, 0.05 * disk);
}

}  // namespace
}  // namespace kith::cli
