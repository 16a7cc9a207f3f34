// Locally-adaptive vector quantisation (Aguerrebere et al., "Similarity search in the blink of an
// eye with compressed indices", 2023): the mean is removed, then each vector is rounded to 2^Bits
// levels between its own smallest and largest component. With Bits2 > 0 a second level codes the
// first one's residual on 2^Bits2 levels of each step: search reads the first level only,
// re-ranking both. Factors are float32, so nothing is lost to narrow constants.
//
// Error: at most step / 2 a component for one level; at most step / 2^Bits2 for two (half that but
// where the top level is clamped).
#pragma once

#include <cstring>
#include <vector>

#include "codec/scaled_records.h"

namespace kith {

template <int Bits, int Bits2 = 0>
class Lvq {
 public:
  static constexpr bool kTwoLevels = Bits2 > 0;

  struct Query {
    PackedQuery packed;         // first level, int8
    std::vector<float> values;  // centred under l2; for score_best
    simd::ScaledQuery best1, best2;
    bool packed_best = false;  // whether score_best goes by these:
    FineQuery fine1, fine2;
  };

  Lvq(std::size_t dim, Metric metric);

  void train(MatrixView<const float> sample);  // the mean
  void resize(std::size_t rows);
  void encode(Id id, const float* x);
  void decode(Id id, float* out) const;
  float error_bound(Id id) const;

  void prepare(const float* query, Query& out) const;
  // After prepare: what makes score_best quicker by a third, and pays from some 50 vectors on.
  void prepare_for_many(Query& query) const;
  void score(const Query& query, const Id* ids, std::size_t n, float* out) const {
    level1_.score_int8(query.packed.scaled, ids, n, out);
  }
  void score_best(const Query& query, const Id* ids, std::size_t n, float* out) const;
  void score_range(const Query& query, Id first, std::size_t n, float* out) const {
    level1_.score_int8_range(query.packed.scaled, first, n, out);
  }
  std::span<const std::byte> code(Id id) const { return level1_.record(id); }
  void prefetch(Id id) const { level1_.prefetch(id); }
  void prefetch_best(Id id) const {
    if constexpr (Bits2 > 0) level2_.prefetch(id);
    level1_.prefetch(id);
  }

  Lvq without_rows() const {
    Lvq copy(dim_, metric_);
    copy.mean_ = mean_;
    return copy;
  }
  // Both levels, one after the other.
  std::size_t record_bytes() const {
    return level1_.record_bytes() + (Bits2 > 0 ? level2_.record_bytes() : 0);
  }
  void get_record(Id id, std::byte* out) const {
    std::memcpy(out, level1_.record(id).data(), level1_.record_bytes());
    if constexpr (Bits2 > 0) {
      std::memcpy(out + level1_.record_bytes(), level2_.record(id).data(), level2_.record_bytes());
    }
  }
  void put_record(Id id, const std::byte* record) {
    level1_.put_record(id, record);
    if constexpr (Bits2 > 0) level2_.put_record(id, record + level1_.record_bytes());
  }

  std::size_t size() const { return size_; }
  std::size_t dim() const { return dim_; }
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

 private:
  static constexpr int kLevels = (1 << Bits) - 1;
  static constexpr int kFine = 1 << Bits2;  // second-level parts of a step
  static constexpr float kHalfFine = static_cast<float>(kFine) / 2;

  std::size_t dim_, size_ = 0;
  Metric metric_;
  std::vector<float> mean_;
  ScaledRecords level1_;
  ScaledRecords level2_;  // empty when Bits2 == 0
  const simd::RowKernels* dot_;
};

extern template class Lvq<4>;
extern template class Lvq<8>;
extern template class Lvq<4, 4>;
extern template class Lvq<4, 8>;
extern template class Lvq<8, 8>;

}  // namespace kith
