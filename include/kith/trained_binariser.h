// A binariser that was learned elsewhere, such as by `kith train codec`: it makes codes of few bits
// of vectors and of queries (docs/codecs.md).
//
//   kith::BuildOptions options{.metric = kith::Metric::cosine};
//   options.binariser = std::make_shared<kith::TrainedBinariser>(
//       kith::TrainedBinariser::open("binariser.kith"));
//   kith::Index index = kith::Index::build(rows, labels, options);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace kith {

struct Binariser;

// For cosine. Immutable; copies share memory.
class TrainedBinariser {
 public:
  explicit TrainedBinariser(std::shared_ptr<const Binariser> content);
  // Throws not_found, corrupt, or unsupported for a newer file.
  static TrainedBinariser open(const std::string& path);
  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path) const;

  std::size_t dim() const;
  std::string codec() const;  // "bits256x2": 256 dimensions of 2 bits
  // Codes of binarisers of different versions must not be compared, but for queries of one that is
  // compatible with another: that one's version, 0 where there is none.
  std::uint64_t version() const;
  std::uint64_t compatible() const;

  const std::shared_ptr<const Binariser>& content() const { return content_; }

 private:
  std::shared_ptr<const Binariser> content_;
};

}  // namespace kith
