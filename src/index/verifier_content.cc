#include "index/verifier_content.h"

#include <utility>

namespace kith {
namespace {

constexpr const char* kPrefix = "primary";  // of the codec's names, as in an index

}  // namespace

VerifierContent read_verifier(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  if (!meta.has("kind") || meta.string("kind") != kVerifierKind) {
    reader.fail("no verifier, which `kith build --verify` makes");
  }
  const auto metric = static_cast<Metric>(meta.number("metric", 2));
  const auto element = static_cast<ElementType>(meta.number("element", 4));
  const std::size_t dim = meta.number("dim", kMaxDim);
  const std::size_t rows = meta.number("vectors", kMaxVectors);
  if (dim == 0 || rows == 0) reader.fail("section meta: no dimensions or no vectors");
  VerifierContent content{metric, element, dim,
                          Stage::load(reader, meta, kPrefix, rows, dim, metric, true),
                          TierName::read(meta)};
  if (content.stage.reduced() != 0) reader.fail("section meta: reduced vectors verify");
  return content;
}

void save_verifier(KithFileWriter& writer, const VerifierContent& content) {
  Meta meta;
  meta.set("kind", kVerifierKind);
  meta.set("metric", static_cast<std::uint64_t>(content.metric));
  meta.set("element", static_cast<std::uint64_t>(content.element));
  meta.set("dim", std::uint64_t{content.dim});
  meta.set("vectors", std::uint64_t{content.stage.size()});
  content.stage.save(writer, meta, kPrefix);
  content.vectors.write(meta);
  writer.add_text("meta", meta.text());
}

}  // namespace kith
