#include "formats/tier_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "base/test_error.h"
#include "base/test_path.h"
#include "kith/error.h"

namespace kith {
namespace {

std::vector<std::byte> record(std::size_t row, std::size_t bytes) {
  std::vector<std::byte> record(bytes);
  Random random(row + 1);
  for (std::byte& byte : record) byte = static_cast<std::byte>(random.below(256));
  return record;
}

Control control(std::size_t threads) {
  Control control;
  control.threads = threads;
  return control;
}

class Tier : public testing::Test {
 protected:
  Tier() : path_(test_path("x.disk")) {}
  ~Tier() override { std::filesystem::remove(path_); }

  std::uint64_t make(const TierShape& shape, std::size_t threads = 1) const {
    TierWriter writer(path_, shape);
    parallel_for(control(threads), shape.rows, 37,
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   writer.write(begin, end - begin, [&](std::size_t i, std::byte* out) {
                     std::ranges::copy(record(begin + i, shape.record_bytes), out);
                   });
                 });
    const auto file = writer.finish();
    file->commit();
    return file->identity();
  }

  static void expect_records(const TierFile& file, std::vector<Id> ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::vector<int> taken(ids.size(), 0);
    file.fetch(ids, [&](std::size_t i, const std::byte* seen) {
      ++taken[i];
      const auto expected = record(ids[i], file.shape().record_bytes);
      EXPECT_EQ(std::memcmp(seen, expected.data(), expected.size()), 0) << ids[i];
    });
    EXPECT_TRUE(std::ranges::all_of(taken, [](int times) { return times == 1; }));
  }

  void flip(std::uint64_t at) const {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  std::string path_;
};

// Sizes below, at and above a page, odd ones too; through both readers, past the page cache and
// through a cache, from several threads.
TEST_F(Tier, ReadsEveryRecordOfAnySizeByEveryWay) {
  Random random(5);
  for (const std::size_t bytes : {1u, 7u, 96u, 1500u, 4088u, 4096u, 5001u, 300000u}) {
    const TierShape shape{"f16", 5, 1 + random.below(bytes > 10000 ? 9 : 700), bytes};
    const std::uint64_t identity = make(shape);
    EXPECT_EQ(std::filesystem::file_size(path_) % 4096, 0u);
    for (const ReadWay way : {ReadWay::automatic, ReadWay::threads}) {
      for (const bool direct : {false, true}) {
        for (const std::size_t cache : {std::size_t{0}, 30 * bytes}) {
          std::shared_ptr<TierFile> file;
          try {
            file = TierFile::open(path_, shape, identity, {direct, cache, way});
          } catch (const Error& error) {
            if (!direct || error.code() != ErrorCode::io) throw;
            continue;  // a file system that can't
          }
          file->verify(control(2));
          std::vector<std::thread> threads;
          for (std::uint64_t t = 0; t < 3; ++t) {
            threads.emplace_back([&, t] {
              Random own(t);
              std::vector<Id> ids(1 + own.below(200));
              for (Id& id : ids) id = static_cast<Id>(own.below(shape.rows));
              for (int times = 0; times < 2; ++times) expect_records(*file, ids);
            });
          }
          for (std::thread& thread : threads) thread.join();
          std::vector<Id> all(shape.rows);
          std::iota(all.begin(), all.end(), Id{0});
          expect_records(*file, all);
          expect_records(*file, {});
          if (cache == 0) {
            EXPECT_EQ(file->counts().cached, 0u);
          }
        }
      }
    }
  }
}

TEST_F(Tier, ReadsNeighboursTogetherAndNoPageTwice) {
  const TierShape shape{"f16", 5, 1000, 92};  // 100 bytes with the checksum: 40 a page
  const auto file = TierFile::open(path_, shape, make(shape), {});
  std::vector<Id> ids(200);
  std::iota(ids.begin(), ids.end(), Id{0});
  expect_records(*file, ids);
  EXPECT_EQ(file->counts().reads, 1u);
  EXPECT_EQ(file->counts().bytes, 5 * 4096u);
  expect_records(*file, {0, 1, 999});
  EXPECT_EQ(file->counts().reads, 3u);
  EXPECT_EQ(file->counts().records, 203u);
}

TEST_F(Tier, FindsAgainInItsCacheWhatItRead) {
  const TierShape shape{"f16", 5, 100, 92};
  const auto file = TierFile::open(path_, shape, make(shape), {.cache_bytes = 1 << 20});
  expect_records(*file, {3, 4, 5});
  expect_records(*file, {4, 5, 6});
  EXPECT_EQ(file->counts().cached, 2u);
  EXPECT_EQ(file->counts().reads, 2u);
}

TEST_F(Tier, HasTheSameIdentityForAnyNumberOfThreadsAndAnotherForOtherRecords) {
  TierShape shape{"f16", 5, 500, 92};
  const std::uint64_t identity = make(shape);
  EXPECT_EQ(make(shape, 3), identity);
  shape.codec = "bf16";
  EXPECT_NE(make(shape), identity);
  shape.codec = "f16";
  shape.rows = 499;
  EXPECT_NE(make(shape), identity);
}

TEST_F(Tier, NoticesARecordThatIsDamagedWhenItIsReadAndNotBefore) {
  const TierShape shape{"f16", 5, 1000, 92};
  const std::uint64_t identity = make(shape);
  flip(4096 + 500 * 100 + 17);
  for (const ReadWay way : {ReadWay::automatic, ReadWay::threads}) {
    const auto file = TierFile::open(path_, shape, identity, {.way = way});
    expect_records(*file, {0, 499, 501, 999});
    const std::string said = path_ + ": vector 500 at byte 54096 fails its checksum";
    EXPECT_EQ(error_of([&] { expect_records(*file, {3, 500, 501}); }), said);
    EXPECT_EQ(error_of([&] { file->verify({}); }), said);
  }
}

TEST_F(Tier, NoticesTwoRecordsThatChangedPlaces) {
  const TierShape shape{"f16", 5, 10, 92};
  const std::uint64_t identity = make(shape);
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  std::string records(200, ' ');
  file.seekg(4096).read(records.data(), 200);
  std::rotate(records.begin(), records.begin() + 100, records.end());
  file.seekp(4096).write(records.data(), 200);
  file.close();
  const auto opened = TierFile::open(path_, shape, identity, {});
  EXPECT_NE(error_of([&] { expect_records(*opened, {1}); }).find("vector 1"), std::string::npos);
}

TEST_F(Tier, SaysWhatIsWrongWithAFileThatIsNotTheIndexs) {
  const TierShape shape{"f16", 5, 1000, 92};
  const std::uint64_t identity = make(shape);
  const auto said = [&](const TierShape& wanted, std::uint64_t id) {
    const std::string text = error_of([&] { TierFile::open(path_, wanted, id, {}); });
    EXPECT_TRUE(text.starts_with(path_ + ": ")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text.substr(std::min(text.size(), path_.size() + 2));
  };
  EXPECT_EQ(said({"f16", 6, 1000, 92}, identity),
            "5 dimensions, but the index has 6: it belongs to another index");
  EXPECT_EQ(said({"f16", 5, 999, 92}, identity),
            "1000 vectors, but the index has 999: it belongs to another index");
  EXPECT_EQ(said({"lvq8", 5, 1000, 92}, identity),
            "codec 'f16', but the index has 'lvq8': it belongs to another index");
  EXPECT_EQ(said({"f16", 5, 1000, 90}, identity),
            "92 bytes a vector, but the index has 90: it belongs to another index");
  EXPECT_EQ(said(shape, identity + 1),
            "belongs to another index, or its index to another build: expected the file that was "
            "built with it");
  const std::size_t whole = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, whole - 4096);
  EXPECT_EQ(said(shape, identity), "truncated or extended: " + std::to_string(whole - 4096) +
                                       " bytes, the header says " + std::to_string(whole));
  flip(20);
  EXPECT_EQ(said(shape, identity), "the header at byte 0 fails its checksum");
  std::filesystem::resize_file(path_, 50);
  EXPECT_EQ(said(shape, identity), "truncated: 50 bytes, the header needs 4096");
  std::ofstream(path_, std::ios::binary) << std::string(8192, 'x');
  EXPECT_EQ(said(shape, identity), "not the vectors of a kith index (wrong magic at byte 0)");
  std::filesystem::remove(path_);
  EXPECT_EQ(said(shape, identity), "the file of the index's vectors has vanished");
}

// No signal, no zeros.
TEST_F(Tier, SaysSoWhenTheFileShrinksAfterItWasOpened) {
  const TierShape shape{"f16", 5, 1000, 92};
  const std::uint64_t identity = make(shape);
  for (const ReadWay way : {ReadWay::threads, ReadWay::automatic}) {
    make(shape);
    const auto file = TierFile::open(path_, shape, identity, {.way = way});
    std::filesystem::resize_file(path_, 8192);
    const std::string said = error_of([&] { expect_records(*file, {0, 500, 900}); });
    EXPECT_NE(said.find(path_ + ": cannot read"), std::string::npos) << said;
    EXPECT_NE(said.find("the file ends at byte"), std::string::npos) << said;
  }
}

TEST_F(Tier, LeavesNothingWhenItIsNotFinished) {
  const std::string folder = test_path("folder");
  std::filesystem::create_directory(folder);
  {
    TierWriter writer(folder + "/x.disk", {"f16", 5, 10, 92});
    EXPECT_FALSE(std::filesystem::is_empty(folder));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  {
    TierWriter writer(folder + "/x.disk", {"f16", 5, 1, 92});
    writer.write(0, 1, [](std::size_t, std::byte* out) { std::memset(out, 1, 92); });
    const auto file = writer.finish();  // never named
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);
}

}  // namespace
}  // namespace kith
