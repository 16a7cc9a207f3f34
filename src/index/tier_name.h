// What a `.kith` file says of the second file, in which its vectors are.
#pragma once

#include <cstdint>
#include <string>

#include "codec/stage.h"
#include "formats/kith_file.h"
#include "kith/index.h"

namespace kith {

struct TierName {
  // Empty for the file's own name and kSuffix; a name in the same folder; or a whole path. So both
  // can be moved together.
  std::string file;
  std::uint64_t identity = 0;

  static constexpr const char* kSuffix = ".disk";

  // As the file `path` is to store it. Throws invalid_argument for a name that can't be.
  static TierName of(const TierFile& tier, const std::string& path);
  // Throws corrupt.
  static TierName read(const Meta& meta);
  void write(Meta& meta) const;

  // Lets a stage that was loaded from `path` read its vectors, which `options` may say are
  // elsewhere.
  void open(Stage& stage, const std::string& path, const OpenOptions& options) const;
};

// Where the vectors of a stage on disk are, and what was read of them.
DiskInfo disk_info(const Stage& stage);

}  // namespace kith
