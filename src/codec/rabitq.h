// RaBitQ (Gao and Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound
// for approximate nearest neighbor search", 2024; with more than one bit: Gao et al., "Practical
// and asymptotically optimal quantization of high-dimensional vectors in Euclidean space for
// approximate nearest neighbor search", 2025).
//
// Vectors must have been rotated at random (Stage does it). What is left of one beyond an origin,
// r = x - c, keeps its direction as the point z of the grid {+-1/2, +-3/2, ... +-(2^bits -
// 1)/2}^dim of the best cosine g with r, and two numbers: |r|^2 and f = |r|^2 / <r, z>. Over
// rotations,
//
//   f <q - c, z>   is an unbiased estimate of   <q - c, r>,
//
// for f z is r and an error at right angles to it that points anywhere. That error's length, e =
// |r| sqrt(1 / g^2 - 1), is stored too: the estimate is off by at most epsilon e |q - c| / sqrt(dim
// - 1) but for a share of rotations that falls as exp(-c epsilon^2); see estimate_error.
//
// Decoding gives c + f z, whose distance to x is e. It halves with each bit from the second on.
#pragma once

#include <vector>

#include "codec/scaled_records.h"

namespace kith {

class Rabitq {
 public:
  static constexpr int kMaxBits = 8;
  // As in the paper; 94 % of estimates between unrelated vectors are within, of near ones more.
  static constexpr float kEpsilon = 1.9f;

  struct Query {
    PackedQuery packed;         // int8
    std::vector<float> values;  // less the collection's mean; for score_best
    simd::ScaledQuery best;
    float distance = 0;  // to the origin
  };

  Rabitq(std::size_t dim, Metric metric, int bits = 1);

  void train(MatrixView<const float> sample);  // the mean: codes are relative to it
  void resize(std::size_t rows);
  void encode(Id id, const float* x) { encode(id, x, mean_.data()); }
  void decode(Id id, float* out) const { decode(id, mean_.data(), out); }
  float error_bound(Id id) const { return errors_.as<float>()[id]; }

  // Codes relative to another origin, `dim` floats: the centre of a list, say. The id's code is
  // then to be decoded and estimated with that origin.
  void encode(Id id, const float* x, const float* origin);
  void decode(Id id, const float* origin, float* out) const;

  void prepare(const float* query, Query& out) const;
  // Makes a prepared query one for codes relative to `origin`: O(dim), and cheap, for only a
  // constant changes.
  void move_to(const float* query, const float* origin, Query& out) const;

  void score(const Query& query, const Id* ids, std::size_t n, float* out) const {
    records_.score_int8(query.packed.scaled, ids, n, out);
  }
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const {
    records_.score_float(query.best, ids, n, out);
  }
  void score_range(const Query& query, Id first, std::size_t n, float* out) const {
    records_.score_int8_range(query.packed.scaled, first, n, out);
  }
  // How far score_best's distance may be off, with the confidence that `epsilon` stands for. The
  // query's rounding in score() comes on top.
  float estimate_error(const Query& query, Id id, float epsilon = kEpsilon) const;

  std::span<const std::byte> code(Id id) const { return records_.record(id); }
  void prefetch(Id id) const { records_.prefetch(id); }
  void prefetch_best(Id id) const { records_.prefetch(id); }

  int bits() const { return records_.bits(); }
  std::size_t size() const { return size_; }
  std::size_t dim() const { return dim_; }
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

 private:
  float middle() const { return static_cast<float>((1 << bits()) - 1) / 2; }
  void set_constant(const float* query, const float* origin, Query& out) const;

  std::size_t dim_, size_ = 0;
  Metric metric_;
  std::vector<float> mean_;
  // step is f and low what makes codes signed; norm is what is added to an estimate: |r|^2 under
  // l2,
  // -<c, r> otherwise, and what an origin other than the mean adds (encode).
  ScaledRecords records_;
  Storage errors_;  // a float a vector
  const simd::RowKernels *l2_, *dot_;
};

}  // namespace kith
