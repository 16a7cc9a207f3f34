#include "index/string_sections.h"

#include <numeric>
#include <vector>

#include "kith/error.h"

namespace kith {

void save_strings(KithFileWriter& writer, Meta& meta, const std::string& key,
                  const std::string& prefix, const Labels& labels) {
  meta.set(key, static_cast<std::uint64_t>(labels.kind()));
  if (labels.kind() == Labels::Kind::numbers) {
    writer.add_array<std::uint64_t>(prefix + ".numbers", labels.numbers());
  } else if (labels.kind() == Labels::Kind::strings) {
    writer.add_array<std::uint64_t>(prefix + ".offsets", labels.offsets());
    writer.add(prefix + ".text", std::as_bytes(std::span(labels.bytes())));
  }
}

Labels load_strings(const KithFileReader& reader, const Meta& meta, const std::string& key,
                    const std::string& prefix, std::size_t count) {
  switch (static_cast<Labels::Kind>(meta.number(key, 2))) {
    case Labels::Kind::none:
      break;
    case Labels::Kind::numbers:
      return Labels::numbers_view(reader.array<std::uint64_t>(prefix + ".numbers", count),
                                  reader.owner());
    case Labels::Kind::strings: {
      const auto offsets = reader.array<std::uint64_t>(prefix + ".offsets", count + 1);
      const std::span<const std::byte> text = reader.bytes(prefix + ".text");
      try {
        return Labels::strings_view(
            offsets, {reinterpret_cast<const char*>(text.data()), text.size()}, reader.owner());
      } catch (const Error& error) {
        reader.fail(error.what());
      }
    }
  }
  return Labels();
}

Labels appended(const Labels& labels, std::size_t count, const Labels& tail, std::size_t more) {
  std::vector<std::uint32_t> rows(more);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(count));
  return labels.with(count, rows, tail);
}

std::size_t string_bytes(const Labels& labels) {
  return labels.numbers().size_bytes() + labels.offsets().size_bytes() + labels.bytes().size();
}

}  // namespace kith
