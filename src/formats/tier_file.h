// The second file of an index in two tiers: a record a vector, of one size, by which candidates
// that the index's codes found are judged. It is never mapped: what a search needs of it is read at
// once, and every record has a checksum of its own, so that damage is noticed wherever it is met, a
// failing disk is an error and not a signal, and memory is what a search holds and a cache of a
// given size. docs/format.md describes the bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/atomic_file.h"
#include "base/read_many.h"
#include "base/record_cache.h"
#include "kith/control.h"
#include "kith/types.h"

namespace kith {

struct TierShape {
  std::string codec;  // as in names of codecs: "f16", "rot-lvq8"
  std::size_t dim = 0, rows = 0;
  std::size_t record_bytes = 0;  // without the checksum
};

struct TierOptions {
  bool direct = false;          // pass the system's page cache by (O_DIRECT)
  std::size_t cache_bytes = 0;  // of records kept in memory
  ReadWay way = ReadWay::automatic;
};

// Since the file was opened.
struct TierCounts {
  std::uint64_t records = 0, cached = 0;  // asked for; of these, found in the cache
  std::uint64_t reads = 0, bytes = 0;     // of the file
};

// What the first bytes of a file say; throws corrupt, or unsupported for a newer version.
// `identity` is a checksum of shape and records.
struct TierHeader {
  TierShape shape;
  std::uint64_t identity = 0;
  static TierHeader parse(std::span<const std::byte> bytes, const std::string& file);
};

class TierFile {
 public:
  static constexpr std::size_t kPage = 4096;  // the header's size, and what reads are aligned to

  // Throws corrupt where the file isn't whole or isn't the one with that shape and identity, and
  // what the system says where it can't be opened. Records are checked when they are read.
  static std::shared_ptr<TierFile> open(const std::string& path, const TierShape& shape,
                                        std::uint64_t identity, const TierOptions& options);
  ~TierFile();
  TierFile(const TierFile&) = delete;
  TierFile& operator=(const TierFile&) = delete;

  // Reads the records of some ids, ascending and distinct, and calls take(i, record of ids[i]) for
  // each, in any order, on the caller's thread. Neighbours in the file are read together. Throws io
  // or corrupt, naming file and offset. Any number of threads may call.
  using Take = std::function<void(std::size_t i, const std::byte* record)>;
  void fetch(std::span<const Id> ids, const Take& take) const;
  // Reads all there is; throws corrupt for what isn't as it was written.
  void verify(const Control& control) const;

  const std::string& path() const { return path_; }
  const TierShape& shape() const { return shape_; }
  std::uint64_t identity() const { return identity_; }
  std::size_t file_bytes() const;
  std::string_view way() const { return reads_->way(); }
  TierCounts counts() const;

  // A file that was just made has no name until then: first syncs, then renames.
  void sync();
  void commit();

 private:
  friend class TierWriter;
  TierFile(std::string path, int fd, TierShape shape, std::uint64_t identity,
           const TierOptions& options);
  void fetch_some(std::span<const Id> ids, std::span<const std::uint32_t> places,
                  const Take& take) const;
  const std::byte* checked(const std::byte* record, std::size_t row) const;

  std::string path_;
  int fd_;
  TierShape shape_;
  std::uint64_t identity_;
  std::unique_ptr<ManyReads> reads_;
  mutable RecordCache cache_;
  std::unique_ptr<AtomicFile> unnamed_;
  mutable std::atomic<std::uint64_t> records_{0}, cached_{0}, read_count_{0}, read_bytes_{0};
};

// Makes one: records in any order, of any number of threads.
class TierWriter {
 public:
  TierWriter(const std::string& path, TierShape shape);

  // Rows first, first + 1 ... of which fill(i, out) writes the i-th.
  void write(std::size_t first, std::size_t count,
             const std::function<void(std::size_t i, std::byte* out)>& fill);
  // When all rows are written: readable from now on, named by commit().
  std::shared_ptr<TierFile> finish();

 private:
  TierShape shape_;
  std::string path_;
  std::unique_ptr<AtomicFile> file_;
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace kith
