// The storage that the scalar codecs share: a record a vector, [codes][norm][low][step], as the
// kernels of simd/kernels.h read it; it stands for low + step * code. 4-byte strides, or 64-byte
// ones where that adds little memory and saves cache lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/storage.h"
#include "codec/codec.h"
#include "simd/kernels.h"

namespace kith {

struct ScaleFactors {
  float norm = 0;  // squared norm of the vector the record stands for
  float low = 0;
  float step = 0;
};

// A query for one array of records: the packed values and the weights of the kernels' formula.
struct PackedQuery {
  PackedQuery() = default;
  PackedQuery(PackedQuery&&) = default;  // moving a vector keeps its heap buffer in place
  PackedQuery& operator=(PackedQuery&&) = default;

  std::vector<std::int8_t> buffer;  // over-allocated to reach 64-byte alignment
  std::int8_t* values = nullptr;
  simd::ScaledQuery scaled;
};

// A query in two packed parts, the second what rounding took from the first: 15 bits a value, and
// twice the integer sums of one part, which take less time than the sums in float.
struct FineQuery {
  PackedQuery coarse, rest;
};

// Adds to out[i] what score(ids, n, scores) gives for ids[i], a piece at a time.
template <class Score>
void add_scores(const Id* ids, std::size_t n, float* out, const Score& score) {
  constexpr std::size_t kPiece = 64;
  float scores[kPiece];
  for (std::size_t done = 0; done < n; done += kPiece) {
    const std::size_t piece = std::min(kPiece, n - done);
    score(ids + done, piece, scores);
    for (std::size_t i = 0; i < piece; ++i) out[done + i] += scores[i];
  }
}

class ScaledRecords {
 public:
  ScaledRecords(int bits, std::size_t dim)
      : bits_(bits),
        dim_(dim),
        code_bytes_(simd::code_bytes(bits, dim)),
        int8_(&simd::scaled_kernels_int8(bits)),
        float_(&simd::scaled_kernels_float(bits)) {
    choose_stride(4);
  }

  int bits() const { return bits_; }
  std::size_t stride() const { return stride_; }
  std::size_t bytes() const { return storage_.size(); }
  const Storage& storage() const { return storage_; }

  void resize(std::size_t rows) { storage_.resize(rows * stride_); }
  void load(const KithFileReader& reader, const std::string& section, std::size_t rows) {
    choose_stride(16);  // as in version 1 and 2, and in what such a file grew to
    if (reader.bytes(section).size() != rows * stride_) choose_stride(4);
    storage_ = reader.storage(section, rows * stride_);
  }

  // codes: one value below 2^bits a dimension.
  void put(Id id, const std::uint8_t* codes, const ScaleFactors& factors) {
    std::byte* record = storage_.mutable_data() + id * stride_;
    std::uint8_t* packed = reinterpret_cast<std::uint8_t*>(record);
    if (bits_ == 8) {
      std::memcpy(packed, codes, dim_);
    } else if (bits_ != 4) {
      const std::vector<std::uint32_t> numbers(codes, codes + dim_);
      simd::pack_bits(numbers.data(), bits_, dim_, packed);
    } else {
      const std::size_t half = code_bytes_;
      for (std::size_t i = 0; i < half; ++i) {
        const std::uint8_t high = half + i < dim_ ? codes[half + i] : 0;
        packed[i] = static_cast<std::uint8_t>(codes[i] | (high << 4));
      }
    }
    std::memcpy(record + code_bytes_, &factors, sizeof factors);
  }

  void codes(Id id, std::uint8_t* out) const {
    const std::uint8_t* packed = storage_.as<std::uint8_t>() + id * stride_;
    if (bits_ == 8) {
      std::memcpy(out, packed, dim_);
      return;
    }
    if (bits_ != 4) {
      std::vector<std::uint32_t> numbers(dim_);
      simd::unpack_bits(packed, bits_, dim_, numbers.data());
      std::copy(numbers.begin(), numbers.end(), out);
      return;
    }
    const std::size_t half = code_bytes_;
    for (std::size_t i = 0; i < half; ++i) out[i] = packed[i] & 15;
    for (std::size_t i = half; i < dim_; ++i) out[i] = packed[i - half] >> 4;
  }

  // out = base + low + step * code, a value a dimension; `base` may be `out`.
  void decode(Id id, float low, float step, const float* base, float* out) const {
    simd::decode_codes(bits_, storage_.data() + id * stride_, dim_, low, step, base, out);
  }

  ScaleFactors factors(Id id) const {
    ScaleFactors factors;
    std::memcpy(&factors, storage_.data() + id * stride_ + code_bytes_, sizeof factors);
    return factors;
  }

  // Packs values for the int8 kernels and returns the scale; weights are the caller's to set.
  float pack(const float* values, PackedQuery& query) const {
    const std::size_t bytes = simd::packed_query_bytes(bits_, dim_);
    if (query.buffer.size() < bytes + 64) query.buffer.resize(bytes + 64);
    const std::size_t address = reinterpret_cast<std::size_t>(query.buffer.data());
    query.values = query.buffer.data() + (64 - address % 64) % 64;
    query.scaled.values = query.values;
    return simd::pack_query(bits_, values, dim_, query.values);
  }
  // Packs a float query, whose low_weight is 0 or step_weight times the sum of its values, in two
  // parts. Their own sum takes that one's place, so no error is common to all records.
  void pack_fine(const simd::ScaledQuery& query, FineQuery& fine) const {
    const auto* const values = static_cast<const float*>(query.values);
    thread_local std::vector<float> rest;
    rest.resize(dim_);
    const float scale = pack(values, fine.coarse);
    const std::size_t first = bits_ == 4 ? code_bytes_ : dim_;
    const std::int8_t* const second =
        fine.coarse.values + simd::packed_query_bytes(bits_, dim_) / 2;
    for (std::size_t i = 0; i < first; ++i) rest[i] = values[i] - scale * fine.coarse.values[i];
    for (std::size_t i = first; i < dim_; ++i) rest[i] = values[i] - scale * second[i - first];
    const float rest_scale = pack(rest.data(), fine.rest);
    fine.coarse.scaled.constant = query.constant;
    fine.coarse.scaled.norm_weight = query.norm_weight;
    const float sum = scale * packed_sum(fine.coarse) + rest_scale * packed_sum(fine.rest);
    fine.coarse.scaled.low_weight = query.low_weight == 0 ? 0 : query.step_weight * sum;
    fine.coarse.scaled.step_weight = query.step_weight * scale;
    fine.rest.scaled.step_weight = query.step_weight * rest_scale;
  }
  // Sum of the packed values, so that offsets agree with the rounded query.
  float packed_sum(const PackedQuery& query) const {
    static_assert(kMaxDim <= std::numeric_limits<std::int32_t>::max() / 128);
    std::int32_t sum = 0;
    const std::size_t bytes = simd::packed_query_bytes(bits_, dim_);
    for (std::size_t i = 0; i < bytes; ++i) sum += query.values[i];
    return static_cast<float>(sum);
  }

  void score_int8(const simd::ScaledQuery& query, const Id* ids, std::size_t n, float* out) const {
    int8_->gather(query, storage_.data(), stride_, ids, n, dim_, out);
  }
  void score_int8_range(const simd::ScaledQuery& query, Id first, std::size_t n, float* out) const {
    int8_->many(query, storage_.data() + first * stride_, stride_, n, dim_, out);
  }
  void score_fine(const FineQuery& query, const Id* ids, std::size_t n, float* out) const {
    score_int8(query.coarse.scaled, ids, n, out);
    add_scores(ids, n, out, [&](const Id* some, std::size_t count, float* rest) {
      score_int8(query.rest.scaled, some, count, rest);
    });
  }
  void score_float(const simd::ScaledQuery& query, const Id* ids, std::size_t n, float* out) const {
    float_->gather(query, storage_.data(), stride_, ids, n, dim_, out);
  }

  std::span<const std::byte> record(Id id) const {
    return {storage_.data() + id * stride_, record_bytes()};
  }
  std::size_t record_bytes() const { return code_bytes_ + sizeof(ScaleFactors); }
  void put_record(Id id, const std::byte* record) {
    std::memcpy(storage_.mutable_data() + id * stride_, record, record_bytes());
  }
  void prefetch(Id id) const { prefetch_bytes(storage_.data() + id * stride_, record_bytes()); }

 private:
  void choose_stride(std::size_t alignment) {
    const std::size_t bytes = record_bytes();
    const std::size_t whole_lines = (bytes + 63) / 64 * 64;
    stride_ = whole_lines * 100 <= bytes * 116 ? whole_lines
                                               : (bytes + alignment - 1) / alignment * alignment;
  }

  int bits_;
  std::size_t dim_, code_bytes_, stride_ = 0;
  Storage storage_;
  const simd::ScaledKernels* int8_;
  const simd::ScaledKernels* float_;
};

}  // namespace kith
