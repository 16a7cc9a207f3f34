// Writing a file so that its name always stands for a whole one: bytes go to a temporary name in
// the same folder; commit() syncs it, renames it over the final name and syncs the folder. Without
// commit (an exception, a cancelled call) the temporary file is removed; after a kill at any moment
// the old file is intact and a stray ".NAME.tmp-..." may remain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kith {

class AtomicFile {
 public:
  // Throws io naming the path when the folder can't be written.
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Appends; buffered. Throws io naming the path ("No space left on device" on a full disk).
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // Overwrites bytes already written, e.g. a header whose checksums are known only at the end.
  void write_at(std::uint64_t offset, const void* data, std::size_t size);
  // The same at any offset, beyond the end too; any number of threads may, where none calls
  // write().
  void place(std::uint64_t offset, const void* data, std::size_t size);
  std::uint64_t size() const { return size_; }
  // Of the temporary file, open for reading too.
  int descriptor() const { return fd_; }

  // Once all bytes have safely reached the disk, so that commit() changes a name and nothing else.
  void sync();
  void commit();

 private:
  void flush();
  [[noreturn]] void fail(const char* what, int error) const;

  std::string path_, temporary_;
  int fd_ = -1;
  bool synced_ = false;
  std::uint64_t size_ = 0;
  std::vector<char> buffer_;
};

}  // namespace kith
