#include "base/folder_path.h"

#include <gtest/gtest.h>

namespace kith {
namespace {

TEST(FolderPath, IsTheSameWithASlashBehindItOrDetours) {
  EXPECT_EQ(folder_path("models/use/"), "models/use");
  EXPECT_EQ(folder_path("models/./x/../use"), "models/use");
  EXPECT_EQ(folder_name("models/use/"), "use");
  EXPECT_EQ(folder_name("use"), "use");
  EXPECT_EQ(folder_name("/"), "");
}

}  // namespace
}  // namespace kith
