// Product codes of any number of bits a part, one after the other in a record, by codewords that
// k-means or a trainer learned (codebooks.h). Flat indexes scan them, graphs are walked on them,
// and they re-rank; searches add up, part by part, entries of a table that a query makes once.
//
//   distance = sum over the parts of |q_m - w|^2, or of -<q_m, w> and, under cosine, 1 more
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/storage.h"
#include "codec/codebooks.h"
#include "codec/codec.h"
#include "codec/spec.h"
#include "kith/control.h"

namespace kith {

class Vq {
 public:
  struct Query {
    std::vector<float> table;  // [part * words + word]
    float constant = 0;
  };

  // Throws invalid_argument where there are more parts than dimensions.
  Vq(std::size_t dim, Metric metric, const VqWord& word = {1, 1});

  // Codewords that were learned elsewhere, before train(). Throws invalid_argument for those of
  // other dimensions, parts or bits.
  void take(std::shared_ptr<const Codebooks> codebooks);
  const Codebooks& codebooks() const { return *codebooks_; }

  // k-means, unless codewords were taken.
  void train(MatrixView<const float> sample, std::uint64_t seed = 1, const Control& control = {});
  void resize(std::size_t rows);
  void encode(Id id, const float* x);
  void decode(Id id, float* out) const;
  // The largest error of all vectors that were encoded.
  float error_bound(Id) const { return largest_error_; }

  void prepare(const float* query, Query& out) const;
  void score(const Query& query, const Id* ids, std::size_t n, float* out) const;
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const {
    score(query, ids, n, out);
  }
  void score_range(const Query& query, Id first, std::size_t n, float* out) const;
  std::span<const std::byte> code(Id id) const { return {codes_.data() + id * bytes_, bytes_}; }
  // A codeword's number a part.
  void unpack(Id id, std::uint32_t* code) const;
  void prefetch(Id id) const { prefetch_bytes(codes_.data() + id * bytes_, bytes_); }
  void prefetch_best(Id id) const { prefetch(id); }

  std::size_t size() const { return size_; }
  std::size_t dim() const { return codebooks_->dim(); }
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

 private:
  // Calls use(i, sum of the table's entries) for rows row_of(0) to row_of(n - 1).
  template <class RowOf, class Use>
  void add_up(const Query& query, std::size_t n, const RowOf& row_of, const Use& use) const;

  Metric metric_;
  std::shared_ptr<const Codebooks> codebooks_;
  std::size_t bytes_, size_ = 0;
  float largest_error_ = 0;
  Storage codes_;
};

}  // namespace kith
