#include "formats/kith_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/atomic_file.h"
#include "base/checksum.h"
#include "base/mapped_file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "simd/kernels.h"

namespace kith {
namespace {

constexpr char kMagic[8] = {'k', 'i', 't', 'h', '\r', '\n', '\x1a', '\0'};
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kNameBytes = 32;
constexpr std::size_t kMaxSections = 4096;
constexpr std::size_t kAlwaysVerified = std::size_t{1} << 20;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t section_count;
  std::uint64_t file_bytes;
  std::uint64_t table_checksum;  // of the section table
  char reserved[32];
};
static_assert(sizeof(Header) == kAlignment);

struct TableEntry {
  char name[kNameBytes];
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t checksum;
  std::uint64_t reserved;
};
static_assert(sizeof(TableEntry) == kAlignment);

std::uint64_t align(std::uint64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

void Meta::set(const std::string& key, double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  values_[key] = text;
}

std::string Meta::text() const {
  std::string text;
  for (const auto& [key, value] : values_) {
    text += key;
    text += '=';
    text += value;
    text += '\n';
  }
  return text;
}

Meta Meta::parse(std::string_view text, const std::string& source) {
  Meta meta;
  meta.source_ = source;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t equals = text.find('=');
    if (end == std::string_view::npos || equals == std::string_view::npos || equals > end) {
      throw Error(ErrorCode::corrupt, source + ": section meta: a line without key=value");
    }
    meta.values_[std::string(text.substr(0, equals))] =
        std::string(text.substr(equals + 1, end - equals - 1));
    text.remove_prefix(end + 1);
  }
  return meta;
}

const std::string& Meta::string(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    throw Error(ErrorCode::corrupt, source_ + ": section meta: no '" + key + "'");
  }
  return found->second;
}

std::uint64_t Meta::number(const std::string& key, std::uint64_t limit) const {
  const std::string& text = string(key);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > limit) {
    throw Error(ErrorCode::corrupt, source_ + ": section meta: " + key + "='" + text +
                                        "', expected a number up to " + std::to_string(limit));
  }
  return value;
}

double Meta::real(const std::string& key) const {
  const std::string& text = string(key);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    throw Error(ErrorCode::corrupt,
                source_ + ": section meta: " + key + "='" + text + "', expected a number");
  }
  return value;
}

void KithFileWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  if (name.empty() || name.size() >= kNameBytes) {
    throw Error(ErrorCode::invalid_argument, "section name '" + name + "': expected 1 to 31 bytes");
  }
  sections_.push_back({name, bytes});
}

void KithFileWriter::add_rows(const std::string& name, MatrixView<const float> rows) {
  std::vector<float> values;
  values.reserve(rows.rows() * rows.cols());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    values.insert(values.end(), rows.row(i), rows.row(i) + rows.cols());
  }
  add_copy<float>(name, values);
}

void KithFileWriter::add_text(const std::string& name, std::string text) {
  texts_.push_back(std::make_unique<std::string>(std::move(text)));
  add(name, std::as_bytes(std::span(texts_.back()->data(), texts_.back()->size())));
}

void KithFileWriter::write(const std::string& path, const Control& control,
                           std::uint32_t version) const {
  AtomicFile file(path);
  write(file, control, version);
  file.commit();
}

void KithFileWriter::write(AtomicFile& file, const Control& control, std::uint32_t version) const {
  std::vector<TableEntry> table(sections_.size());
  std::uint64_t offset = sizeof(Header) + table.size() * sizeof(TableEntry);
  std::size_t total = 0;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    std::memset(&table[i], 0, sizeof(TableEntry));
    std::memcpy(table[i].name, sections_[i].name.data(), sections_[i].name.size());
    table[i].offset = offset;
    table[i].size = sections_[i].bytes.size();
    table[i].checksum = checksum(sections_[i].bytes);
    offset = align(offset + table[i].size);
    total += table[i].size;
  }

  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = version;
  header.section_count = static_cast<std::uint32_t>(table.size());
  header.file_bytes = offset;
  header.table_checksum = checksum(std::as_bytes(std::span(table)));

  file.write(&header, sizeof header);
  file.write(table.data(), table.size() * sizeof(TableEntry));
  Progress progress(control, "save", total);
  constexpr std::size_t kPiece = std::size_t{4} << 20;
  static constexpr char kZeros[kAlignment] = {};
  for (const Section& section : sections_) {
    for (std::size_t done = 0; done < section.bytes.size(); done += kPiece) {
      throw_if_cancelled(control);
      const std::size_t piece = std::min(kPiece, section.bytes.size() - done);
      file.write(section.bytes.data() + done, piece);
      progress.add(piece);
    }
    file.write(kZeros, align(file.size()) - file.size());
  }
  throw_if_cancelled(control);
}

bool KithFileReader::recognises(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof kMagic && std::memcmp(bytes.data(), kMagic, sizeof kMagic) == 0;
}

KithFileReader KithFileReader::open(const std::string& path, bool verify, const Control& control) {
  auto file = MappedFile::open(path);
  return parse(file->bytes(), path, verify, file, control);
}

KithFileReader KithFileReader::read(const std::string& path, bool verify, const Control& control) {
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  const auto file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  const auto copy = std::make_shared<Storage>(bytes.size());
  std::byte* const to = copy->mutable_data();
  parallel_for(control, (bytes.size() + kPiece - 1) / kPiece, 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 const std::size_t first = begin * kPiece;
                 const std::size_t last = std::min(end * kPiece, bytes.size());
                 std::memcpy(to + first, bytes.data() + first, last - first);
               });
  return parse(copy->bytes(), path, verify, copy, control);
}

KithFileReader KithFileReader::parse(std::span<const std::byte> bytes, std::string name,
                                     bool verify, std::shared_ptr<const void> owner,
                                     const Control& control) {
  KithFileReader reader;
  reader.name_ = std::move(name);
  reader.owner_ = std::move(owner);
  reader.verified_ = verify;
  if (!recognises(bytes)) reader.fail("not a kith file (wrong magic at byte 0)");
  if (bytes.size() < sizeof(Header)) {
    reader.fail("truncated: " + std::to_string(bytes.size()) + " bytes, the header needs 64");
  }
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  reader.version_ = header.version;
  if (header.version > kFileVersion) {
    throw Error(ErrorCode::unsupported,
                reader.name_ + ": file version " + std::to_string(header.version) +
                    ", this kith reads up to " + std::to_string(kFileVersion) +
                    ": a newer kith wrote it");
  }
  if (header.version == 0) reader.fail("file version 0, expected 1 or more");
  if (header.file_bytes != bytes.size()) {
    reader.fail("truncated or extended: " + std::to_string(bytes.size()) +
                " bytes, the header says " + std::to_string(header.file_bytes));
  }
  if (header.section_count > kMaxSections ||
      header.section_count > (bytes.size() - sizeof(Header)) / sizeof(TableEntry)) {
    reader.fail("section count " + std::to_string(header.section_count) +
                " at byte 12 is too large");
  }
  std::vector<TableEntry> table(header.section_count);
  if (!table.empty()) {
    std::memcpy(table.data(), bytes.data() + sizeof(Header), table.size() * sizeof(TableEntry));
  }
  if (checksum(std::as_bytes(std::span(table))) != header.table_checksum) {
    reader.fail("the section table at byte 64 fails its checksum");
  }
  for (const TableEntry& entry : table) {
    if (entry.name[0] == '\0' || entry.name[kNameBytes - 1] != '\0') {
      reader.fail("a section without a name");
    }
    if (entry.offset % kAlignment != 0 || entry.offset > bytes.size() ||
        entry.size > bytes.size() - entry.offset) {
      reader.fail("section " + std::string(entry.name) + " lies outside the file");
    }
    reader.sections_.push_back({entry.name, bytes.subspan(entry.offset, entry.size)});
  }

  parallel_for(control, table.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::span<const std::byte> section = reader.sections_[i].bytes;
      if (!verify && section.size() > kAlwaysVerified) continue;
      if (checksum(section) != table[i].checksum) {
        reader.fail("section " + reader.sections_[i].name + " at byte " +
                    std::to_string(table[i].offset) + " fails its checksum");
      }
    }
  });
  return reader;
}

bool KithFileReader::has(std::string_view section) const {
  for (const Section& s : sections_) {
    if (s.name == section) return true;
  }
  return false;
}

std::span<const std::byte> KithFileReader::bytes(std::string_view section) const {
  for (const Section& s : sections_) {
    if (s.name == section) return s.bytes;
  }
  fail("no section " + std::string(section));
}

Meta KithFileReader::meta() const {
  const std::span<const std::byte> raw = bytes("meta");
  return Meta::parse({reinterpret_cast<const char*>(raw.data()), raw.size()}, name_);
}

void KithFileReader::fail(const std::string& reason) const {
  throw Error(ErrorCode::corrupt, name_ + ": " + reason);
}

void KithFileReader::fail_size(std::string_view section, std::size_t seen,
                               std::size_t expected) const {
  fail("section " + std::string(section) + " has " + std::to_string(seen) + " bytes, expected " +
       std::to_string(expected));
}

Matrix<float> KithFileReader::rows(std::string_view section, std::size_t rows,
                                   std::size_t cols) const {
  const std::span<const float> values = array<float>(section, rows * cols);
  if (!simd::all_finite(values.data(), values.size())) {
    fail("section " + std::string(section) + ": a number that isn't finite");
  }
  Matrix<float> result(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) std::copy_n(&values[i * cols], cols, result.row(i));
  return result;
}

}  // namespace kith
