#include "store/items.h"

#include <algorithm>

#include "base/mapped_file.h"
#include "kith/error.h"

namespace kith::store {
namespace {

constexpr char kKind[] = "collection";
constexpr std::size_t kMostManifest = std::size_t{1} << 20;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

text::Dictionary read_ids(const KithFileReader& reader) {
  const auto section = [&](const char* name) {
    return reader.storage(name, reader.bytes(name).size());
  };
  try {
    return {section("ids.offsets"), section("ids.text"), section("ids.slots"), "ids"};
  } catch (const Error& error) {
    reader.fail(error.what());
  }
}

Labels read_records(const KithFileReader& reader, std::size_t items) {
  try {
    return Labels::strings_view(reader.array<std::uint64_t>("records.offsets", items + 1),
                                text_of(reader.bytes("records.text")), reader.owner());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::corrupt) throw;
    reader.fail(std::string("section records.offsets: ") + error.what());
  }
}

// Every item has a passage, and they stand in the order of items.
std::span<const Passage> read_passages(const KithFileReader& reader, std::size_t items,
                                       std::size_t rows) {
  const auto passages = reader.array<Passage>("passages", rows);
  std::size_t next = 0;
  for (const Passage& passage : passages) {
    const bool follows = passage.item == next || (next > 0 && passage.item == next - 1);
    if (!follows || passage.begin > passage.end) {
      reader.fail("section passages: out of order at item " + std::to_string(passage.item));
    }
    next = std::size_t{passage.item} + 1;
  }
  if (next != items) reader.fail("section passages: an item without a passage");
  return passages;
}

}  // namespace

Items Items::open(const std::string& path, bool verify) {
  const auto file = MappedFile::open(path);
  file->advise_random();
  return parse(file->bytes(), path, verify, file);
}

Items Items::parse(std::span<const std::byte> bytes, const std::string& name, bool verify,
                   std::shared_ptr<const void> owner) {
  Control control;
  const KithFileReader reader =
      KithFileReader::parse(bytes, name, verify, std::move(owner), control);
  const Meta meta = reader.meta();
  if (meta.string("kind") != kKind) {
    reader.fail("section meta: kind='" + meta.string("kind") + "', expected " + kKind);
  }
  const std::size_t items = meta.number("items", kMaxVectors);
  const std::size_t rows = meta.number("rows", kMaxVectors);
  text::Dictionary ids = read_ids(reader);
  if (items == 0 || ids.size() != items) {
    reader.fail("section meta: items=" + std::to_string(items) + ", but there are " +
                std::to_string(ids.size()) + " ids");
  }
  Labels records = read_records(reader, items);
  std::span<const Passage> passages;
  if (reader.has("passages")) passages = read_passages(reader, items, rows);
  if (passages.empty() && rows != items) reader.fail("section meta: more rows than items");
  const std::string_view manifest = text_of(reader.bytes("manifest"));
  if (manifest.size() > kMostManifest) reader.fail("section manifest: longer than 1 MiB");
  return {std::move(ids), std::move(records), passages,
          Json::parse(manifest, name + ": section manifest")};
}

std::string_view Items::passage(Id row, std::string_view text) const {
  if (passages_.empty()) return text;
  const Passage& passage = passages_[row];
  const std::size_t begin = std::min<std::size_t>(passage.begin, text.size());
  return text.substr(begin, passage.end - passage.begin);
}

Id Items::first_row(Id item) const {
  if (passages_.empty()) return item;
  const auto at = std::ranges::lower_bound(passages_, item, {}, &Passage::item);
  return static_cast<Id>(at - passages_.begin());
}

void write_items(const std::string& path, const ItemParts& parts, const Control& control) {
  const std::size_t items = parts.ids.size();
  Meta meta;
  meta.set("kind", std::string(kKind));
  meta.set("items", std::uint64_t{items});
  meta.set("rows", std::uint64_t{parts.passages.empty() ? items : parts.passages.size()});
  KithFileWriter writer;
  writer.add_text("meta", meta.text());
  writer.add_text("manifest",
                  parts.manifest.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  writer.add("ids.offsets", parts.ids.offset_bytes());
  writer.add("ids.text", parts.ids.text_bytes());
  writer.add("ids.slots", parts.ids.slot_bytes());
  writer.add_array("records.offsets", parts.record_offsets);
  writer.add("records.text", std::as_bytes(std::span(parts.records.data(), parts.records.size())));
  if (!parts.passages.empty()) writer.add_array("passages", parts.passages);
  writer.write(path, control);
}

}  // namespace kith::store
