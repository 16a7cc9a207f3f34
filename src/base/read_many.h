// Many reads of one file at once, so that a disk works on all of them together: by io_uring where
// the system grants it, else by a pool of threads that each read one piece after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace kith {

struct ReadPiece {
  std::uint64_t offset = 0;
  std::size_t bytes = 0;
  std::byte* to = nullptr;
};

enum class ReadWay { automatic, io_uring, threads };

// "auto", "io_uring" or "threads"; empty: what the environment variable KITH_DISK_READER says, else
// auto. Throws invalid_argument.
ReadWay parse_read_way(std::string_view name);

class ManyReads {
 public:
  // Of the open file `fd`, which stays the caller's; `file` names it in errors. Throws unsupported
  // where io_uring is asked for and the system refuses it.
  static std::unique_ptr<ManyReads> make(int fd, const std::string& file, ReadWay way);
  virtual ~ManyReads() = default;

  // Reads every piece in full; any number of threads may call. When one can't be read, throws io
  // naming the file and the offset, after all others have ended.
  virtual void read(std::span<const ReadPiece> pieces) = 0;
  // "io_uring" or "threads".
  virtual std::string_view way() const = 0;
};

}  // namespace kith
