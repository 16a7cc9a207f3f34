// What lists hold of their vectors in an inverted file of product codes: 4-bit codes of what the
// centre leaves over (Jegou, Douze and Schmid, 2011), in blocks that are scanned 32 codes at a
// time.
//
// A vector x of list c with decoded residual r stands for c + r, so with one table a query, of
// weight * <q, r>, every list can be scanned:
//   l2:      |q - x|^2 = |q - c|^2 - 2 <q, r> + (2 <c, r> + |r|^2)     the last a term a vector
//   ip:      -<q, x>   = -<q, c> - <q, r>
//   cosine:  1 - <q, x>, vectors and query of length 1
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/row_loader.h"
#include "base/storage.h"
#include "codec/product.h"
#include "index/cells.h"
#include "index/list_scan.h"
#include "kith/control.h"
#include "kith/types.h"

namespace kith {

class ListBlocks {
 public:
  ListBlocks() = default;  // without product codes: nothing
  ListBlocks(Metric metric, ProductQuantiser quantiser);

  bool none() const { return quantiser_.parts() == 0; }
  const ProductQuantiser& quantiser() const { return quantiser_; }

  // Of the same codes, lists of these sizes, to be filled.
  ListBlocks sized(std::span<const std::uint64_t> sizes) const;
  // Puts all of a list of `from` at the front of this one's.
  void take_list(const ListBlocks& from, std::size_t list);
  // Puts one code of it at another place.
  void take_code(const ListBlocks& from, std::size_t list, std::size_t from_place,
                 std::size_t place);
  // Puts the codes of rows behind those that the lists had: cells[i] is row i's list, `places` says
  // where each list goes on. Asks for each row once, in order.
  void fill(const RowLoader& load, std::span<const std::uint32_t> cells,
            std::vector<std::uint64_t> places, const Cells& of, const Control& control);

  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta) const;
  // None where the file has no product codes.
  static ListBlocks load(const KithFileReader& reader, const Meta& meta, Metric metric,
                         std::size_t dim, std::span<const std::uint64_t> sizes);

 private:
  friend class ProductScan;
  std::size_t block_bytes() const { return simd::block_bytes(quantiser_.padded_parts()); }
  std::size_t size_of(std::size_t list) const { return starts_[list + 1] - starts_[list]; }
  const std::uint8_t* list(std::size_t list) const {
    return blocks_.as<std::uint8_t>() + block_starts_[list] * block_bytes();
  }
  std::uint8_t* mutable_block(std::size_t list, std::size_t place);
  void set_starts(std::span<const std::uint64_t> sizes);
  // The code of a vector of the list, by which it works; returns its term.
  float encode(float* vector, const float* centre, std::uint8_t* code) const;
  void put(const std::uint8_t* code, float term, std::size_t list, std::size_t place);

  Metric metric_ = Metric::l2;
  ProductQuantiser quantiser_;
  std::vector<std::uint64_t> starts_, block_starts_;  // one a list and the end
  Storage blocks_;                                    // each list starts a new block
  Storage terms_;                                     // float a code, list after list; l2 only
};

// Keeps a reference. Preparing again reuses memory.
class ProductScan : public ListScan {
 public:
  // Queries of length 1 under cosine.
  void prepare(const ListBlocks& blocks, MatrixView<const float> queries);
  void scan(std::uint32_t list, std::size_t size, std::uint32_t next,
            std::span<const ListQuery> queries, simd::BlockScan* scans) override;

 private:
  const ListBlocks* blocks_ = nullptr;
  std::vector<ProductQuantiser::Tables> tables_;
};

}  // namespace kith
