#include "codec/plain.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "kith/error.h"

namespace kith {
namespace {

constexpr float kHalfLimit = 65520;  // rounds to binary16's infinity

template <class T>
bool fits(float value) {
  return value >= static_cast<float>(std::numeric_limits<T>::min()) &&
         value <= static_cast<float>(std::numeric_limits<T>::max()) &&
         std::nearbyint(value) == value;
}

[[noreturn]] void refuse(Id id, std::size_t column, float value, ElementType type,
                         const char* expected) {
  throw Error(ErrorCode::invalid_argument, "row " + std::to_string(id) + ", column " +
                                               std::to_string(column) + ": " +
                                               std::to_string(value) + " cannot be stored as " +
                                               std::string(name(type)) + ", expected " + expected);
}

}  // namespace

template <class T>
Plain<T>::Plain(std::size_t dim, Metric metric)
    : dim_(dim), stride_(dim * sizeof(T)), metric_(metric) {
  const simd::Op op = metric == Metric::l2 ? simd::Op::l2 : simd::Op::dot;
  float_query_ = &simd::float_query_kernels(kElementType<T>, op);
  same_type_ = &simd::same_type_kernels(kElementType<T>, op);
}

template <class T>
void Plain<T>::resize(std::size_t rows) {
  size_ = rows;
  rows_.resize(rows * stride_);
  if (scaled()) scales_.resize(rows * sizeof(float));
}

template <class T>
void Plain<T>::encode(Id id, const float* x) {
  if constexpr (kBytes) {
    for (std::size_t j = 0; j < dim_; ++j) {
      if (!fits<T>(x[j])) refuse(id, j, x[j], kElementType<T>, "an integer of its range");
    }
    if (scaled()) {
      const float norm = std::sqrt(simd::norm_squared(x, dim_));
      scales_.mutable_as<float>()[id] = norm > 0 ? 1 / norm : 0;
    }
  }
  if constexpr (std::is_same_v<T, Half>) {
    for (std::size_t j = 0; j < dim_; ++j) {
      if (!(std::abs(x[j]) < kHalfLimit)) refuse(id, j, x[j], ElementType::f16, "less than 65520");
    }
  }
  std::byte* row = rows_.mutable_data() + id * stride_;
  if constexpr (std::is_same_v<T, float>) {
    std::memcpy(row, x, stride_);
  } else {
    simd::from_float(kElementType<T>, x, dim_, row);
  }
}

template <class T>
void Plain<T>::decode(Id id, float* out) const {
  simd::to_float(kElementType<T>, rows_.data() + id * stride_, dim_, out);
}

// f16 has 10 stored bits (half a unit in the last place: 2^-11 of the value, 2^-25 when subnormal),
// bf16 has 7 (2^-8). The bound uses the decoded values, which are within that of the true ones.
template <class T>
float Plain<T>::error_bound(Id id) const {
  if constexpr (kBytes || std::is_same_v<T, float>) {
    return 0;
  } else {
    const double relative = std::is_same_v<T, Half> ? 0x1p-11 : 0x1p-8;
    const double absolute = std::is_same_v<T, Half> ? 0x1p-25 : 0x1p-134;
    std::vector<float> x(dim_);
    decode(id, x.data());
    double sum = 0;
    for (float value : x) {
      const double error = std::abs(value) * relative * (1 + 2 * relative) + absolute;
      sum += error * error;
    }
    return static_cast<float>(std::sqrt(sum) * (1 + 1e-6));
  }
}

template <class T>
void Plain<T>::prepare(const float* query, Query& out) const {
  out.values.assign(query, query + dim_);
  if constexpr (kBytes) {
    out.integral = true;
    for (std::size_t j = 0; j < dim_; ++j) out.integral = out.integral && fits<T>(query[j]);
    if (out.integral) {
      out.bytes.resize(dim_);
      simd::from_float(kElementType<T>, query, dim_, out.bytes.data());
    }
    if (scaled()) {
      const float norm = std::sqrt(simd::norm_squared(query, dim_));
      out.scale = norm > 0 ? 1 / norm : 0;
    }
  }
}

template <class T>
void Plain<T>::get_record(Id id, std::byte* out) const {
  std::memcpy(out, rows_.data() + id * stride_, stride_);
  if (scaled()) std::memcpy(out + stride_, scales_.as<float>() + id, sizeof(float));
}

template <class T>
void Plain<T>::put_record(Id id, const std::byte* record) {
  std::memcpy(rows_.mutable_data() + id * stride_, record, stride_);
  if (scaled()) std::memcpy(scales_.mutable_as<float>() + id, record + stride_, sizeof(float));
}

// Turns the kernels' dot products into distances; squared l2 is one already.
template <class T>
void Plain<T>::finish(const Query& query, const Id* ids, Id first, std::size_t n,
                      float* out) const {
  if (metric_ == Metric::l2) return;
  if (metric_ == Metric::ip) {
    for (std::size_t i = 0; i < n; ++i) out[i] = -out[i];
    return;
  }
  if (!scaled()) {
    for (std::size_t i = 0; i < n; ++i) out[i] = 1 - out[i];
    return;
  }
  const float* scales = scales_.as<float>();
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t id = ids != nullptr ? ids[i] : first + i;
    out[i] = 1 - out[i] * query.scale * scales[id];
  }
}

template <class T>
void Plain<T>::score(const Query& query, const Id* ids, std::size_t n, float* out) const {
  if (kBytes && query.integral) {
    same_type_->gather(query.bytes.data(), rows_.data(), stride_, ids, n, dim_, out);
  } else {
    float_query_->gather(query.values.data(), rows_.data(), stride_, ids, n, dim_, out);
  }
  finish(query, ids, 0, n, out);
}

template <class T>
void Plain<T>::score_range(const Query& query, Id first, std::size_t n, float* out) const {
  const std::byte* start = rows_.data() + first * stride_;
  if (kBytes && query.integral) {
    same_type_->many(query.bytes.data(), start, stride_, n, dim_, out);
  } else {
    float_query_->many(query.values.data(), start, stride_, n, dim_, out);
  }
  finish(query, nullptr, first, n, out);
}

template <class T>
ByteCounts Plain<T>::bytes() const {
  ByteCounts counts{{"rows", rows_.size()}};
  if (scaled()) counts.emplace_back("scales", scales_.size());
  return counts;
}

template <class T>
void Plain<T>::save(KithFileWriter& writer, Meta&, const std::string& prefix) const {
  writer.add(prefix + ".rows", rows_.bytes());
  if (scaled()) writer.add(prefix + ".scales", scales_.bytes());
}

template <class T>
void Plain<T>::load(const KithFileReader& reader, const Meta&, const std::string& prefix,
                    std::size_t rows) {
  size_ = rows;
  rows_ = reader.storage(prefix + ".rows", rows * stride_);
  if (scaled()) scales_ = reader.storage(prefix + ".scales", rows * sizeof(float));
}

template class Plain<float>;
template class Plain<Half>;
template class Plain<BFloat16>;
template class Plain<std::uint8_t>;
template class Plain<std::int8_t>;

}  // namespace kith
