// What adding and removing promise, whatever the index, and while searches run.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/id_set.h"
#include "base/random.h"
#include "base/test_path.h"
#include "formats/kith_file.h"
#include "index/test_data.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

constexpr std::size_t kDim = 20;

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Index build(const char* kind, const Matrix<float>& rows, const Labels& labels = Labels()) {
  BuildOptions options;
  options.index = kind;
  const std::string name = kind;
  const bool lists = name == "lists";  // of stored codes
  if (lists) options.index = "ivf";
  options.codec = name == "flat" ? "f32" : name == "ivf" ? "pq10+rot-lvq4x8" : "rot-lvq4x8";
  return Index::build(rows, labels, options);
}

std::vector<Id> range_of(Id begin, Id end) {
  std::vector<Id> ids(end - begin);
  std::iota(ids.begin(), ids.end(), begin);
  return ids;
}

// What an index should hold, beside it: the vector of every id.
class Mirror {
 public:
  explicit Mirror(const Matrix<float>& rows) {
    put(range_of(0, static_cast<Id>(rows.rows())), rows);
  }

  void put(const std::vector<Id>& ids, const Matrix<float>& rows) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= vectors_.size()) vectors_.resize(ids[i] + 1);
      vectors_[ids[i]].assign(rows.row(i), rows.row(i) + kDim);
    }
  }
  void drop(const std::vector<Id>& ids) {
    for (const Id id : ids) vectors_[id].clear();
  }
  std::vector<Id> ids() const {
    std::vector<Id> ids;
    for (Id id = 0; id < vectors_.size(); ++id) {
      if (!vectors_[id].empty()) ids.push_back(id);
    }
    return ids;
  }
  Matrix<float> rows() const {
    const std::vector<Id> present = ids();
    Matrix<float> rows(present.size(), kDim);
    for (std::size_t i = 0; i < present.size(); ++i) {
      std::copy_n(vectors_[present[i]].begin(), kDim, rows.row(i));
    }
    return rows;
  }
  double recall(const Index& index, const Matrix<float>& queries, std::size_t beam) const {
    const std::vector<Id> present = ids();
    ExactOptions exact;
    exact.k = 20;
    Neighbours truth = exact_search(rows(), queries, exact);
    for (std::size_t q = 0; q < truth.queries(); ++q) {
      for (std::size_t i = 0; i < truth.k(); ++i) truth.ids(q, i) = present[truth.ids(q, i)];
    }
    SearchOptions options;
    options.beam = beam;
    return recall_at(index.search(queries, 10, options), truth, 10);
  }

 private:
  std::vector<std::vector<float>> vectors_;
};

class Change : public testing::TestWithParam<const char*> {};

TEST_P(Change, NoSearchReturnsARemovedId) {
  const Matrix<float> base = clustered(3000, kDim, 1);
  Index index = build(GetParam(), base);
  for (const std::size_t count : {100, 900}) {  // below and above what has a graph repaired
    const Id first = static_cast<Id>(count);
    index.remove(range_of(first, first + static_cast<Id>(count)));
    const Neighbours self = index.search(base.view().slice(first, count), 5);
    for (std::size_t q = 0; q < count; ++q) {
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_TRUE(self.ids(q, i) < first || self.ids(q, i) >= first + count);
      }
    }
  }
  EXPECT_EQ(index.size(), 2000u);
  EXPECT_EQ(index.info().vectors, 2000u);
  EXPECT_FALSE(index.contains(150));
  EXPECT_TRUE(index.contains(99));
  std::vector<float> x(kDim);
  EXPECT_THROW(index.vector(150, x.data()), Error);
  EXPECT_TRUE(index.range(base.view().slice(150, 1), 1e-3f).ids.empty());
}

TEST_P(Change, RemovedIdsAreUsedAgainAndKeepTheirNewVectorAndLabel) {
  const Matrix<float> base = clustered(2500, kDim, 2), more = clustered(700, kDim, 3);
  std::vector<std::string> names, other;
  for (std::size_t i = 0; i < 2500; ++i) names.push_back("v" + std::to_string(i));
  for (std::size_t i = 0; i < 700; ++i) other.push_back("w" + std::to_string(i));
  Index index = build(GetParam(), base, Labels(names));
  index.remove(range_of(500, 1000));
  EXPECT_EQ(index.find("v700"), std::nullopt);
  const std::vector<Id> ids = index.add(more, Labels(other));
  EXPECT_EQ(std::vector<Id>(ids.begin(), ids.begin() + 500), range_of(500, 1000));
  EXPECT_EQ(std::vector<Id>(ids.begin() + 500, ids.end()), range_of(2500, 2700));
  EXPECT_EQ(index.size(), 2700u);
  EXPECT_EQ(index.id_limit(), 2700u);
  const Neighbours self = index.search(more, 1);
  std::size_t found = 0;
  for (std::size_t i = 0; i < 700; ++i) found += self.ids(i, 0) == ids[i] ? 1 : 0;
  EXPECT_GE(found, 690u);
  EXPECT_EQ(index.labels().text(500), "w0");
  EXPECT_EQ(index.labels().text(2699), "w699");
  EXPECT_EQ(index.labels().text(499), "v499");
  EXPECT_EQ(index.find("w3"), std::optional<Id>(503));
}

TEST_P(Change, ASavedIndexRemembersWhatWasRemoved) {
  const Matrix<float> base = clustered(2500, kDim, 4);
  const std::string path = test_path("removed.kith");
  Index index = build(GetParam(), base);
  index.save(path);
  const bool lists = std::string(GetParam()) == "lists";
  const std::uint64_t plain = lists ? kListRowsFileVersion : kPlainFileVersion;
  EXPECT_EQ(Index::open(path).info().file_version, plain);
  index.remove(range_of(10, 60));
  index.save(path);
  Index opened = Index::open(path);
  // Older readers would return them.
  EXPECT_EQ(opened.info().file_version, std::max<std::uint64_t>(plain, kRemovedFileVersion));
  EXPECT_EQ(opened.size(), 2450u);
  EXPECT_EQ(opened.info().removed, 50u);
  const Neighbours hits = opened.search(base.view().slice(10, 50), 1);
  for (std::size_t q = 0; q < 50; ++q) EXPECT_TRUE(hits.ids(q, 0) < 10 || hits.ids(q, 0) >= 60);
  opened.remove(range_of(60, 1000));
  const std::vector<Id> ids = opened.add(clustered(990, kDim, 5), Labels());
  EXPECT_EQ(ids, range_of(10, 1000));
  opened.save(path);
  EXPECT_EQ(Index::open(path).info().file_version, plain);  // nothing is missing
  std::filesystem::remove(path);
}

TEST_P(Change, NamesTheIdThatCannotBeRemovedAndRemovesNone) {
  Index index = build(GetParam(), clustered(2500, kDim, 6));
  index.remove(std::vector<Id>{7});
  const auto message = [&](std::vector<Id> ids) -> std::string {
    try {
      index.remove(ids);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message({1, 2500}).find("id 2500 is beyond"), std::string::npos);
  EXPECT_NE(message({1, 7}).find("id 7 is removed already"), std::string::npos);
  EXPECT_NE(message({1, 1}).find("id 1 is given twice"), std::string::npos);
  EXPECT_EQ(index.size(), 2499u);
  EXPECT_TRUE(index.contains(1));
}

TEST_P(Change, AnIndexOutlivesItsLastVector) {
  Index index = build(GetParam(), clustered(2500, kDim, 7));
  index.remove(range_of(0, 2500));
  EXPECT_EQ(index.size(), 0u);
  const Matrix<float> more = clustered(2600, kDim, 8);
  EXPECT_EQ(index.search(more.view().slice(0, 1), 3).ids(0, 0), kNoId);
  const std::string path = test_path("empty.kith");
  index.save(path);
  Index opened = Index::open(path);
  const Matrix<float> single = clustered(1, kDim, 9);
  EXPECT_EQ(opened.search(single, 1).ids(0, 0), kNoId);
  opened.add(single, Labels());
  EXPECT_EQ(opened.search(single, 1).ids(0, 0), 0u);
  EXPECT_EQ(index.add(more, Labels()).size(), 2600u);
  EXPECT_GE(Mirror(more).recall(index, clustered(50, kDim, 10), 100), 0.95);
  std::filesystem::remove(path);
}

TEST_P(Change, ACancelledAddLeavesNothingBehind) {
  const Matrix<float> base = clustered(2500, kDim, 11);
  Index index = build(GetParam(), base);
  const Neighbours before = index.search(base, 3);
  std::atomic<bool> cancel{true};
  Control control;
  control.cancel = &cancel;
  const Matrix<float> more = clustered(1500, kDim, 12);
  EXPECT_THROW(index.add(more, Labels(), control), Error);
  EXPECT_EQ(index.size(), 2500u);
  const Neighbours after = index.search(more, 3);
  for (std::size_t q = 0; q < more.rows(); ++q) EXPECT_LT(after.ids(q, 0), 2500u);
  EXPECT_GE(Mirror(base).recall(index, clustered(50, kDim, 13), 100), 0.95);
}

TEST_P(Change, SearchesRunWhileVectorsComeAndGoConcurrent) {
  const Matrix<float> base = clustered(2500, kDim, 14);
  Index index = build(GetParam(), base);
  std::atomic<bool> done{false};
  std::atomic<Id> gone_below{0};
  std::atomic<int> wrong{0}, searches{0};
  std::vector<std::thread> readers;
  for (std::size_t t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      SearchOptions options;
      options.control.threads = 1;
      for (std::size_t at = t; !done; at = (at + 7) % 2500) {
        const Id gone = gone_below;
        const Neighbours hits = index.search(base.view().slice(at, 1), 5, options);
        for (std::size_t i = 0; i < 5; ++i) wrong += hits.ids(0, i) < gone ? 1 : 0;
        ++searches;
      }
    });
  }
  Control alone;
  alone.threads = 1;
  for (Id round = 0; round < 10; ++round) {  // removes enough to have a graph repaired on the way
    const Id first = 40 * round;
    for (const int before = searches; searches < before + 5;) std::this_thread::yield();
    index.remove(range_of(first, first + 40), alone);
    gone_below = first + 40;
    // Few are added where the graph stands, many in a copy. All are far from every query, so that
    // an id that is used again comes up in no answer.
    Matrix<float> far = clustered(round % 4 == 3 ? 300 : 15, kDim, 50 + round);
    for (std::size_t i = 0; i < far.rows(); ++i) far(i, 0) += 1000;
    index.add(far, Labels(), alone);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Change, testing::Values("flat", "graph", "ivf", "lists"),
                         [](const auto& info) { return std::string(info.param); });

TEST(GraphChange, RecallStaysThroughTenCyclesOfReplacingAThird) {
  const Matrix<float> base = clustered(4000, kDim, 20), queries = clustered(200, kDim, 21);
  Index index = build("graph", base);
  Mirror mirror(base);
  Random random(22);
  constexpr std::size_t kBeam = 40;
  for (std::uint64_t cycle = 0; cycle < 10; ++cycle) {
    std::vector<Id> victims = mirror.ids();
    for (std::size_t i = 0; i < 1200; ++i) {
      std::swap(victims[i], victims[i + random.below(victims.size() - i)]);
    }
    victims.resize(1200);
    index.remove(victims);
    mirror.drop(victims);
    // Halfway the newcomers gather elsewhere.
    const Matrix<float> fresh = clustered(1200, kDim, 30 + cycle, cycle == 5 ? 7 : 99);
    mirror.put(index.add(fresh, Labels()), fresh);
  }
  EXPECT_EQ(index.size(), 4000u);
  EXPECT_LT(index.id_limit(), 4500u);
  Mirror again(mirror.rows());
  const double fresh = again.recall(build("graph", mirror.rows()), queries, kBeam);
  EXPECT_GE(mirror.recall(index, queries, kBeam), fresh - 0.01);
}

TEST(GraphChange, ManySmallAddsFindAsMuchAsOneBuild) {
  const Matrix<float> base = clustered(4000, kDim, 23), queries = clustered(200, kDim, 24);
  Index index = build("graph", base);
  Mirror mirror(base);
  for (std::uint64_t round = 0; round < 60; ++round) {
    const Matrix<float> few = clustered(20, kDim, 100 + round);
    mirror.put(index.add(few, Labels()), few);
  }
  Mirror again(mirror.rows());
  const double fresh = again.recall(build("graph", mirror.rows()), queries, 40);
  EXPECT_GE(mirror.recall(index, queries, 40), fresh - 0.01);
}

TEST(GraphChange, IsTheSameForAnyNumberOfThreads) {
  const Matrix<float> base = clustered(3000, kDim, 25);
  std::string first;
  for (const std::size_t threads : {1, 3}) {
    Control control;
    control.threads = threads;
    Index index = build("graph", base);
    index.add(clustered(25, kDim, 26), Labels(), control);
    index.remove(range_of(100, 700), control);
    index.add(clustered(300, kDim, 27), Labels(), control);
    const std::string path = test_path("threads.kith");
    index.save(path);
    const std::string bytes = file_bytes(path);
    if (first.empty()) first = bytes;
    EXPECT_TRUE(bytes == first) << threads << " threads gave another file";
    std::filesystem::remove(path);
  }
}

TEST(GraphChange, CopiesOfAVectorOutliveTheOneThatStoodForThem) {
  Matrix<float> base = clustered(3000, kDim, 28);
  for (std::size_t i = 1; i < 40; ++i) std::copy_n(base.row(0), kDim, base.row(i));
  Index index = build("graph", base);
  const auto copies = [&] {
    const Neighbours hits = index.search(base.view().slice(0, 1), 60);
    std::vector<Id> ids;
    for (std::size_t i = 0; i < 60; ++i) {
      if (hits.distances(0, i) < 1e-2f) ids.push_back(hits.ids(0, i));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  EXPECT_EQ(copies(), range_of(0, 40));
  index.remove(range_of(0, 10));  // waits for more
  EXPECT_EQ(copies(), range_of(10, 40));
  index.remove(range_of(1000, 1600));  // repairs the graph
  EXPECT_EQ(copies(), range_of(10, 40));
  Matrix<float> twins(3, kDim);
  for (std::size_t i = 0; i < 3; ++i) std::copy_n(base.row(0), kDim, twins.row(i));
  EXPECT_EQ(index.add(twins, Labels()), range_of(0, 3));
  std::vector<Id> expected = range_of(10, 40);
  expected.insert(expected.begin(), {0, 1, 2});
  EXPECT_EQ(copies(), expected);
}

TEST(GraphChange, LosesNeitherEntriesNorHubs) {
  const Matrix<float> base = clustered(4000, kDim, 29), queries = clustered(200, kDim, 30);
  Index index = build("graph", base);
  Mirror mirror(base);
  // Whatever searches go through most, the entry points first of all, is what many answers name.
  for (int cycle = 0; cycle < 5; ++cycle) {
    const Neighbours hits = index.search(base, 10);
    std::vector<std::size_t> named(index.id_limit());
    for (std::size_t q = 0; q < base.rows(); ++q) {
      for (std::size_t i = 0; i < 10; ++i) ++named[hits.ids(q, i)];
    }
    std::vector<Id> hubs = mirror.ids();
    std::stable_sort(hubs.begin(), hubs.end(), [&](Id a, Id b) { return named[a] > named[b]; });
    hubs.resize(500);
    index.remove(hubs);
    mirror.drop(hubs);
  }
  Mirror again(mirror.rows());
  const double fresh = again.recall(build("graph", mirror.rows()), queries, 40);
  EXPECT_GE(mirror.recall(index, queries, 40), fresh - 0.01);
}

}  // namespace
}  // namespace kith
