// Vectors stored component by component: f32, f16, bf16, and bytes that stay bytes (u8, i8).
// f32 and the byte types are exact; f16 rounds to 11 and bf16 to 8 significant bits.
#pragma once

#include <cstdint>
#include <vector>

#include "base/storage.h"
#include "codec/codec.h"
#include "simd/kernels.h"

namespace kith {

template <class T>
class Plain {
 public:
  struct Query {
    std::vector<float> values;
    std::vector<T> bytes;   // byte codecs, when the query itself is made of such bytes
    bool integral = false;  // then integer kernels give exact results
    float scale = 1;        // byte codecs under cosine: 1 / |query|
  };
  static constexpr bool kScoresBest = true;

  Plain(std::size_t dim, Metric metric);

  void train(MatrixView<const float>) {}
  void resize(std::size_t rows);
  // Throws invalid_argument for what can't be stored: byte codecs a component that isn't an integer
  // of their range, f16 one that would round to infinity.
  void encode(Id id, const float* x);
  void decode(Id id, float* out) const;
  float error_bound(Id id) const;

  void prepare(const float* query, Query& out) const;
  void score(const Query& query, const Id* ids, std::size_t n, float* out) const;
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const {
    score(query, ids, n, out);
  }
  void score_range(const Query& query, Id first, std::size_t n, float* out) const;
  std::span<const std::byte> code(Id id) const { return {rows_.data() + id * stride_, stride_}; }
  void prefetch(Id id) const { prefetch_bytes(rows_.data() + id * stride_, stride_); }
  void prefetch_best(Id id) const { prefetch(id); }

  std::size_t size() const { return size_; }
  std::size_t dim() const { return dim_; }
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

  Plain without_rows() const { return Plain(dim_, metric_); }
  std::size_t record_bytes() const { return stride_ + (scaled() ? sizeof(float) : 0); }
  void get_record(Id id, std::byte* out) const;
  void put_record(Id id, const std::byte* record);

  // The stored rows themselves.
  MatrixView<const T> rows() const { return {rows_.as<T>(), size_, dim_, stride_}; }

 private:
  static constexpr bool kBytes = sizeof(T) == 1;
  bool scaled() const { return kBytes && metric_ == Metric::cosine; }
  void finish(const Query& query, const Id* ids, Id first, std::size_t n, float* out) const;

  std::size_t dim_, stride_, size_ = 0;
  Metric metric_;
  Storage rows_;
  Storage scales_;  // byte codecs under cosine: 1 / |row|, a float a row
  const simd::RowKernels* float_query_;
  const simd::RowKernels* same_type_;
};

extern template class Plain<float>;
extern template class Plain<Half>;
extern template class Plain<BFloat16>;
extern template class Plain<std::uint8_t>;
extern template class Plain<std::int8_t>;

}  // namespace kith
