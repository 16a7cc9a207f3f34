// Codewords of a product code that were learned elsewhere, such as by `kith train codec --kind vq`,
// in place of those of k-means (docs/codecs.md).
//
//   kith::BuildOptions options;
//   options.codebooks = std::make_shared<kith::TrainedCodebooks>(
//       kith::TrainedCodebooks::open("codebooks.kith"));
//   kith::Index index = kith::Index::build(rows, labels, options);
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "kith/types.h"

namespace kith {

class Codebooks;
struct CodebooksContent;

// Immutable; copies share memory.
class TrainedCodebooks {
 public:
  explicit TrainedCodebooks(std::shared_ptr<const CodebooksContent> content);
  // Throws not_found, corrupt, or unsupported for a newer file.
  static TrainedCodebooks open(const std::string& path);
  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path) const;

  Metric metric() const;
  std::size_t dim() const;
  std::string codec() const;  // "vq16x8": 16 parts of 8 bits

  std::shared_ptr<const Codebooks> codebooks() const;

 private:
  std::shared_ptr<const CodebooksContent> content_;
};

}  // namespace kith
