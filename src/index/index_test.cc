// What an index promises to its user, flat and graph alike.
#include "kith/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <thread>

#include "base/random.h"
#include "base/test_path.h"
#include "formats/kith_file.h"
#include "index/test_data.h"
#include "kith/error.h"
#include "kith/exact.h"

namespace kith {
namespace {

BuildOptions options(Metric metric, const std::string& index, const std::string& codec) {
  BuildOptions options;
  options.metric = metric;
  options.index = index;
  options.codec = codec;
  return options;
}

double recall_of(const Index& index, const Matrix<float>& base, const Matrix<float>& queries,
                 Metric metric, std::size_t beam) {
  ExactOptions exact;
  exact.k = 20;
  exact.metric = metric;
  SearchOptions search;
  search.beam = beam;
  return recall_at(index.search(queries, 10, search), exact_search(base, queries, exact), 10);
}

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(GraphIndex, FindsTheNeighboursUnderEveryMetricAndCodec) {
  const Matrix<float> base = clustered(4000, 40, 1);
  const Matrix<float> queries = clustered(100, 40, 2);
  for (Metric metric : {Metric::l2, Metric::cosine, Metric::ip}) {
    for (const char* codec :
         {"f32", "f16", "lvq8", "rot-lvq8", "lvq4x8", "rot-lvq4x8", "sq8", "rot-lvq4+f16"}) {
      const Index index = Index::build(base, Labels(), options(metric, "graph", codec));
      EXPECT_GE(recall_of(index, base, queries, metric, 150), 0.95) << name(metric) << " " << codec;
    }
  }
}

// So few bits judge only roughly: the walk goes wider and the second codec decides.
TEST(GraphIndex, WalksOnCodesOfOneBit) {
  const Matrix<float> base = clustered(3000, 128, 1);
  const Matrix<float> queries = clustered(100, 128, 2);
  for (const auto& [metric, codec] : {std::pair{Metric::l2, "rabitq1+f16"},
                                      {Metric::cosine, "rabitq1+rot-lvq8"},
                                      {Metric::ip, "rabitq2+f32"},
                                      {Metric::ip, "rabitq6"},
                                      {Metric::l2, "rabitq4+rabitq8"}}) {
    const Index index = Index::build(base, Labels(), options(metric, "graph", codec));
    EXPECT_EQ(index.info().codec, codec);
    EXPECT_GE(recall_of(index, base, queries, metric, 300), 0.95) << name(metric) << " " << codec;
  }
}

TEST(GraphIndex, IsTheSameForAnyNumberOfThreads) {
  const Matrix<float> base = clustered(3000, 24, 3);
  for (const char* codec : {"rot-lvq4x8", "rabitq2+f16"}) {
    std::string first;
    for (std::size_t threads : {1u, 2u, 3u}) {
      BuildOptions build = options(Metric::l2, "graph", codec);
      build.control.threads = threads;
      const std::string path = test_path("threads.kith");
      Index::build(base, Labels(), build).save(path);
      const std::string bytes = file_bytes(path);
      if (first.empty()) first = bytes;
      EXPECT_TRUE(bytes == first) << codec << ": " << threads << " threads gave another file";
      std::filesystem::remove(path);
    }
  }
}

TEST(GraphIndex, SpendsFinerCodesOnlyWhereNeighboursLieThatClose) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const BuildOptions chosen = options(Metric::l2, "graph", "auto");
    const Index apart = Index::build(clustered(4000, 64, seed), {}, chosen);
    EXPECT_EQ(apart.info().codec, "rot-lvq4x4") << seed;
    // Neighbours a hundred times nearer to each other than to the next centre's.
    const Index close = Index::build(clustered(4000, 64, seed, 99, 0.01f), {}, chosen);
    EXPECT_EQ(close.info().codec, "rot-lvq4x8") << seed;
  }
  const Index named =
      Index::build(clustered(4000, 64, 1), {}, options(Metric::l2, "graph", "rot-lvq4x8"));
  EXPECT_EQ(named.info().codec, "rot-lvq4x8");
}

TEST(GraphIndex, ReachesEveryVectorEvenFarOutliers) {
  Matrix<float> base = clustered(2500, 16, 4);
  for (std::size_t i = 0; i < 50; ++i) {  // fifty lonely points, each in its own direction
    for (std::size_t j = 0; j < 16; ++j) base(i * 50, j) *= 40;
  }
  const Index index = Index::build(base, Labels(), options(Metric::l2, "graph", "f32"));
  SearchOptions search;
  search.beam = base.rows();  // walks everything that can be reached
  const Neighbours self = index.search(base, 1, search);
  std::size_t found = 0;
  for (std::size_t i = 0; i < base.rows(); ++i) found += self.distances(i, 0) == 0 ? 1 : 0;
  EXPECT_EQ(found, base.rows());
}

TEST(GraphIndex, ReturnsEveryCopyOfADuplicatedVector) {
  Matrix<float> base = clustered(3000, 16, 5);
  for (std::size_t i = 1; i < 1000; ++i) std::copy_n(base.row(0), 16, base.row(i));
  const Index index = Index::build(base, Labels(), options(Metric::l2, "graph", "rot-lvq4x8"));
  const Neighbours hits = index.search(base.view().slice(0, 1), 1000);
  std::set<Id> ids(hits.ids.row(0), hits.ids.row(0) + 1000);
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(*ids.rbegin(), 999u);
  const Matrix<float> queries = clustered(50, 16, 6);
  EXPECT_GE(recall_of(index, base, queries, Metric::l2, 100), 0.95);
}

TEST(GraphIndex, RangeSearchFindsWhatLiesWithinTheRadius) {
  const Matrix<float> base = clustered(3000, 16, 7);
  const Matrix<float> queries = clustered(20, 16, 8);
  const Index graph = Index::build(base, Labels(), options(Metric::l2, "graph", "f32"));
  const Index flat = Index::build(base, Labels(), options(Metric::l2, "flat", "f32"));
  const float radius = 9.0f;
  const RangeNeighbours expected = flat.range(queries, radius);
  const RangeNeighbours found = graph.range(queries, radius);
  ASSERT_GT(expected.ids.size(), 100u);
  EXPECT_GE(static_cast<double>(found.ids.size()), 0.97 * static_cast<double>(expected.ids.size()));
  for (float distance : found.distances) EXPECT_LE(distance, radius);
}

TEST(Index, FlatIsExactUnderEveryMetric) {
  const Matrix<float> base = clustered(500, 12, 9);
  const Matrix<float> queries = clustered(30, 12, 10);
  for (Metric metric : {Metric::l2, Metric::cosine, Metric::ip}) {
    const Index index = Index::build(base, Labels(), options(metric, "flat", "f32"));
    EXPECT_EQ(recall_of(index, base, queries, metric, 0), 1.0) << name(metric);
  }
}

TEST(Index, SavedAndOpenedItAnswersTheSame) {
  const Matrix<float> base = clustered(2500, 20, 11);
  const Matrix<float> queries = clustered(40, 20, 12);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < base.rows(); ++i) names.push_back("v" + std::to_string(i));
  for (const auto& [kind, codec] :
       {std::pair{"graph", "rot-lvq4x8"}, {"flat", "rot-lvq4x8"}, {"graph", "rabitq2+f16"}}) {
    const Index built = Index::build(base, Labels(names), options(Metric::cosine, kind, codec));
    const std::string path = test_path("saved.kith");
    built.save(path);
    for (const bool in_memory : {false, true}) {
      const Index opened = Index::open(path, {.in_memory = in_memory});
      const Neighbours a = built.search(queries, 10);
      const Neighbours b = opened.search(queries, 10);
      for (std::size_t q = 0; q < 40; ++q) {
        for (std::size_t i = 0; i < 10; ++i) {
          EXPECT_EQ(a.ids(q, i), b.ids(q, i));
          EXPECT_EQ(a.distances(q, i), b.distances(q, i));
        }
      }
      EXPECT_EQ(opened.labels().text(17), "v17");
      EXPECT_EQ(opened.labels().find("v2499", opened.size()), std::optional<std::size_t>(2499));
      EXPECT_EQ(opened.info().codec, codec);
    }
    std::filesystem::remove(path);
  }
}

TEST(Index, AddedVectorsAreFoundAndTheFileIsUntouchedUntilSave) {
  const Matrix<float> base = clustered(3000, 20, 13);
  const Matrix<float> more = clustered(1500, 20, 14);
  Matrix<float> all(4500, 20);
  for (std::size_t i = 0; i < 4500; ++i) {
    std::copy_n(i < 3000 ? base.row(i) : more.row(i - 3000), 20, all.row(i));
  }
  const Matrix<float> queries = clustered(60, 20, 15);
  const std::string path = test_path("add.kith");
  for (const char* codec : {"rot-lvq8+f16", "rabitq4+f16"}) {
    Index::build(base, Labels(), options(Metric::l2, "graph", codec)).save(path);
    const std::string before = file_bytes(path);
    Index index = Index::open(path);
    index.add(more, Labels());
    EXPECT_EQ(index.size(), 4500u);
    EXPECT_TRUE(file_bytes(path) == before);
    EXPECT_GE(recall_of(index, all, queries, Metric::l2, 100), 0.97);
    index.save(path);
    EXPECT_EQ(Index::open(path).size(), 4500u);
    std::filesystem::remove(path);
  }
}

TEST(Index, ByteVectorsStayBytes) {
  Matrix<std::uint8_t> base(3000, 32);
  Random random(16);
  for (std::size_t i = 0; i < 3000; ++i) {
    for (std::size_t j = 0; j < 32; ++j) base(i, j) = static_cast<std::uint8_t>(random.below(256));
  }
  BuildOptions build;
  build.index = "graph";
  const Index index = Index::build(base, Labels(), build);
  EXPECT_EQ(index.info().codec, "u8");
  const Neighbours hits = index.search(AnyMatrixView(base).slice(5, 1), 1);
  EXPECT_EQ(hits.ids(0, 0), 5u);
  EXPECT_EQ(hits.distances(0, 0), 0.0f);
}

TEST(Index, ManyThreadsSearchAtOnceConcurrent) {
  const Matrix<float> base = clustered(2500, 16, 17);
  const Matrix<float> queries = clustered(50, 16, 18);
  const Index index = Index::build(base, Labels(), options(Metric::l2, "graph", "rot-lvq4x8"));
  SearchOptions search;
  search.control.threads = 1;
  const Neighbours expected = index.search(queries, 5, search);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const Neighbours hits = index.search(queries, 5, search);
      for (std::size_t q = 0; q < 50; ++q) {
        for (std::size_t i = 0; i < 5; ++i) wrong += hits.ids(q, i) != expected.ids(q, i) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Index, CancelledBuildThrowsAndLeavesNothing) {
  const Matrix<float> base = clustered(3000, 16, 19);
  std::atomic<bool> cancel{true};
  BuildOptions build;
  build.control.cancel = &cancel;
  try {
    Index::build(base, Labels(), build);
    FAIL() << "a cancelled build returned";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

template <class F>
std::string message_of(const F& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
    return error.what();
  }
  return "(nothing was thrown)";
}

TEST(Index, NamesWhatIsWrongWithItsInput) {
  const Matrix<float> base = clustered(100, 8, 20);
  const Index index = Index::build(base, Labels(), BuildOptions());
  using testing::HasSubstr;
  EXPECT_THAT(message_of([&] { index.search(clustered(1, 9, 1), 5); }), HasSubstr("9 dimensions"));
  EXPECT_THAT(message_of([&] { index.search(base, 0); }), HasSubstr("k"));
  Matrix<float> bad = clustered(100, 8, 21);
  bad(7, 3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of([&] { Index::build(bad, Labels(), BuildOptions()); }),
              HasSubstr("row 7, column 3"));
  EXPECT_THAT(message_of([&] { index.search(bad, 1); }), HasSubstr("row 7, column 3"));
  Matrix<float> zero(100, 8);
  BuildOptions cosine;
  cosine.metric = Metric::cosine;
  EXPECT_THAT(message_of([&] { Index::build(zero, Labels(), cosine); }), HasSubstr("zero"));
  EXPECT_THAT(message_of([&] { Index::build(Matrix<float>(), Labels(), BuildOptions()); }),
              HasSubstr("empty"));
  EXPECT_THAT(message_of([&] {
                Index::build(base, Labels(std::vector<std::uint64_t>{1, 2}), BuildOptions());
              }),
              HasSubstr("2 labels for 100 vectors"));
  EXPECT_THAT(
      message_of([&] { Index::build(base, Labels(), options(Metric::l2, "graph", "lvq5")); }),
      HasSubstr("lvq5"));
  EXPECT_THAT(message_of([&] { Index::build(base, Labels(), options(Metric::l2, "tree", "f32")); }),
              HasSubstr("tree"));
}

TEST(Index, PadsWhenFewerVectorsThanAskedFor) {
  const Matrix<float> base = clustered(3, 8, 22);
  for (const char* kind : {"flat", "graph"}) {
    const Index index = Index::build(base, Labels(), options(Metric::l2, kind, "f32"));
    const Neighbours hits = index.search(base, 5);
    EXPECT_NE(hits.ids(0, 2), kNoId) << kind;
    EXPECT_EQ(hits.ids(0, 3), kNoId) << kind;
    EXPECT_EQ(hits.distances(0, 4), std::numeric_limits<float>::infinity()) << kind;
  }
}

TEST(Index, EveryFlippedByteOfAFileIsRefused) {
  const std::string path = test_path("corrupt.kith");
  const Matrix<float> base = clustered(60, 8, 23);
  Index::build(base, Labels(), options(Metric::l2, "graph", "lvq8")).save(path);
  const std::string good = file_bytes(path);
  const auto write = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  };
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    write(bad);
    try {
      Index::open(path);
      ++accepted;  // only padding between sections and reserved header bytes may change unnoticed
    } catch (const Error&) {
    }
  }
  EXPECT_LT(accepted * 7, 64u * 16);
  for (std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{63}, good.size() / 2, good.size() - 1}) {
    write(good.substr(0, size));
    EXPECT_THROW(Index::open(path), Error) << size;
  }
  std::filesystem::remove(path);
}

TEST(Index, AFlatIndexUnderCosineSearchesWhatWasAddedAfterASearch) {
  BuildOptions options;
  options.metric = Metric::cosine;
  options.index = "flat";
  options.codec = "f32";
  const Matrix<float> base = clustered(300, 8, 27), more = clustered(50, 8, 28);
  Index index = Index::build(base, Labels(), options);
  EXPECT_EQ(index.search(base.view().slice(7, 1), 1).ids(0, 0), 7u);
  index.add(more, Labels());
  for (Id id = 0; id < 50; ++id) {
    EXPECT_EQ(index.search(more.view().slice(id, 1), 1).ids(0, 0), 300 + id);
  }
}

TEST(Index, AnErrorInALargeBaseNamesItsRow) {
  Matrix<float> base = clustered(30000, 4, 26);
  base.row(24321)[3] = std::numeric_limits<float>::quiet_NaN();
  try {
    Index::build(base, Labels(), BuildOptions());
    FAIL() << "a base with NaN was indexed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("base row 24321"), std::string::npos) << error.what();
  }
}

// A file of 64 vectors that finds each of them, before and after it grows and is saved again.
void expect_older_file_works(const std::string& name, std::uint64_t version) {
  Index index = Index::open(KITH_TEST_FILES + name);
  EXPECT_EQ(index.info().file_version, version);
  const auto finds_itself = [](const Index& opened) {
    Matrix<float> query(1, opened.dim());
    for (Id id = 0; id < 64; ++id) {
      opened.vector(id, query.row(0));
      EXPECT_EQ(opened.search(query, 1).ids(0, 0), id);
    }
  };
  finds_itself(index);
  index.add(clustered(200, index.dim(), 25), Labels());
  const std::string path = test_path("from-older.kith");
  index.save(path);
  const Index saved = Index::open(path);
  EXPECT_EQ(saved.info().file_version, kPlainFileVersion);
  EXPECT_EQ(saved.size(), 264u);
  finds_itself(saved);
  std::filesystem::remove(path);
}

TEST(Index, AFileOfVersion1IsReadAndSavedAsTheNewest) {
  expect_older_file_works("version-1.kith", 1);  // edges of 32 bits
}

TEST(Index, AFileOfVersion2IsReadAndSavedAsTheNewest) {
  expect_older_file_works("version-2.kith", 2);  // records padded to 16 bytes
}

TEST(Index, ANewerFileIsRefusedWithAMessage) {
  const std::string path = test_path("newer.kith");
  Index::build(clustered(10, 4, 24), Labels(), BuildOptions()).save(path);
  std::string bytes = file_bytes(path);
  bytes[8] = static_cast<char>(kFileVersion + 1);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  try {
    Index::open(path);
    FAIL() << "a newer version was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("newer"), std::string::npos);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kith
