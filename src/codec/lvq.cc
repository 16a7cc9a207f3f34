#include "codec/lvq.h"

#include <algorithm>
#include <cmath>

#include "codec/mean.h"
#include "codec/step.h"

namespace kith {
namespace {

// To the nearest integer, ties to the even one, below 2^22. The library's own is a call that loops
// aren't vectorised around.
float rounded(float x) {
  constexpr float kUnitsInTheLastPlace = 0x1.8p23f;
  return (x + kUnitsInTheLastPlace) - kUnitsInTheLastPlace;
}

}  // namespace

template <int Bits, int Bits2>
Lvq<Bits, Bits2>::Lvq(std::size_t dim, Metric metric)
    : dim_(dim),
      metric_(metric),
      mean_(dim, 0.0f),
      level1_(Bits, dim),
      level2_(std::max(Bits2, 4), dim),
      dot_(&simd::float_query_kernels(ElementType::f32, simd::Op::dot)) {}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::train(MatrixView<const float> sample) {
  mean_ = column_means(sample);
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::resize(std::size_t rows) {
  size_ = rows;
  level1_.resize(rows);
  if constexpr (Bits2 > 0) level2_.resize(rows);
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::encode(Id id, const float* x) {
  thread_local std::vector<float> centred;
  thread_local std::vector<std::uint8_t> codes, fine_codes;
  centred.resize(dim_);
  codes.resize(dim_);
  fine_codes.resize(dim_);
  for (std::size_t j = 0; j < dim_; ++j) centred[j] = x[j] - mean_[j];
  float low = 0, high = 0;
  simd::min_max(centred.data(), dim_, &low, &high);
  const float step = (high - low) / static_cast<float>(kLevels);
  const float inverse = inverse_of(step);

  const float fine_step = step / static_cast<float>(kFine);
  const float fine_inverse = inverse_of(fine_step);
  double norm = 0, fine_norm = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const float level = rounded((centred[j] - low) * inverse);
    const float code = std::clamp(level, 0.0f, static_cast<float>(kLevels));
    codes[j] = static_cast<std::uint8_t>(code);
    const float value = low + step * code;
    norm += static_cast<double>(value) * value;
    if constexpr (Bits2 > 0) {
      const float fine = rounded((centred[j] - value) * fine_inverse) + kHalfFine;
      const float fine_code = std::clamp(fine, 0.0f, static_cast<float>(kFine - 1));
      fine_codes[j] = static_cast<std::uint8_t>(fine_code);
      const float joint = value + fine_step * (fine_code - kHalfFine);
      fine_norm += static_cast<double>(joint) * joint;
    }
  }
  level1_.put(id, codes.data(), {static_cast<float>(norm), low, step});
  if constexpr (Bits2 > 0) {
    level2_.put(id, fine_codes.data(),
                {static_cast<float>(fine_norm), low - fine_step * kHalfFine, fine_step});
  }
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::decode(Id id, float* out) const {
  const ScaleFactors first = level1_.factors(id);
  if constexpr (Bits2 == 0) {
    level1_.decode(id, first.low, first.step, mean_.data(), out);
  } else {
    const ScaleFactors last = level2_.factors(id);
    level1_.decode(id, last.low, first.step, mean_.data(), out);
    level2_.decode(id, 0, last.step, out, out);
  }
}

template <int Bits, int Bits2>
float Lvq<Bits, Bits2>::error_bound(Id id) const {
  const ScaleFactors first = level1_.factors(id);
  const float component = Bits2 == 0 ? first.step / 2 : first.step / static_cast<float>(kFine);
  // Float rounding while encoding and decoding: a few units in the last place of the largest value.
  double largest = std::abs(first.low) + first.step * kLevels;
  for (float m : mean_) largest = std::max<double>(largest, std::abs(m) + largest * 0x1p-20);
  const double error = component * (1 + 1e-5) + 8 * largest * 0x1p-23;
  return static_cast<float>(error * std::sqrt(static_cast<double>(dim_)));
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::prepare(const float* query, Query& out) const {
  out.packed_best = false;
  out.values.resize(dim_);
  const bool l2 = metric_ == Metric::l2;
  float* const values = out.values.data();
  float constant;
  if (l2) {
    for (std::size_t j = 0; j < dim_; ++j) values[j] = query[j] - mean_[j];
    constant = simd::norm_squared(values, dim_);
  } else {
    std::copy_n(query, dim_, values);
    float with_mean;
    dot_->many(values, mean_.data(), 0, 1, dim_, &with_mean);
    constant = (metric_ == Metric::cosine ? 1.0f : 0.0f) - with_mean;
  }
  const float weight = l2 ? -2.0f : -1.0f;

  const float scale = level1_.pack(out.values.data(), out.packed);
  simd::ScaledQuery& fast = out.packed.scaled;
  fast.constant = constant;
  fast.norm_weight = l2 ? 1.0f : 0.0f;
  // The rounded query's own sum: <rounded q, x> stays consistent, so no error is common to all.
  fast.low_weight = weight * scale * level1_.packed_sum(out.packed);
  fast.step_weight = weight * scale;

  simd::ScaledQuery best;
  best.values = out.values.data();
  best.constant = constant;
  best.norm_weight = fast.norm_weight;
  best.low_weight = weight * simd::sum(values, dim_);
  best.step_weight = weight;
  if constexpr (Bits2 == 0) {
    out.best1 = best;
  } else {
    out.best2 = best;  // the second level's record carries the joint norm and offset
    out.best1 = {out.values.data(), 0, 0, 0, weight};
  }
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::prepare_for_many(Query& query) const {
  query.packed_best = true;
  level1_.pack_fine(query.best1, query.fine1);
  if constexpr (Bits2 > 0) level2_.pack_fine(query.best2, query.fine2);
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::score_best(const Query& query, const Id* ids, std::size_t n,
                                  float* out) const {
  const auto score = [&](const ScaledRecords& records, const simd::ScaledQuery& best,
                         const FineQuery& fine, const Id* some, std::size_t count, float* to) {
    query.packed_best ? records.score_fine(fine, some, count, to)
                      : records.score_float(best, some, count, to);
  };
  score(level1_, query.best1, query.fine1, ids, n, out);
  if constexpr (Bits2 > 0) {
    add_scores(ids, n, out, [&](const Id* some, std::size_t count, float* second) {
      score(level2_, query.best2, query.fine2, some, count, second);
    });
  }
}

template <int Bits, int Bits2>
ByteCounts Lvq<Bits, Bits2>::bytes() const {
  ByteCounts counts{{"mean", mean_.size() * sizeof(float)}, {"codes", level1_.bytes()}};
  if constexpr (Bits2 > 0) counts.emplace_back("residuals", level2_.bytes());
  return counts;
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::save(KithFileWriter& writer, Meta&, const std::string& prefix) const {
  writer.add_array<float>(prefix + ".mean", mean_);
  writer.add(prefix + ".codes", level1_.storage().bytes());
  if constexpr (Bits2 > 0) writer.add(prefix + ".residuals", level2_.storage().bytes());
}

template <int Bits, int Bits2>
void Lvq<Bits, Bits2>::load(const KithFileReader& reader, const Meta&, const std::string& prefix,
                            std::size_t rows) {
  const std::span<const float> mean = reader.array<float>(prefix + ".mean", dim_);
  mean_.assign(mean.begin(), mean.end());
  size_ = rows;
  level1_.load(reader, prefix + ".codes", rows);
  if constexpr (Bits2 > 0) level2_.load(reader, prefix + ".residuals", rows);
}

template class Lvq<4>;
template class Lvq<8>;
template class Lvq<4, 4>;
template class Lvq<4, 8>;
template class Lvq<8, 8>;

}  // namespace kith
