#include "base/atomic_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "kith/error.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("kith_atomic_" + std::to_string(testing::UnitTest::GetInstance()->random_seed()) +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path() const { return (folder_ / "file").string(); }
  std::string content() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(AtomicFileTest, NothingIsVisibleBeforeCommit) {
  std::ofstream(path()) << "old";
  AtomicFile file(path());
  file.write("new content");
  EXPECT_EQ(content(), "old");
  file.commit();
  EXPECT_EQ(content(), "new content");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, AbandonedItLeavesTheOldFileAndNoOther) {
  std::ofstream(path()) << "old";
  {
    AtomicFile file(path());
    file.write("half a fi");
  }
  EXPECT_EQ(content(), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, LargeAndPatchedWritesArriveWhole) {
  const std::string block(700001, 'x');
  AtomicFile file(path());
  for (int i = 0; i < 5; ++i) file.write(block);
  file.write_at(2, "abc", 3);
  file.write("end");
  file.commit();
  const std::string all = content();
  EXPECT_EQ(all.size(), 5 * block.size() + 3);
  EXPECT_EQ(all.substr(0, 6), "xxabcx");
  EXPECT_EQ(all.substr(all.size() - 4), "xend");
}

TEST_F(AtomicFileTest, NamesThePathThatCannotBeWritten) {
  try {
    AtomicFile file((folder_ / "missing" / "file").string());
    FAIL() << "a file in a missing folder was created";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_NE(std::string(error.what()).find("missing/file"), std::string::npos);
  }
  EXPECT_THROW(AtomicFile(folder_.string()), Error);
}

}  // namespace
}  // namespace kith
