// PKWARE's APPNOTE.TXT 6.3: local headers with the files, a central directory, an end record.
#include "formats/zip.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/bytes.h"

namespace kith::formats {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kLocatorBytes = 20;
constexpr std::uint32_t kIn64 = 0xffffffff;  // the value stands in a 64-bit field elsewhere
constexpr std::uint16_t kCountIn64 = 0xffff;
constexpr std::size_t kMostEntries = 1 << 20;

struct Directory {
  std::uint64_t entries, offset;
};

// The end record is the last but for a comment of up to 65,535 bytes.
std::size_t find_end(const Input& in) {
  constexpr std::size_t kMostComment = 0xffff;
  if (in.bytes.size() >= kEndBytes) {
    const std::size_t last = in.bytes.size() - kEndBytes;
    const std::size_t first = last - std::min(last, kMostComment);
    for (std::size_t at = last + 1; at-- > first;) {
      if (load<std::uint32_t>(in.bytes.data() + at) == kEnd) return at;
    }
  }
  corrupt_at(in, in.bytes.size(), "a zip archive without its end: is the file cut off?");
}

Directory find_directory(const Input& in) {
  const std::size_t end = find_end(in);
  const std::byte* record = in.bytes.data() + end;
  Directory directory{load<std::uint16_t>(record + 10), load<std::uint32_t>(record + 16)};
  if (directory.entries != kCountIn64 && directory.offset != kIn64) return directory;
  if (end < kLocatorBytes ||
      load<std::uint32_t>(in.bytes.data() + end - kLocatorBytes) != kLocator64) {
    return directory;  // so many entries and no more
  }
  const auto at = load<std::uint64_t>(in.bytes.data() + end - kLocatorBytes + 8);
  if (at > in.bytes.size() || read_at<std::uint32_t>(in, at, "the zip64 end") != kEnd64) {
    corrupt_at(in, end - kLocatorBytes, "points to no zip64 end record");
  }
  directory.entries = read_at<std::uint64_t>(in, at + 32, "the zip64 end");
  directory.offset = read_at<std::uint64_t>(in, at + 48, "the zip64 end");
  return directory;
}

// The 64-bit values of a central header's extra field, in the order in which they are missing.
class Extra64 {
 public:
  Extra64(const Input& in, std::size_t begin, std::size_t end) : in_(in) {
    for (std::size_t at = begin; at + 4 <= end;) {
      const auto id = load<std::uint16_t>(in.bytes.data() + at);
      const std::size_t size = load<std::uint16_t>(in.bytes.data() + at + 2);
      if (size > end - at - 4) return;
      if (id == 1) {
        at_ = at + 4;
        end_ = at_ + size;
        return;
      }
      at += 4 + size;
    }
  }

  std::uint64_t value(std::uint32_t short_form) {
    if (short_form != kIn64) return short_form;
    if (end_ - at_ < sizeof(std::uint64_t)) corrupt_at(in_, at_, "a 64-bit size is missing");
    at_ += sizeof(std::uint64_t);
    return load<std::uint64_t>(in_.bytes.data() + at_ - sizeof(std::uint64_t));
  }

 private:
  const Input& in_;
  std::size_t at_ = 0, end_ = 0;
};

void refuse_packed(const Input& in, const std::string& name, unsigned flags, unsigned method) {
  if ((flags & 1) != 0) {
    throw Error(ErrorCode::unsupported, in.name + ": '" + name + "' is encrypted");
  }
  if (method != 0) {
    throw Error(
        ErrorCode::unsupported,
        in.name + ": '" + name + "' is compressed; save it with numpy.savez, not savez_compressed");
  }
}

// Where a file's bytes begin: behind its local header, whose extra field may be another one.
std::size_t begin_of(const Input& in, std::uint64_t header, const std::string& name) {
  if (header > in.bytes.size() || read_at<std::uint32_t>(in, header, "a file's header") != kLocal) {
    corrupt_at(in, std::min<std::uint64_t>(header, in.bytes.size()),
               "no header of '" + name + "' there");
  }
  const std::size_t name_bytes = read_at<std::uint16_t>(in, header + 26, "a file's header");
  const std::size_t extra_bytes = read_at<std::uint16_t>(in, header + 28, "a file's header");
  return header + kLocalBytes + name_bytes + extra_bytes;
}

}  // namespace

std::vector<ZipEntry> read_stored_zip(const Input& in) {
  const Directory directory = find_directory(in);
  if (directory.offset > in.bytes.size() ||
      directory.entries > (in.bytes.size() - directory.offset) / kCentralBytes ||
      directory.entries > kMostEntries) {
    corrupt_at(in, in.bytes.size() - kEndBytes,
               std::to_string(directory.entries) + " files listed at byte " +
                   std::to_string(directory.offset) + " don't fit the archive");
  }
  std::vector<ZipEntry> entries;
  std::size_t at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    constexpr const char* kWhat = "the list of files";
    if (read_at<std::uint32_t>(in, at, kWhat) != kCentral) {
      corrupt_at(in, at, "expected entry " + std::to_string(i) + " of the list of files");
    }
    const auto flags = read_at<std::uint16_t>(in, at + 8, kWhat);
    const auto method = read_at<std::uint16_t>(in, at + 10, kWhat);
    const auto packed = read_at<std::uint32_t>(in, at + 20, kWhat);
    const auto whole = read_at<std::uint32_t>(in, at + 24, kWhat);
    const std::size_t name_bytes = read_at<std::uint16_t>(in, at + 28, kWhat);
    const std::size_t extra_bytes = read_at<std::uint16_t>(in, at + 30, kWhat);
    const std::size_t comment_bytes = read_at<std::uint16_t>(in, at + 32, kWhat);
    const auto header = read_at<std::uint32_t>(in, at + 42, kWhat);
    const std::size_t extra = at + kCentralBytes + name_bytes;
    if (extra + extra_bytes + comment_bytes > in.bytes.size()) {
      corrupt_at(in, at, "the list of files is cut off");
    }
    const std::string name(in.text().substr(at + kCentralBytes, name_bytes));
    Extra64 in64(in, extra, extra + extra_bytes);
    const std::uint64_t size = in64.value(whole), packed_size = in64.value(packed);
    const std::size_t begin = begin_of(in, in64.value(header), name);
    refuse_packed(in, name, flags, method);
    if (size != packed_size || begin > in.bytes.size() || size > in.bytes.size() - begin) {
      corrupt_at(
          in, at,
          "'" + name + "' of " + std::to_string(size) + " bytes doesn't lie inside the archive");
    }
    entries.push_back({name, in.bytes.subspan(begin, size)});
    at = extra + extra_bytes + comment_bytes;
  }
  return entries;
}

bool looks_like_zip(const Input& in) {
  if (in.bytes.size() < sizeof(std::uint32_t)) return false;
  const auto first = load<std::uint32_t>(in.bytes.data());
  return first == kLocal || first == kEnd;
}

}  // namespace kith::formats
