#include "learn/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "formats/test_files.h"
#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

Checkpoint example() {
  Checkpoint checkpoint{
      .step = 42, .recipe = "steps = 100", .progress = "{}", .task = {}, .tensors = {}};
  checkpoint.tensors.add("model.table", torch::randn({5, 3}));
  checkpoint.tensors.add("optimiser.table.step", torch::full({1}, 42.0));
  checkpoint.tensors.add("empty", torch::empty({0, 4}));
  return checkpoint;
}

TEST(CheckpointFile, GivesBackWhatWasWritten) {
  const formats::TemporaryFolder folder;
  Checkpoint written = example();
  written.task = std::string("\0\1", 2);
  write_checkpoint(folder.file("run.checkpoint"), written, {});
  const Checkpoint read = read_checkpoint(folder.file("run.checkpoint"), {});
  EXPECT_EQ(read.step, 42);
  EXPECT_EQ(read.recipe, written.recipe);
  EXPECT_EQ(read.progress, written.progress);
  EXPECT_EQ(read.task, written.task);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const Parameter& each : written.tensors) {
    EXPECT_TRUE(torch::equal(each.value, read.tensors[each.name])) << each.name;
  }
}

TEST(CheckpointFile, CutAnywhereIsRefused) {
  const formats::TemporaryFolder folder;
  const std::string path = folder.file("run.checkpoint");
  write_checkpoint(path, example(), {});
  const std::string bytes = formats::file_bytes(path);
  for (std::size_t length = 0; length < bytes.size(); length += 37) {
    formats::write_bytes(path, bytes.substr(0, length));
    EXPECT_THROW(read_checkpoint(path, {}), Error) << length << " bytes";
  }
}

TEST(CheckpointFile, WithAChangedByteIsRefused) {
  const formats::TemporaryFolder folder;
  const std::string path = folder.file("run.checkpoint");
  write_checkpoint(path, example(), {});
  const std::string bytes = formats::file_bytes(path);
  std::size_t refused = 0, tried = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 11) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    formats::write_bytes(path, changed);
    ++tried;
    try {
      const Checkpoint read = read_checkpoint(path, {});
      // Only what stands between sections may change without notice.
      EXPECT_EQ(read.step, 42);
      EXPECT_EQ(read.recipe, "steps = 100");
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(2 * refused, tried);
}

}  // namespace
}  // namespace kith::learn
