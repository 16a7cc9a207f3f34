// What a collection holds beside its indexes, in one .kith file: each item's id and record, and
// where items were cut into passages. docs/format.md describes it. Records and ids stay mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/kith_file.h"
#include "json/json.h"
#include "kith/labels.h"
#include "kith/types.h"
#include "text/dictionary.h"

namespace kith::store {

// What both indexes hold a row of: bytes [begin, end) of an item's text.
struct Passage {
  std::uint32_t item, begin, end;
};

class Items {
 public:
  // Throws corrupt, or unsupported for a newer version. Without `verify` only small sections'
  // checksums are checked; what is found is inside the file all the same.
  static Items open(const std::string& path, bool verify);
  static Items parse(std::span<const std::byte> bytes, const std::string& name, bool verify,
                     std::shared_ptr<const void> owner);

  std::size_t size() const { return records_.size(); }
  std::size_t rows() const { return passages_.empty() ? size() : passages_.size(); }

  std::string_view id(Id item) const { return ids_[item]; }
  std::optional<Id> find(std::string_view id) const { return ids_.find(id); }
  // A JSON object; kith ingest checked it.
  std::string_view record(Id item) const { return records_.string(item); }

  bool has_passages() const { return !passages_.empty(); }
  Id item_of(Id row) const { return passages_.empty() ? row : passages_[row].item; }
  // That part of the item's text; all of it where texts aren't cut.
  std::string_view passage(Id row, std::string_view text) const;
  // The item's rows are [first_row(item), first_row(item + 1)).
  Id first_row(Id item) const;

  // What the collection was made of and how.
  const Json& manifest() const { return manifest_; }

 private:
  Items(text::Dictionary ids, Labels records, std::span<const Passage> passages, Json manifest)
      : ids_(std::move(ids)),
        records_(std::move(records)),
        passages_(passages),
        manifest_(std::move(manifest)) {}

  text::Dictionary ids_;
  Labels records_;  // keeps the file alive
  std::span<const Passage> passages_;
  Json manifest_;
};

struct ItemParts {
  const text::Dictionary& ids;
  std::span<const std::uint64_t> record_offsets;  // one more than items
  std::string_view records;
  std::span<const Passage> passages = {};  // by item; none: items are whole
  nlohmann::json manifest;
};
void write_items(const std::string& path, const ItemParts& parts, const Control& control);

}  // namespace kith::store
