#include "base/read_many.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "base/test_path.h"
#include "kith/error.h"

namespace kith {
namespace {

class ReadMany : public testing::TestWithParam<ReadWay> {
 protected:
  static constexpr std::size_t kBytes = 300001;

  ReadMany() : path_(test_path("bytes")), bytes_(kBytes) {
    Random random(3);
    for (std::byte& byte : bytes_) byte = static_cast<std::byte>(random.below(256));
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes_.data()), kBytes);
    fd_ = ::open(path_.c_str(), O_RDONLY);
  }
  ~ReadMany() override {
    ::close(fd_);
    std::filesystem::remove(path_);
  }

  // Null where the system has no io_uring for us.
  std::unique_ptr<ManyReads> reads(int fd) const {
    try {
      return ManyReads::make(fd, "x.disk", GetParam());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      return nullptr;
    }
  }

  // Reads random pieces, some empty, and says whether they are right.
  bool reads_right(ManyReads& reads, std::uint64_t seed) const {
    Random random(seed);
    std::vector<ReadPiece> pieces(1 + random.below(400));
    std::vector<std::vector<std::byte>> into(pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      pieces[i].offset = random.below(kBytes);
      pieces[i].bytes = random.below(std::min<std::size_t>(9000, kBytes - pieces[i].offset + 1));
      into[i].resize(pieces[i].bytes);
      pieces[i].to = into[i].data();
    }
    reads.read(pieces);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (!std::equal(into[i].begin(), into[i].end(),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(pieces[i].offset))) {
        return false;
      }
    }
    return true;
  }

  std::string path_;
  std::vector<std::byte> bytes_;
  int fd_;
};

TEST_P(ReadMany, ReadsWhatTheFileHolds) {
  const auto reader = reads(fd_);
  if (reader == nullptr) GTEST_SKIP() << "no io_uring here";
  reader->read({});
  for (std::uint64_t seed = 0; seed < 30; ++seed) EXPECT_TRUE(reads_right(*reader, seed)) << seed;
}

TEST_P(ReadMany, ServesSeveralThreadsAtOnce) {
  const auto reader = reads(fd_);
  if (reader == nullptr) GTEST_SKIP() << "no io_uring here";
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        right += reads_right(*reader, 100 * t + seed) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
}

TEST_P(ReadMany, SaysWhereTheFileEndsTooEarly) {
  const auto reader = reads(fd_);
  if (reader == nullptr) GTEST_SKIP() << "no io_uring here";
  std::vector<std::byte> to(3000);
  const ReadPiece pieces[] = {
      {0, 1000, to.data()}, {kBytes - 500, 1000, to.data() + 1000}, {100, 1000, to.data() + 2000}};
  EXPECT_EQ(error_of([&] { reader->read(pieces); }),
            "x.disk: cannot read 1000 bytes at byte 299501: the file ends at byte 300001");
  EXPECT_EQ(error_of([&] { reader->read(std::span(pieces).subspan(1, 1)); }),
            "x.disk: cannot read 1000 bytes at byte 299501: the file ends at byte 300001");
  EXPECT_TRUE(reads_right(*reader, 1));  // and goes on
}

TEST_P(ReadMany, SaysWhatTheSystemSaysWhereAReadFails) {
  const int closed_to_reads = ::open(path_.c_str(), O_WRONLY);
  const auto reader = reads(closed_to_reads);
  if (reader != nullptr) {
    std::vector<std::byte> to(2000);
    const ReadPiece pieces[] = {{4096, 1000, to.data()}, {8192, 1000, to.data() + 1000}};
    EXPECT_EQ(error_of([&] { reader->read(pieces); }),
              "x.disk: cannot read 1000 bytes at byte 4096: Bad file descriptor");
  }
  ::close(closed_to_reads);
}

INSTANTIATE_TEST_SUITE_P(Ways, ReadMany, testing::Values(ReadWay::io_uring, ReadWay::threads),
                         [](const auto& way) {
                           return way.param == ReadWay::threads ? "Threads" : "IoUring";
                         });

TEST(ReadWay, HasThreeNamesAndAVariable) {
  EXPECT_EQ(parse_read_way("threads"), ReadWay::threads);
  EXPECT_EQ(parse_read_way("io_uring"), ReadWay::io_uring);
  EXPECT_EQ(parse_read_way("auto"), ReadWay::automatic);
  ::setenv("KITH_DISK_READER", "threads", 1);
  EXPECT_EQ(parse_read_way(""), ReadWay::threads);
  EXPECT_EQ(parse_read_way("auto"), ReadWay::automatic);
  ::unsetenv("KITH_DISK_READER");
  EXPECT_EQ(parse_read_way(""), ReadWay::automatic);
  EXPECT_EQ(error_of([] { parse_read_way("mmap"); }),
            "disk reader 'mmap', expected auto, io_uring or threads");
}

}  // namespace
}  // namespace kith
