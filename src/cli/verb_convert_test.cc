// kith convert as a person runs it: the program, its exit code and its files.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "formats/test_files.h"

namespace kith::cli {
namespace {

int run_tool(const std::string& arguments) {
  const std::string command = std::string(KITH_TOOL) + " " + arguments + " >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Convert, KeepsRowsAndLabelsThroughEveryVectorFormat) {
  const formats::TemporaryFolder folder;
  const Matrix<float> rows = formats::random_matrix<float>(7, 5, 1);
  const Labels labels(std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"});
  std::string from = folder.file("start.safetensors");
  write_vectors(from, rows, labels);
  for (const char* name : {"x.fvecs", "x.fbin", "x.npy", "x.hdf5", "x.vec", "x.w2v", "x.bin",
                           "x.txt", "x.safetensors"}) {
    const std::string to = folder.file(name);
    ASSERT_EQ(run_tool("convert " + from + " " + to), 0) << name;
    const Vectors read = read_vectors(to);
    EXPECT_TRUE(formats::same_rows(read.rows, rows)) << name;
    EXPECT_TRUE(formats::same_labels(read.labels, labels)) << name;
    from = to;
  }
}

TEST(Convert, CutsRowsAndTheirLabelsAlike) {
  const formats::TemporaryFolder folder;
  const Matrix<float> rows = formats::random_matrix<float>(7, 5, 1);
  const Labels labels(std::vector<std::uint64_t>{10, 11, 12, 13, 14, 15, 16});
  write_vectors(folder.file("x.npy"), rows, labels);
  ASSERT_EQ(run_tool("convert " + folder.file("x.npy") + " " + folder.file("y.npy") +
                     " --skip 2 --first 3 --type f16"),
            0);
  const Vectors read = read_vectors(folder.file("y.npy"));
  EXPECT_EQ(read.rows.rows(), 3u);
  EXPECT_EQ(read.rows.type(), ElementType::f16);
  EXPECT_EQ(read.labels.text(0), "12");
}

TEST(Convert, HoldsASampleOutWithItsLabelsTheSameForTheSameSeed) {
  const formats::TemporaryFolder folder;
  const Matrix<float> rows = formats::random_matrix<float>(50, 3, 1);
  std::vector<std::uint64_t> numbers(50);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 100 + i;
  write_vectors(folder.file("x.npy"), rows, Labels(numbers));
  const std::string command = "convert " + folder.file("x.npy") + " " + folder.file("sample.npy") +
                              " --sample 8 --seed 5 --rest " + folder.file("rest.fvecs");
  ASSERT_EQ(run_tool(command), 0);
  const Vectors sample = read_vectors(folder.file("sample.npy"));
  const Vectors rest = read_vectors(folder.file("rest.fvecs"));
  ASSERT_EQ(sample.rows.rows(), 8u);
  ASSERT_EQ(rest.rows.rows(), 42u);
  const std::size_t row = sample.labels.number(3) - 100;
  EXPECT_TRUE(formats::same_rows(sample.rows.slice(3, 1), rows.view().slice(row, 1)));
  std::vector<std::uint64_t> all(sample.labels.numbers().begin(), sample.labels.numbers().end());
  all.insert(all.end(), rest.labels.numbers().begin(), rest.labels.numbers().end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, numbers);

  ASSERT_EQ(run_tool(command), 0);
  EXPECT_TRUE(formats::same_rows(read_vectors(folder.file("sample.npy")).rows, sample.rows));
  const std::string in = folder.file("x.npy"), out = folder.file("y.npy");
  EXPECT_EQ(run_tool("convert " + in + " " + out + " --sample 50"), 2);
  EXPECT_EQ(run_tool("convert " + in + " " + out + " --rest " + folder.file("z.npy")), 2);
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Convert, CarriesNeighbourLists) {
  const formats::TemporaryFolder folder;
  Neighbours lists(2, 3);
  lists.ids(1, 2) = 7;
  write_neighbours(folder.file("x.ivecs"), lists);
  ASSERT_EQ(run_tool("convert " + folder.file("x.ivecs") + " " + folder.file("x.ibin")), 0);
  EXPECT_EQ(read_neighbours(folder.file("x.ibin")).ids(1, 2), 7u);
}

TEST(Convert, RefusesWithTheRightExitCodeAndLeavesNothing) {
  const formats::TemporaryFolder folder;
  const std::string in = folder.file("x.npy"), out = folder.file("y.u8bin");
  Matrix<float> rows(1, 1);
  rows(0, 0) = 300;
  write_vectors(in, rows, Labels());
  EXPECT_EQ(run_tool("convert " + in), 2);
  EXPECT_EQ(run_tool("convert " + in + " " + out + " --type u9"), 2);
  EXPECT_EQ(run_tool("convert " + in + " " + out + " --type u8"), 2);
  EXPECT_EQ(run_tool("convert " + in + " " + out), 1);
  EXPECT_EQ(run_tool("convert " + folder.file("absent.npy") + " " + out), 1);
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace kith::cli
