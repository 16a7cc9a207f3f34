// PKWARE's APPNOTE.TXT 6.3, with its 64-bit extensions.
#include "formats/zip_writer.h"

#include <array>
#include <string_view>

namespace kith::formats {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint16_t kVersion64 = 45, kExtra64 = 1;
constexpr std::uint16_t kFirstDay = 0x21;  // 1 January 1980: the same bytes for the same content
constexpr std::uint32_t kIn64 = 0xffffffff;
constexpr std::uint16_t kCountIn64 = 0xffff;
constexpr std::size_t kCrcAt = 14;  // in a local header

// CRC-32 of ISO 3309, eight bytes at a time.
class Crc32 {
 public:
  Crc32() {
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0xedb88320u : 0u);
      tables_[0][i] = value;
    }
    for (std::size_t t = 1; t < 8; ++t) {
      for (std::size_t i = 0; i < 256; ++i) {
        const std::uint32_t before = tables_[t - 1][i];
        tables_[t][i] = (before >> 8) ^ tables_[0][before & 0xff];
      }
    }
  }

  std::uint32_t add(std::uint32_t crc, const unsigned char* data, std::size_t size) const {
    crc = ~crc;
    for (; size >= 8; data += 8, size -= 8) {
      std::uint32_t next = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        next ^= tables_[7 - i][(data[i] ^ (crc >> (8 * i))) & 0xff];
        next ^= tables_[3 - i][data[4 + i]];
      }
      crc = next;
    }
    for (; size > 0; ++data, --size) crc = (crc >> 8) ^ tables_[0][(crc ^ *data) & 0xff];
    return ~crc;
  }

 private:
  std::array<std::array<std::uint32_t, 256>, 8> tables_{};
};

const Crc32& crc32() {
  static const Crc32 crc;
  return crc;
}

// Numbers in little-endian order.
class Record {
 public:
  Record& u16(std::uint64_t value) { return put(value, 2); }
  Record& u32(std::uint64_t value) { return put(value, 4); }
  Record& u64(std::uint64_t value) { return put(value, 8); }
  Record& text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& put(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
    return *this;
  }
  std::string bytes_;
};

// Version, flags, method "stored", time and date: what both headers share.
void add_common(Record& record) { record.u16(kVersion64).u16(0).u16(0).u16(0).u16(kFirstDay); }

}  // namespace

void StoredZipWriter::begin(const std::string& name) {
  entries_.push_back({.name = name, .offset = file_.size()});
  Record header;
  header.u32(kLocal);
  add_common(header);
  header.u32(0).u32(kIn64).u32(kIn64).u16(name.size()).u16(20).text(name);
  header.u16(kExtra64).u16(16).u64(0).u64(0);
  file_.write(header.bytes());
}

void StoredZipWriter::write(const void* data, std::size_t size) {
  Entry& entry = entries_.back();
  entry.crc = crc32().add(entry.crc, static_cast<const unsigned char*>(data), size);
  entry.bytes += size;
  file_.write(data, size);
}

void StoredZipWriter::end() {
  constexpr std::size_t kNameAt = 30;
  const Entry& entry = entries_.back();
  const std::string crc = Record().u32(entry.crc).bytes();
  const std::string sizes = Record().u64(entry.bytes).u64(entry.bytes).bytes();
  file_.write_at(entry.offset + kCrcAt, crc.data(), crc.size());
  file_.write_at(entry.offset + kNameAt + entry.name.size() + 4, sizes.data(), sizes.size());
}

void StoredZipWriter::finish() {
  const std::uint64_t directory = file_.size();
  for (const Entry& entry : entries_) {
    Record header;
    header.u32(kCentral).u16(kVersion64);
    add_common(header);
    header.u32(entry.crc).u32(kIn64).u32(kIn64).u16(entry.name.size()).u16(28);
    header.u16(0).u16(0).u16(0).u32(0).u32(kIn64).text(entry.name);
    header.u16(kExtra64).u16(24).u64(entry.bytes).u64(entry.bytes).u64(entry.offset);
    file_.write(header.bytes());
  }
  const std::uint64_t end = file_.size(), size = end - directory, count = entries_.size();
  Record record;
  record.u32(kEnd64).u64(44).u16(kVersion64).u16(kVersion64).u32(0).u32(0);
  record.u64(count).u64(count).u64(size).u64(directory);
  record.u32(kLocator64).u32(0).u64(end).u32(1);
  record.u32(kEnd).u16(0).u16(0).u16(kCountIn64).u16(kCountIn64).u32(kIn64).u32(kIn64).u16(0);
  file_.write(record.bytes());
}

}  // namespace kith::formats
