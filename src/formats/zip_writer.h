// A zip archive of files that are stored as they are, as numpy.savez makes them: what zip.h reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/atomic_file.h"

namespace kith::formats {

// Sizes and places are written as 64-bit numbers. Files follow one another; the caller commits.
class StoredZipWriter {
 public:
  explicit StoredZipWriter(AtomicFile& file) : file_(file) {}

  void begin(const std::string& name);
  void write(const void* data, std::size_t size);  // of the file that was begun last
  void end();
  void finish();  // the directory, behind all files

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset = 0, bytes = 0;
    std::uint32_t crc = 0;
  };

  AtomicFile& file_;
  std::vector<Entry> entries_;
};

}  // namespace kith::formats
