#include "formats/tier_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"
#include "kith/matrix.h"

namespace kith {
namespace {

constexpr char kMagic[8] = {'k', 't', 'i', 'e', 'r', '\r', '\n', '\x1a'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPage = TierFile::kPage;
constexpr std::size_t kSumBytes = sizeof(std::uint64_t);  // after each record
constexpr std::size_t kCodecBytes = 48;
constexpr std::size_t kMostRecordBytes = std::size_t{1} << 24;
constexpr std::size_t kMostRead = std::size_t{4} << 20;       // that a call holds at a time
constexpr std::size_t kLongestRead = std::size_t{256} << 10;  // longer ones are shared

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t dim;
  std::uint64_t rows;
  std::uint64_t record_bytes;
  std::uint64_t identity;
  char codec[kCodecBytes];
  std::uint64_t checksum;  // of what stands before
};
static_assert(sizeof(Header) == 96);

std::uint64_t page_below(std::uint64_t offset) { return offset / kPage * kPage; }
std::uint64_t page_above(std::uint64_t offset) { return page_below(offset + kPage - 1); }

std::size_t stride(const TierShape& shape) { return shape.record_bytes + kSumBytes; }
std::uint64_t offset_of(const TierShape& shape, std::size_t row) {
  return kPage + std::uint64_t{row} * stride(shape);
}
std::size_t bytes_of(const TierShape& shape) { return page_above(offset_of(shape, shape.rows)); }

// With the row in it, so that a record in another's place is noticed.
std::uint64_t sum_of(std::span<const std::byte> record, std::size_t row) {
  return checksum(record) + row;
}
// Sums of rows are added up in any order; equal changes of two must not cancel out.
std::uint64_t scattered(std::uint64_t sum) { return checksum(std::as_bytes(std::span(&sum, 1))); }

Header make_header(const TierShape& shape, std::uint64_t sums) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.dim = static_cast<std::uint32_t>(shape.dim);
  header.rows = shape.rows;
  header.record_bytes = shape.record_bytes;
  std::memcpy(header.codec, shape.codec.data(), shape.codec.size());
  header.identity = sums;
  header.identity = checksum(std::as_bytes(std::span(&header, 1)));
  header.checksum =
      checksum(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum)));
  return header;
}

[[noreturn]] void corrupt(const std::string& file, const std::string& reason) {
  throw Error(ErrorCode::corrupt, file + ": " + reason);
}

// A thread's room for what it reads, from a page's beginning on.
std::byte* room_for(std::size_t bytes) {
  thread_local Storage room;  // whole pages
  if (room.size() < bytes) room = Storage(bytes);
  return room.mutable_data();
}

}  // namespace

TierHeader TierHeader::parse(std::span<const std::byte> bytes, const std::string& file) {
  if (bytes.size() < sizeof(Header)) {
    corrupt(file, "truncated: " + std::to_string(bytes.size()) + " bytes, the header needs " +
                      std::to_string(sizeof(Header)));
  }
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    corrupt(file, "not the vectors of a kith index (wrong magic at byte 0)");
  }
  if (header.version > kVersion) {
    throw Error(ErrorCode::unsupported, file + ": file version " + std::to_string(header.version) +
                                            ", this kith reads up to " + std::to_string(kVersion) +
                                            ": a newer kith wrote it");
  }
  if (header.checksum != checksum(bytes.first(offsetof(Header, checksum)))) {
    corrupt(file, "the header at byte 0 fails its checksum");
  }
  if (header.version == 0 || header.dim == 0 || header.dim > kMaxDim || header.rows > kMaxVectors ||
      header.record_bytes == 0 || header.record_bytes > kMostRecordBytes ||
      header.codec[kCodecBytes - 1] != '\0') {
    corrupt(file, "the header at byte 0 says what can't be");
  }
  return {{header.codec, header.dim, header.rows, header.record_bytes}, header.identity};
}

TierFile::TierFile(std::string path, int fd, TierShape shape, std::uint64_t identity,
                   const TierOptions& options)
    : path_(std::move(path)),
      fd_(fd),
      shape_(std::move(shape)),
      identity_(identity),
      cache_(options.cache_bytes, shape_.record_bytes) {
  try {
    reads_ = ManyReads::make(fd_, path_, options.way);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

TierFile::~TierFile() {
  reads_.reset();
  ::close(fd_);
}

std::shared_ptr<TierFile> TierFile::open(const std::string& path, const TierShape& shape,
                                         std::uint64_t identity, const TierOptions& options) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | (options.direct ? O_DIRECT : 0));
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) {
      throw Error(ErrorCode::not_found, path + ": the file of the index's vectors has vanished");
    }
    throw Error(
        ErrorCode::io,
        path + ": cannot open: " + std::strerror(error) +
            (options.direct && error == EINVAL ? " (its file system can't read directly)" : ""));
  }
  std::shared_ptr<TierFile> file(new TierFile(path, fd, shape, identity, options));
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::io, path + ": not a regular file");
  }
  if (!options.direct) ::posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < kPage) {
    corrupt(path, "truncated: " + std::to_string(size) + " bytes, the header needs " +
                      std::to_string(kPage));
  }
  Storage page(kPage);
  const ReadPiece piece{0, kPage, page.mutable_data()};
  file->reads_->read(std::span(&piece, 1));
  const TierHeader seen = TierHeader::parse(page.bytes(), path);
  const auto expect = [&](const char* what, const auto& there, const auto& wanted) {
    if (there == wanted) return;
    std::string text = path + ": ";
    if constexpr (requires { std::to_string(there); }) {
      text += std::to_string(there) + " " + what + ", but the index has " + std::to_string(wanted);
    } else {
      text += std::string(what) + " '" + there + "', but the index has '" + wanted + "'";
    }
    throw Error(ErrorCode::corrupt, text + ": it belongs to another index");
  };
  expect("dimensions", seen.shape.dim, shape.dim);
  expect("vectors", seen.shape.rows, shape.rows);
  expect("codec", seen.shape.codec, shape.codec);
  expect("bytes a vector", seen.shape.record_bytes, shape.record_bytes);
  if (seen.identity != identity) {
    corrupt(path,
            "belongs to another index, or its index to another build: expected the file "
            "that was built with it");
  }
  if (size != bytes_of(shape)) {
    corrupt(path, "truncated or extended: " + std::to_string(size) + " bytes, the header says " +
                      std::to_string(bytes_of(shape)));
  }
  return file;
}

std::size_t TierFile::file_bytes() const { return bytes_of(shape_); }

TierCounts TierFile::counts() const { return {records_, cached_, read_count_, read_bytes_}; }

void TierFile::sync() {
  if (unnamed_ != nullptr) unnamed_->sync();
}

void TierFile::commit() {
  if (unnamed_ == nullptr) return;
  unnamed_->commit();
  unnamed_.reset();
}

const std::byte* TierFile::checked(const std::byte* record, std::size_t row) const {
  std::uint64_t expected;
  std::memcpy(&expected, record + shape_.record_bytes, sizeof expected);
  if (sum_of({record, shape_.record_bytes}, row) != expected) {
    corrupt(path_, "vector " + std::to_string(row) + " at byte " +
                       std::to_string(offset_of(shape_, row)) + " fails its checksum");
  }
  return record;
}

void TierFile::fetch(std::span<const Id> ids, const Take& take) const {
  std::vector<std::byte> record(shape_.record_bytes);
  std::vector<std::uint32_t> missing;
  missing.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (cache_.get(ids[i], record.data())) {
      take(i, record.data());
    } else {
      missing.push_back(static_cast<std::uint32_t>(i));
    }
  }
  records_ += ids.size();
  cached_ += ids.size() - missing.size();
  const std::size_t most = std::max<std::size_t>(1, kMostRead / (stride(shape_) + 2 * kPage));
  for (std::size_t first = 0; first < missing.size(); first += most) {
    const std::size_t count = std::min(most, missing.size() - first);
    fetch_some(ids, std::span(missing).subspan(first, count), take);
  }
}

void TierFile::fetch_some(std::span<const Id> ids, std::span<const std::uint32_t> places,
                          const Take& take) const {
  std::vector<ReadPiece> pieces;  // of whole pages; a page is read once
  std::vector<std::pair<std::size_t, std::size_t>> found(places.size());  // piece, first byte there
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint64_t begin = offset_of(shape_, ids[places[i]]);
    const std::uint64_t end = page_above(begin + stride(shape_));
    const bool joins = !pieces.empty() &&
                       page_below(begin) <= pieces.back().offset + pieces.back().bytes &&
                       end - pieces.back().offset <= std::max<std::size_t>(kLongestRead, 2 * kPage);
    if (!joins) {
      const std::uint64_t first = page_below(begin);
      pieces.push_back({first, 0, nullptr});
    }
    ReadPiece& piece = pieces.back();
    bytes -= piece.bytes;
    piece.bytes = std::max(piece.bytes, static_cast<std::size_t>(end - piece.offset));
    bytes += piece.bytes;
    found[i] = {pieces.size() - 1, static_cast<std::size_t>(begin - piece.offset)};
  }
  std::byte* to = room_for(bytes);
  for (ReadPiece& piece : pieces) {
    piece.to = to;
    to += piece.bytes;
  }
  reads_->read(pieces);
  read_count_ += pieces.size();
  read_bytes_ += bytes;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Id id = ids[places[i]];
    const std::byte* const record = checked(pieces[found[i].first].to + found[i].second, id);
    cache_.put(id, record);
    take(places[i], record);
  }
}

void TierFile::verify(const Control& control) const {
  constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
  const std::size_t piece = std::max<std::size_t>(1, kPieceBytes / stride(shape_));
  std::atomic<std::uint64_t> sums{0};
  Progress progress(control, "verify", shape_.rows);
  parallel_for(control, shape_.rows, piece, [&](std::size_t begin, std::size_t end, std::size_t) {
    const std::uint64_t first = page_below(offset_of(shape_, begin));
    const std::size_t bytes = page_above(offset_of(shape_, end)) - first;
    const ReadPiece all{first, bytes, room_for(bytes)};
    reads_->read(std::span(&all, 1));
    std::uint64_t own = 0;
    for (std::size_t row = begin; row < end; ++row) {
      const std::byte* const record = checked(all.to + (offset_of(shape_, row) - first), row);
      own += scattered(sum_of({record, shape_.record_bytes}, row));
    }
    sums += own;
    progress.add(end - begin);
  });
  if (make_header(shape_, sums).identity != identity_) {
    corrupt(path_, "its vectors aren't those that it was built of");
  }
}

TierWriter::TierWriter(const std::string& path, TierShape shape)
    : shape_(std::move(shape)), path_(path), file_(std::make_unique<AtomicFile>(path)) {
  if (shape_.codec.size() >= kCodecBytes || shape_.record_bytes > kMostRecordBytes) {
    throw Error(ErrorCode::invalid_argument, path + ": codec '" + shape_.codec + "' of " +
                                                 std::to_string(shape_.record_bytes) +
                                                 " bytes a vector, expected shorter ones");
  }
}

void TierWriter::write(std::size_t first, std::size_t count,
                       const std::function<void(std::size_t i, std::byte* out)>& fill) {
  std::vector<std::byte> bytes(count * stride(shape_));
  std::uint64_t own = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* const record = bytes.data() + i * stride(shape_);
    fill(i, record);
    const std::uint64_t sum = sum_of({record, shape_.record_bytes}, first + i);
    std::memcpy(record + shape_.record_bytes, &sum, sizeof sum);
    own += scattered(sum);
  }
  sum_ += own;
  file_->place(offset_of(shape_, first), bytes.data(), bytes.size());
}

std::shared_ptr<TierFile> TierWriter::finish() {
  const Header header = make_header(shape_, sum_);
  std::vector<std::byte> page(kPage);
  std::memcpy(page.data(), &header, sizeof header);
  file_->place(0, page.data(), page.size());
  const std::uint64_t end = offset_of(shape_, shape_.rows);
  const std::vector<std::byte> zeros(page_above(end) - end);
  file_->place(end, zeros.data(), zeros.size());
  const int fd = ::fcntl(file_->descriptor(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw Error(ErrorCode::io, path_ + ": cannot open: " + std::strerror(errno));
  std::shared_ptr<TierFile> made(
      new TierFile(path_, fd, shape_, header.identity, TierOptions{.way = parse_read_way("")}));
  made->unnamed_ = std::move(file_);
  return made;
}

}  // namespace kith
