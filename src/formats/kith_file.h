// The container of every file kith writes for itself: a header, a table of named sections, and the
// sections, each 64-byte aligned with a checksum that is verified before its content is trusted.
// docs/format.md describes the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/storage.h"
#include "kith/control.h"
#include "kith/error.h"
#include "kith/matrix.h"

namespace kith {

class AtomicFile;

// The newest version read; what an inverted file has whose lists are of stored codes, an index
// whose vectors are in a second file (tier_file.h), one with removed vectors, and any other.
inline constexpr std::uint32_t kFileVersion = 6;
inline constexpr std::uint32_t kListRowsFileVersion = 6;
inline constexpr std::uint32_t kTieredFileVersion = 5;
inline constexpr std::uint32_t kRemovedFileVersion = 4;
inline constexpr std::uint32_t kPlainFileVersion = 3;

// Small facts as "key=value" lines, kept in the section "meta".
class Meta {
 public:
  void set(const std::string& key, std::string value) { values_[key] = std::move(value); }
  void set(const std::string& key, std::uint64_t value) { values_[key] = std::to_string(value); }
  void set(const std::string& key, double value);

  std::string text() const;
  // `source` names the file in errors.
  static Meta parse(std::string_view text, const std::string& source);

  bool has(const std::string& key) const { return values_.count(key) != 0; }
  const std::string& string(const std::string& key) const;
  // Throws corrupt when missing, not a number, or above `limit`.
  std::uint64_t number(const std::string& key, std::uint64_t limit = ~std::uint64_t{0}) const;
  double real(const std::string& key) const;

 private:
  std::map<std::string, std::string> values_;
  std::string source_ = "meta";
};

class KithFileWriter {
 public:
  // The bytes are borrowed until write().
  void add(const std::string& name, std::span<const std::byte> bytes);
  template <class T>
  void add_array(const std::string& name, std::span<const T> values) {
    add(name, std::as_bytes(values));
  }
  // Keeps its own copy.
  void add_text(const std::string& name, std::string text);
  template <class T>
  void add_copy(const std::string& name, std::span<const T> values) {
    add_text(name, std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
  }

  // Row after row, without padding; keeps its own copy.
  void add_rows(const std::string& name, MatrixView<const float> rows);

  // Writes all sections in the order they were added; atomic (see AtomicFile).
  void write(const std::string& path, const Control& control,
             std::uint32_t version = kPlainFileVersion) const;
  // The same into a file that the caller commits.
  void write(AtomicFile& file, const Control& control, std::uint32_t version) const;

 private:
  struct Section {
    std::string name;
    std::span<const std::byte> bytes;
  };
  std::vector<Section> sections_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

class KithFileReader {
 public:
  struct Section {
    std::string name;
    std::span<const std::byte> bytes;
  };

  // Maps the file. With `verify`, every section's checksum is checked (in parallel); without, only
  // the header's and those of sections up to 1 MiB.
  static KithFileReader open(const std::string& path, bool verify, const Control& control = {});
  // Reads the file into memory, on huge pages where granted, instead of mapping it.
  static KithFileReader read(const std::string& path, bool verify, const Control& control = {});
  // The same over bytes that `owner` keeps alive; `name` is used in errors.
  static KithFileReader parse(std::span<const std::byte> bytes, std::string name, bool verify,
                              std::shared_ptr<const void> owner, const Control& control = {});
  // True when the bytes begin like one of these files.
  static bool recognises(std::span<const std::byte> bytes);

  const std::string& name() const { return name_; }
  std::uint32_t version() const { return version_; }
  // Whether every section's checksum was checked.
  bool verified() const { return verified_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  bool has(std::string_view section) const;
  // Throws corrupt naming the section when it is missing.
  std::span<const std::byte> bytes(std::string_view section) const;
  // Exactly `count` values of T; throws corrupt when the size differs.
  template <class T>
  std::span<const T> array(std::string_view section, std::size_t count) const {
    const std::span<const std::byte> raw = bytes(section);
    if (raw.size() / sizeof(T) != count || raw.size() % sizeof(T) != 0) {
      fail_size(section, raw.size(), count * sizeof(T));
    }
    return {reinterpret_cast<const T*>(raw.data()), count};
  }
  // What add_rows() wrote. Throws corrupt for another size and for numbers that aren't finite.
  Matrix<float> rows(std::string_view section, std::size_t rows, std::size_t cols) const;
  Storage storage(std::string_view section, std::size_t bytes) const {
    return Storage::view(array<std::byte>(section, bytes), owner_);
  }
  Meta meta() const;
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  [[noreturn]] void fail_size(std::string_view section, std::size_t seen,
                              std::size_t expected) const;

  std::string name_;
  std::uint32_t version_ = 0;
  bool verified_ = false;
  std::vector<Section> sections_;
  std::shared_ptr<const void> owner_;
};

}  // namespace kith
