// Centres and codewords of an inverted file that were learned elsewhere, such as by `kith train
// codec`, in place of those that a build learns by itself.
//
//   kith::BuildOptions options{.metric = kith::Metric::cosine};
//   options.trained = std::make_shared<kith::TrainedLists>(kith::TrainedLists::open("lists.kith"));
//   kith::Index index = kith::Index::build(rows, labels, options);
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "kith/types.h"

namespace kith {

struct ListsContent;

// Immutable; copies share memory.
class TrainedLists {
 public:
  explicit TrainedLists(std::shared_ptr<const ListsContent> content);
  // Throws not_found, corrupt, or unsupported for a newer file.
  static TrainedLists open(const std::string& path);
  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path) const;

  Metric metric() const;
  std::size_t dim() const;
  std::size_t lists() const;
  std::string codec() const;  // the product code: "pq16", or with a rotation "opq16"
  const ListsContent& content() const { return *content_; }

 private:
  std::shared_ptr<const ListsContent> content_;
};

}  // namespace kith
