// Codes of 1 to 4 bits a dimension by a binariser, of vectors and of queries alike: a distance is
// the product of two vectors of small odd numbers, in whole numbers, over their lengths. They know
// directions only, so they are for cosine.
//
//   distance = 1 - <2 c_q - K, 2 c_x - K> / (|2 c_q - K| |2 c_x - K|)
//
// A record is the packed codes (simd/odd_codes.h; three bits take the room of four), and beside the
// records lies a binary16 each, 1 / |2 c_x - K|, unless it is the same for all (one bit). A vector
// is decoded by the linear map that errs least on what was trained on, and made 1 long.
#pragma once

#include <memory>
#include <vector>

#include "base/storage.h"
#include "codec/binariser.h"
#include "codec/codec.h"
#include "codec/spec.h"
#include "simd/kernels.h"
#include "simd/odd_codes.h"

namespace kith {

class Bits {
 public:
  struct Query {
    Query() = default;
    Query(Query&&) = default;  // moving a vector keeps its heap buffer in place
    Query& operator=(Query&&) = default;

    std::vector<std::uint8_t> codes, packed;  // packed: one bit
    std::vector<std::int8_t> buffer;          // over-allocated to reach 64-byte alignment
    std::int8_t* values = nullptr;
    std::int32_t sum = 0;
    float inverse_norm = 0;
  };
  static constexpr bool kScoresBest = true;

  // Throws invalid_argument for a metric other than cosine.
  Bits(std::size_t dim, Metric metric, const BitsWord& word = {BitsWord::Kind::signs, 1, 1});

  // What makes the codes of vectors and queries, before train(). Throws invalid_argument when it is
  // of other dimensions or bits.
  void take(std::shared_ptr<const Binariser> binariser);
  // From now on queries' codes are made by this one, trained to search the codes of binariser().
  // Throws invalid_argument when it wasn't.
  void read_queries_by(std::shared_ptr<const Binariser> binariser);
  const Binariser& binariser() const { return *binariser_; }
  std::size_t query_dim() const { return queries_ != nullptr ? queries_->dim : dim_; }
  bool reads_other_queries() const { return queries_ != nullptr; }
  // The vector, of length 1, that a query's code would stand for if it were a stored one: where
  // another model's query lies among this one's vectors.
  void decode_query(const float* query, float* out) const;

  // Without a binariser one is learned as the word says. Throws invalid_argument where that can't
  // be, and what learn_itq does.
  void train(MatrixView<const float> sample);
  void resize(std::size_t rows);
  void encode(Id id, const float* x);
  void decode(Id id, float* out) const;
  // Two directions, however bad the code.
  float error_bound(Id) const { return 2.0001F; }

  void prepare(const float* query, Query& out) const;
  // Of a vector like those that are stored.
  void prepare_row(const float* x, Query& out) const;
  void prepare_code(Id id, Query& out) const;
  void score(const Query& query, const Id* ids, std::size_t n, float* out) const;
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const {
    score(query, ids, n, out);
  }
  void score_range(const Query& query, Id first, std::size_t n, float* out) const;
  std::span<const std::byte> code(Id id) const { return {codes_.data() + id * bytes_, bytes_}; }
  // The code as numbers below 2^bits.
  void unpack(Id id, std::uint8_t* codes) const {
    simd::unpack_odd(lane_, codes_.data() + id * bytes_, word_.dims, codes);
  }
  void prefetch(Id id) const { prefetch_bytes(codes_.data() + id * bytes_, bytes_); }
  void prefetch_best(Id id) const { prefetch(id); }

  // A record: the code and its norm.
  Bits without_rows() const;
  std::size_t record_bytes() const { return bytes_ + (has_norms() ? sizeof(Half) : 0); }
  void get_record(Id id, std::byte* out) const;
  void put_record(Id id, const std::byte* record);

  std::size_t size() const { return size_; }
  std::size_t dim() const { return dim_; }
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

 private:
  int largest() const { return (1 << word_.bits) - 1; }
  bool has_norms() const { return word_.bits > 1; }
  void prepare_codes(Query& out) const;
  void decode_codes(const std::uint8_t* codes, float* out) const;
  void learn_decoder(MatrixView<const float> sample);
  // Of products as the kernels leave them.
  void finish(const Query& query, const std::int32_t* products, std::size_t n,
              const Half* inverse_norms, float* out) const;

  std::size_t dim_, size_ = 0;
  BitsWord word_;
  int lane_;           // bits that a dimension takes: 1, 2 or 4
  std::size_t bytes_;  // of a record
  std::shared_ptr<const Binariser> binariser_;
  std::shared_ptr<const Binariser> queries_;  // null: the same
  // dims x dim, of numbers divided by their length.
  std::shared_ptr<const Matrix<float>> decoder_ = std::make_shared<const Matrix<float>>();
  Storage codes_, norms_;
};

}  // namespace kith
