#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "kith/matrix.h"
#include "kith/vectors.h"

namespace kith {
namespace {

using ::testing::HasSubstr;

class ExactVerb : public ::testing::Test {
 protected:
  ExactVerb() {
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("kith_") + test->name() + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    Matrix<float> base(4, 2), queries(1, 2);
    for (std::size_t i = 0; i < 4; ++i) base(i, 0) = base(i, 1) = static_cast<float>(i + 1);
    queries(0, 0) = queries(0, 1) = 3;
    write_vectors(path("base.fvecs"), base, Labels());
    write_vectors(path("queries.fvecs"), queries, Labels());
  }
  ~ExactVerb() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // Runs `kith exact BASE QUERIES ...`; stdout and stderr go to output_.
  int run(const std::string& arguments) {
    const std::string command = std::string(KITH_TOOL) + " exact " + path("base.fvecs") + " " +
                                path("queries.fvecs") + " " + arguments + " 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    output_.clear();
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
      output_ += static_cast<char>(c);
    }
    return WEXITSTATUS(pclose(pipe));
  }

  std::filesystem::path folder_;
  std::string output_;
};

TEST_F(ExactVerb, WritesTheTrueNeighbours) {
  ASSERT_EQ(run("-k 3 --json -o " + path("truth.ibin")), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("\"qps_cpu\""));
  const Neighbours truth = read_neighbours(path("truth.ibin"));
  ASSERT_EQ(truth.k(), 3u);
  EXPECT_EQ(truth.ids(0, 0), 2u);
  EXPECT_EQ(truth.ids(0, 1), 1u);  // ties with 3, smaller id first
  EXPECT_EQ(truth.ids(0, 2), 3u);
}

TEST_F(ExactVerb, WritesWhatThereIsWhenKExceedsTheBase) {
  ASSERT_EQ(run("-k 9 --metric ip -o " + path("truth.ibin")), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("note: k = 9"));
  const Neighbours truth = read_neighbours(path("truth.ibin"));
  ASSERT_EQ(truth.k(), 4u);
  EXPECT_EQ(truth.ids(0, 0), 3u);
}

TEST_F(ExactVerb, RefusesAnUnknownMetricAndWritesNothing) {
  EXPECT_EQ(run("--metric hamming -o " + path("truth.ibin")), 2);
  EXPECT_THAT(output_, HasSubstr("hamming"));
  EXPECT_FALSE(std::filesystem::exists(path("truth.ibin")));
}

}  // namespace
}  // namespace kith
