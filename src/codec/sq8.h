// Global scalar quantisation: every dimension is rounded to 256 levels between the smallest and
// largest value that the training sample has there; values outside are clamped. The baseline that
// locally-adaptive codes are measured against.
//
// Error: at most half a dimension's step inside the trained range; the overshoot more outside it.
#pragma once

#include <cstring>
#include <vector>

#include "codec/scaled_records.h"

namespace kith {

class Sq8 {
 public:
  struct Query {
    PackedQuery packed;
    std::vector<float> values;  // query times each dimension's step
    simd::ScaledQuery best;
  };

  Sq8(std::size_t dim, Metric metric);

  void train(MatrixView<const float> sample);
  void resize(std::size_t rows);
  void encode(Id id, const float* x);
  void decode(Id id, float* out) const;
  float error_bound(Id id) const;

  void prepare(const float* query, Query& out) const;
  void score(const Query& query, const Id* ids, std::size_t n, float* out) const {
    records_.score_int8(query.packed.scaled, ids, n, out);
  }
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const {
    records_.score_float(query.best, ids, n, out);
  }
  void score_range(const Query& query, Id first, std::size_t n, float* out) const {
    records_.score_int8_range(query.packed.scaled, first, n, out);
  }
  std::span<const std::byte> code(Id id) const { return records_.record(id); }
  void prefetch(Id id) const { records_.prefetch(id); }
  void prefetch_best(Id id) const { records_.prefetch(id); }

  Sq8 without_rows() const {
    Sq8 copy(dim_, metric_);
    copy.middle_ = middle_;
    copy.step_ = step_;
    return copy;
  }
  std::size_t record_bytes() const { return records_.record_bytes(); }
  void get_record(Id id, std::byte* out) const {
    std::memcpy(out, records_.record(id).data(), record_bytes());
  }
  void put_record(Id id, const std::byte* record) { records_.put_record(id, record); }

  std::size_t size() const { return size_; }
  std::size_t dim() const { return dim_; }
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

 private:
  static constexpr float kMiddle = 127.5f;  // codes are used as code - kMiddle: sums stay small

  std::size_t dim_, size_ = 0;
  Metric metric_;
  std::vector<float> middle_, step_;  // x_j is about middle_j + step_j * (code_j - kMiddle)
  ScaledRecords records_;             // low holds the Euclidean overshoot of clamped components
};

}  // namespace kith
