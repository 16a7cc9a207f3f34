// Indexes whose vectors are on disk: they answer as the same index in memory does, to the bit, and
// say what is wrong with their second file.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "base/test_path.h"
#include "index/test_data.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeader = 4096;

struct Case {
  const char* index;
  const char* codec;
  const char* disk;
  Metric metric = Metric::l2;
};

class Tiers : public testing::Test {
 protected:
  Tiers() : folder_(test_path("folder")), path_(folder_ + "/x.kith") {
    fs::create_directory(folder_);
  }
  ~Tiers() override { fs::remove_all(folder_); }

  BuildOptions options(const Case& tried) const {
    BuildOptions options;
    options.index = tried.index;
    options.codec = tried.codec;
    options.metric = tried.metric;
    options.disk = tried.disk;
    options.disk_file = path_ + ".disk";
    return options;
  }
  static BuildOptions in_memory(BuildOptions options) {
    options.codec += "+" + options.disk;
    options.disk.clear();
    options.disk_file.clear();
    return options;
  }
  void make(const Case& tried, const AnyMatrixView& rows) const {
    Index::build(rows, Labels(), options(tried)).save(path_);
  }
  // A small flat one.
  void make() const { make({"flat", "lvq4", "f16"}, rows_); }

  static void expect_equal(const Neighbours& seen, const Neighbours& expected) {
    ASSERT_EQ(seen.queries(), expected.queries());
    for (std::size_t q = 0; q < seen.queries(); ++q) {
      for (std::size_t i = 0; i < seen.k(); ++i) {
        ASSERT_EQ(seen.ids(q, i), expected.ids(q, i)) << q << " " << i;
        ASSERT_EQ(seen.distances(q, i), expected.distances(q, i)) << q << " " << i;
      }
    }
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string opening() const {
    return error_of([&] { Index::open(path_); });
  }

  Matrix<float> rows_ = clustered(600, 24, 1);
  Matrix<float> queries_ = clustered(40, 24, 2);
  std::string folder_, path_;
};

TEST_F(Tiers, FindWhatTheSameIndexInMemoryFindsToTheBit) {
  const Matrix<float> base = clustered(3000, 48, 1);
  const Matrix<float> queries = clustered(70, 48, 2);
  for (const Case& tried : {Case{"flat", "lvq4", "f16"},
                            {"flat", "rabitq1", "f32", Metric::cosine},
                            {"flat", "signs32", "rot-lvq8", Metric::cosine},
                            {"flat", "lvq4", "signs256", Metric::cosine},
                            {"graph", "rot-lvq4", "f16"},
                            {"graph", "rabitq1", "f32", Metric::cosine},
                            {"graph", "leanvec16-lvq8", "rot-lvq8", Metric::ip},
                            {"graph", "lvq4", "lvq8x8"},
                            {"ivf", "pq16", "f16"},
                            {"ivf", "pq24", "rot-lvq8", Metric::cosine},
                            {"ivf", "pq24", "lvq4x8", Metric::ip},
                            {"ivf", "signs64", "f16", Metric::cosine},
                            {"ivf", "lvq4", "rot-lvq8"}}) {
    SCOPED_TRACE(std::string(tried.index) + " " + tried.codec + " " + tried.disk);
    const BuildOptions build = options(tried);
    const Index memory = Index::build(base, Labels(), in_memory(build));
    {
      const Index fresh = Index::build(base, Labels(), build);
      EXPECT_FALSE(fs::exists(build.disk_file));
      expect_equal(fresh.search(queries, 10), memory.search(queries, 10));
      fresh.save(path_);
      expect_equal(fresh.search(queries, 10), memory.search(queries, 10));
    }
    EXPECT_EQ(names(), (std::vector<std::string>{"x.kith", "x.kith.disk"}));
    for (const std::string reader : {"io_uring", "threads", "auto"}) {
      OpenOptions open;
      open.disk_reader = reader;
      open.disk_cache = reader == "threads" ? 20000 : 0;
      open.verify_disk = true;
      if (reader == "io_uring" && !error_of([&] { Index::open(path_, open); }).empty()) continue;
      const Index index = Index::open(path_, open);
      EXPECT_EQ(index.info().codec, memory.info().codec);
      EXPECT_EQ(index.info().default_beam, memory.info().default_beam);
      for (const std::size_t threads : {1u, 3u}) {
        for (const std::size_t rerank : {0u, 60u}) {
          SearchOptions search;
          search.control.threads = threads;
          search.rerank = rerank;
          for (const std::size_t k : {1u, 10u, 100u}) {
            expect_equal(index.search(queries, k, search), memory.search(queries, k, search));
          }
        }
      }
      const AnyMatrixView one = AnyMatrixView(queries.view()).slice(3, 1);
      expect_equal(index.search(one, 10), memory.search(one, 10));
      const Neighbours near = memory.search(one, 20);
      const float radius = customary(tried.metric, near.distances(0, 19));
      const RangeNeighbours seen = index.range(queries, radius),
                            expected = memory.range(queries, radius);
      EXPECT_EQ(seen.ids, expected.ids);
      EXPECT_EQ(seen.distances, expected.distances);
      std::vector<float> here(48), there(48);
      index.vector(17, here.data());
      memory.vector(17, there.data());
      EXPECT_EQ(here, there);
    }
    fs::remove(path_);
    fs::remove(build.disk_file);
  }
}

TEST_F(Tiers, KeepNoVectorInMemoryAndCountWhatTheyRead) {
  make();
  const Index index = Index::open(path_);
  const IndexInfo info = index.info();
  std::size_t bytes = 0;
  for (const auto& [part, size] : info.bytes) {
    EXPECT_NE(part, "primary.rows");
    bytes += size;
  }
  EXPECT_LT(bytes, 600u * 40);
  EXPECT_EQ(info.disk.file, path_ + ".disk");
  EXPECT_EQ(info.disk.codec, "f16");
  EXPECT_EQ(info.disk.bytes, fs::file_size(path_ + ".disk"));
  EXPECT_EQ(info.disk.read_bytes, 0u);
  index.search(queries_, 10);
  EXPECT_GT(index.info().disk.vectors, 0u);
  EXPECT_GT(index.info().disk.read_bytes, 0u);
  EXPECT_EQ(index.info().disk.cached, 0u);
}

TEST_F(Tiers, AnswerFiltersFromDiskToo) {
  const Matrix<float> base = clustered(3000, 48, 1);
  const Matrix<float> queries = clustered(30, 48, 2);
  for (const Case& tried :
       {Case{"flat", "lvq8", "f32"}, {"graph", "lvq8", "f32"}, {"ivf", "pq24", "f32"}}) {
    make(tried, base);
    const Index index = Index::open(path_);
    for (const std::size_t step : {2u, 100u}) {
      std::vector<Id> some;
      for (std::size_t i = 0; i < base.rows(); i += step) some.push_back(static_cast<Id>(i));
      SearchOptions search;
      search.beam = 400;
      search.filter = Filter::ids(some);
      const Neighbours seen = index.search(queries, 5, search);
      Matrix<float> allowed(some.size(), base.cols());
      for (std::size_t i = 0; i < some.size(); ++i) {
        std::copy_n(base.row(some[i]), base.cols(), allowed.row(i));
      }
      ExactOptions exact;
      exact.k = 5;
      const Neighbours truth = exact_search(allowed, queries, exact);
      std::size_t right = 0;
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        for (std::size_t i = 0; i < 5; ++i) {
          ASSERT_EQ(seen.ids(q, i) % step, 0u);
          for (std::size_t j = 0; j < 5; ++j) {
            right += seen.ids(q, i) == some[truth.ids(q, j)] ? 1 : 0;
          }
        }
      }
      EXPECT_GE(right, 5 * queries.rows() * 97 / 100) << tried.index << " " << step;
    }
  }
}

TEST_F(Tiers, ServeThreadsThatSearchAtOnce) {
  for (const Case& tried :
       {Case{"flat", "lvq4", "f16"}, {"graph", "lvq4", "f16"}, {"ivf", "pq12", "f16"}}) {
    make(tried, rows_);
    for (const char* reader : {"auto", "threads"}) {
      OpenOptions open;
      open.disk_reader = reader;
      open.disk_cache = 3000;
      const Index index = Index::open(path_, open);
      const Neighbours expected = index.search(queries_, 10);
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          SearchOptions search;
          search.control.threads = 1;
          for (int i = 0; i < 5; ++i) expect_equal(index.search(queries_, 10, search), expected);
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
  }
}

TEST_F(Tiers, HideWhatIsRemovedAndAreSavedWithoutTouchingTheVectors) {
  for (const Case& tried :
       {Case{"flat", "lvq4", "f16"}, {"graph", "lvq4", "f16"}, {"ivf", "pq12", "f16"}}) {
    make(tried, rows_);
    const auto written = fs::last_write_time(path_ + ".disk");
    Index index = Index::open(path_);
    const Neighbours before = index.search(queries_, 1);
    std::vector<Id> gone;
    for (std::size_t q = 0; q < 10; ++q) gone.push_back(before.ids(q, 0));
    std::sort(gone.begin(), gone.end());
    gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
    index.remove(gone);
    index.save(path_);
    EXPECT_EQ(fs::last_write_time(path_ + ".disk"), written);
    const Index again = Index::open(path_);
    EXPECT_EQ(again.size(), rows_.rows() - gone.size());
    const Neighbours after = again.search(queries_, 10);
    for (std::size_t q = 0; q < queries_.rows(); ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_FALSE(std::binary_search(gone.begin(), gone.end(), after.ids(q, i)));
      }
    }
    expect_equal(after, index.search(queries_, 10));
  }
}

TEST_F(Tiers, SayThatTheyDontGrow) {
  make();
  Index index = Index::open(path_);
  const std::string why = ": the vectors of this index are on disk, in " + path_ +
                          ".disk, which isn't changed; build an index of all vectors anew";
  EXPECT_EQ(error_of([&] { index.add(rows_, Labels()); }), "add" + why);
  Index other = Index::build(rows_, Labels(), {});
  const Index* const parts[] = {&index};
  EXPECT_EQ(error_of([&] { other.merge(parts); }), "merge" + why);
  const Index* const others[] = {&other};
  EXPECT_EQ(error_of([&] { index.merge(others); }), "merge" + why);
  EXPECT_EQ(index.size(), rows_.rows());
  EXPECT_EQ(other.size(), rows_.rows());
}

TEST_F(Tiers, CanBeMovedTogetherAndShareTheirVectorsWithACopy) {
  make();
  const Neighbours expected = Index::open(path_).search(queries_, 10);
  Index::open(path_).save(folder_ + "/copy.kith");  // as kith tune -o does
  expect_equal(Index::open(folder_ + "/copy.kith").search(queries_, 10), expected);
  const std::string moved = folder_ + "/moved";
  fs::rename(folder_, folder_ + "-2");
  fs::create_directory(folder_);
  fs::rename(folder_ + "-2", moved);
  expect_equal(Index::open(moved + "/x.kith").search(queries_, 10), expected);
  expect_equal(Index::open(moved + "/copy.kith").search(queries_, 10), expected);
  // Under other names, as a pair.
  fs::rename(moved + "/x.kith", path_);
  fs::rename(moved + "/x.kith.disk", path_ + ".disk");
  expect_equal(Index::open(path_).search(queries_, 10), expected);
  // Anywhere, when told.
  fs::rename(path_ + ".disk", moved + "/elsewhere");
  EXPECT_EQ(opening(), path_ + ".disk: the file of the index's vectors has vanished");
  OpenOptions open;
  open.disk_file = moved + "/elsewhere";
  const Index told = Index::open(path_, open);
  expect_equal(told.search(queries_, 10), expected);
  told.save(path_);
  expect_equal(Index::open(path_).search(queries_, 10), expected);
}

TEST_F(Tiers, RefuseTheVectorsOfAnotherIndex) {
  make();
  fs::rename(path_ + ".disk", folder_ + "/kept");
  make({"flat", "lvq4", "f16"}, clustered(600, 24, 5));
  fs::rename(folder_ + "/kept", path_ + ".disk");
  EXPECT_NE(opening().find("belongs to another index"), std::string::npos) << opening();
  make({"flat", "lvq4", "lvq8"}, rows_);
  const std::string other = folder_ + "/other.kith";
  Index::build(rows_, Labels(), {}).save(other);
  OpenOptions open;
  open.disk_file = path_ + ".disk";
  EXPECT_EQ(error_of([&] { Index::open(other, open); }),
            other + ": has no vectors on disk, but is given " + path_ + ".disk for them");
}

// Between the two names that a save changes, a crash leaves the old index with the new vectors.
TEST_F(Tiers, RefuseWhatACrashBetweenTwoNamesLeaves) {
  make();
  fs::copy_file(path_, folder_ + "/old");
  make({"flat", "lvq4", "f16"}, clustered(600, 24, 5));
  fs::rename(folder_ + "/old", path_);
  EXPECT_EQ(opening(), path_ +
                           ".disk: belongs to another index, or its index to another build: "
                           "expected the file that was built with it");
}

TEST_F(Tiers, NoticeDamageInASearchThatMeetsIt) {
  make({"flat", "lvq4", "f32"}, rows_);
  const std::size_t stride = 24 * 4 + 8;
  {
    std::fstream file(path_ + ".disk", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(kHeader + 5 * stride + 3);
    file.put('?');
  }
  const std::string said = path_ + ".disk: vector 5 at byte 4616 fails its checksum";
  const Index index = Index::open(path_);  // reads no vector
  EXPECT_EQ(error_of([&] { index.search(AnyMatrixView(rows_.view()).slice(5, 1), 3); }), said);
  std::vector<float> x(24);
  EXPECT_EQ(error_of([&] { index.vector(5, x.data()); }), said);
  index.vector(6, x.data());
  EXPECT_EQ(x, std::vector<float>(rows_.row(6), rows_.row(6) + 24));
  OpenOptions open;
  open.verify_disk = true;
  EXPECT_EQ(error_of([&] { Index::open(path_, open); }), said);
}

TEST_F(Tiers, SaySoWhenTheirFileShrinksUnderASearch) {
  for (const Case& tried :
       {Case{"flat", "lvq4", "f16"}, {"graph", "lvq4", "f16"}, {"ivf", "pq12", "f16"}}) {
    make(tried, rows_);
    for (const char* reader : {"threads", "auto"}) {
      OpenOptions open;
      open.disk_reader = reader;
      const Index index = Index::open(path_, open);
      const std::size_t whole = fs::file_size(path_ + ".disk");
      fs::copy_file(path_ + ".disk", folder_ + "/kept", fs::copy_options::overwrite_existing);
      fs::resize_file(path_ + ".disk", kHeader);
      const std::string said = error_of([&] { index.search(queries_, 10); });
      EXPECT_TRUE(said.starts_with(path_ + ".disk: cannot read ")) << said;
      EXPECT_TRUE(said.ends_with(": the file ends at byte 4096")) << said;
      fs::resize_file(path_ + ".disk", whole);  // zeros now
      EXPECT_NE(error_of([&] { index.search(queries_, 10); }).find("fails its checksum"),
                std::string::npos);
      fs::copy_file(folder_ + "/kept", path_ + ".disk", fs::copy_options::overwrite_existing);
    }
    EXPECT_EQ(Index::open(path_).search(queries_, 10).queries(), queries_.rows());
  }
}

TEST_F(Tiers, RefuseWhatCantBeBuilt) {
  const auto said = [&](const Case& tried) {
    return error_of([&] { Index::build(rows_, Labels(), options(tried)); });
  };
  EXPECT_NE(said({"flat", "lvq4+f16", "f32"}).find("expected it without '+'"), std::string::npos);
  EXPECT_NE(said({"flat", "lvq4", "rabitq2"}).find("expected a codec whose vectors are records"),
            std::string::npos);
  EXPECT_NE(said({"flat", "lvq4", "f16+f32"}).find("without '+'"), std::string::npos);
  EXPECT_NE(said({"flat", "lvq4", "f17"}).find("unknown codec 'f17'"), std::string::npos);
  BuildOptions nowhere = options({"flat", "lvq4", "f16"});
  nowhere.disk_file.clear();
  EXPECT_EQ(error_of([&] { Index::build(rows_, Labels(), nowhere); }),
            "disk 'f16': expected a disk file, too");
  nowhere = options({"flat", "lvq4", ""});
  EXPECT_NE(error_of([&] { Index::build(rows_, Labels(), nowhere); }).find("expected both"),
            std::string::npos);
  Matrix<float> half = rows_.clone();
  half(300, 7) = 1.5f;
  EXPECT_NE(error_of([&] {
              Index::build(half, Labels(), options({"flat", "lvq4", "u8"}));
            }).find("row 0, column 0"),
            std::string::npos);
  for (std::size_t i = 0; i < half.rows(); ++i) {
    for (std::size_t j = 0; j < half.cols(); ++j) half(i, j) = static_cast<float>((i + j) % 50);
  }
  half(300, 7) = 1.5f;
  EXPECT_NE(error_of([&] {
              Index::build(half, Labels(), options({"flat", "lvq4", "u8"}));
            }).find("row 300, column 7"),
            std::string::npos);
  EXPECT_TRUE(names().empty());
  Index index = Index::build(rows_, Labels(), options({"flat", "lvq4", "f16"}));
  EXPECT_EQ(error_of([&] { index.save(path_ + ".disk"); }),
            path_ + ".disk: is where the vectors of this index are");
}

TEST_F(Tiers, AreTheSameFilesForAnyNumberOfThreads) {
  const auto bytes = [](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  std::string first, first_disk;
  for (const std::size_t threads : {1u, 3u}) {
    BuildOptions build = options({"ivf", "pq12", "lvq8"});
    build.control.threads = threads;
    Index::build(rows_, Labels(), build).save(path_);
    if (threads == 1) {
      first = bytes(path_);
      first_disk = bytes(path_ + ".disk");
    } else {
      EXPECT_EQ(bytes(path_), first);
      EXPECT_EQ(bytes(path_ + ".disk"), first_disk);
    }
  }
}

TEST_F(Tiers, ChooseCodesThatFindWhatTheDiskJudges) {
  const Matrix<float> base = clustered(3000, 64, 1);
  for (const auto& [index, codec] :
       {std::pair{"graph", "rot-lvq4+f16"}, {"ivf", "pq32+f16"}, {"flat", "rot-lvq4+f16"}}) {
    const Index built = Index::build(base, Labels(), options({index, "auto", "f16"}));
    EXPECT_EQ(built.info().codec, codec);
    EXPECT_EQ(built.info().kind, index);
  }
  const BuildPlan plan = plan_build(base, Labels(), options({"graph", "lvq4", "f16"}));
  Index::build(base, Labels(), options({"graph", "lvq4", "f16"})).save(path_);
  const auto real = static_cast<double>(fs::file_size(path_ + ".disk"));
  EXPECT_NEAR(static_cast<double>(plan.disk_bytes), real, 0.05 * real);
  for (const auto& [part, bytes] : plan.bytes) EXPECT_FALSE(part == "rerank.rows") << bytes;
}

}  // namespace
}  // namespace kith
