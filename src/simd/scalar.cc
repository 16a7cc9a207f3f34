// The kernels in portable C++: what runs where nothing better is, and what the others must agree
// with. Sixteen partial sums, so that a compiler may use whatever vectors its baseline has.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kith/half.h"
#include "simd/row_source.h"
#include "simd/tables.h"

namespace kith::simd {
namespace {

constexpr std::size_t kLanes = 16;

// Values of a row that need not be aligned.
template <class T>
inline T load(const unsigned char* row, std::size_t i) {
  T value;
  std::memcpy(&value, row + i * sizeof(T), sizeof(T));
  return value;
}

// Sum of term(i) over [0, n) in kLanes partial sums.
template <class Sum, class Term>
inline Sum sum_of(std::size_t n, const Term& term) {
  Sum sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  for (std::size_t lane = 0; i + lane < n; ++lane) sums[lane] += term(i + lane);
  for (std::size_t half = kLanes / 2; half != 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

float cosine_of(float dot, float query_norm, float row_norm) {
  const float norms = std::sqrt(query_norm) * std::sqrt(row_norm);
  return norms > 0 ? dot / norms : 0;
}

// Number is what terms are computed and summed in: float, or (for byte types) integers modulo 2^32,
// which hold every sum of kMaxDim products.
template <class Number, class Query, class Row>
Number dot_of(const unsigned char* q, const unsigned char* x, std::size_t dim) {
  return sum_of<Number>(dim, [=](std::size_t i) {
    return static_cast<Number>(load<Query>(q, i)) * static_cast<Number>(load<Row>(x, i));
  });
}

template <class Number, class Query, class Row>
Number l2_of(const unsigned char* q, const unsigned char* x, std::size_t dim) {
  return sum_of<Number>(dim, [=](std::size_t i) {
    const Number d = static_cast<Number>(load<Query>(q, i)) - static_cast<Number>(load<Row>(x, i));
    return d * d;
  });
}

inline float to_signed(float sum) { return sum; }
inline float to_signed(std::uint32_t sum) {
  return static_cast<float>(static_cast<std::int32_t>(sum));
}

template <class Number, class Query, class Row, Op op, class Rows>
void score(const void* query, const Rows& rows, std::size_t n, std::size_t dim, float* out) {
  const auto* q = static_cast<const unsigned char*>(query);
  [[maybe_unused]] float query_norm = 0;
  if constexpr (op == Op::cosine) {
    query_norm = static_cast<float>(dot_of<Number, Query, Query>(q, q, dim));
  }
  constexpr bool kSigned = std::numeric_limits<Row>::is_signed;
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (op == Op::l2) {
      out[i] = static_cast<float>(l2_of<Number, Query, Row>(q, rows[i], dim));
      continue;
    }
    const Number sum = dot_of<Number, Query, Row>(q, rows[i], dim);
    out[i] = kSigned ? to_signed(sum) : static_cast<float>(sum);
    if constexpr (op == Op::cosine) {
      const Number row_norm = dot_of<Number, Row, Row>(rows[i], rows[i], dim);
      out[i] = cosine_of(out[i], query_norm, static_cast<float>(row_norm));
    }
  }
}

template <class Number, class Query, class Row, Op op>
void score_many(const void* query, const void* rows, std::size_t stride, std::size_t n,
                std::size_t dim, float* out) {
  score<Number, Query, Row, op>(query, contiguous(rows, stride), n, dim, out);
}
template <class Number, class Query, class Row, Op op>
void score_gather(const void* query, const void* rows, std::size_t stride, const std::uint32_t* ids,
                  std::size_t n, std::size_t dim, float* out) {
  score<Number, Query, Row, op>(query, gathered(rows, stride, ids), n, dim, out);
}

template <class Number, class Query, class Row, Op op>
constexpr RowKernels kRowKernels{score_many<Number, Query, Row, op>,
                                 score_gather<Number, Query, Row, op>};

template <class Number, class Query, class Row>
void set_ops(RowKernels (&kernels)[kOps]) {
  kernels[index_of(Op::l2)] = kRowKernels<Number, Query, Row, Op::l2>;
  kernels[index_of(Op::dot)] = kRowKernels<Number, Query, Row, Op::dot>;
  kernels[index_of(Op::cosine)] = kRowKernels<Number, Query, Row, Op::cosine>;
}

// ---- Scaled codes -------------------------------------------------------------------------------

// The part of the query that meets the high nibbles, in elements from its start.
template <class Value>
std::size_t high_part(std::size_t dim) {
  if constexpr (std::is_same_v<Value, std::int8_t>) return packed_query_bytes(4, dim) / 2;
  return code_bytes(4, dim);
}

// `count` codes of `bits` bits one after another, as bytes: eight of them fill whole bytes.
template <int bits>
void expand(const unsigned char* codes, std::size_t count, unsigned char* out) {
  for (std::size_t i = 0; i < count; i += 8, codes += bits) {
    const std::size_t here = std::min<std::size_t>(8, count - i);
    std::uint64_t word = 0;
    std::memcpy(&word, codes, (here * bits + 7) / 8);
    for (std::size_t k = 0; k < here; ++k, word >>= bits) {
      out[i + k] = static_cast<unsigned char>(word & ((1u << bits) - 1));
    }
  }
}

template <int bits, class Value, class Sum>
float code_sum(const Value* q, const unsigned char* codes, std::size_t dim) {
  const auto product = [](Value value, int code) {
    return static_cast<Sum>(value) * static_cast<Sum>(code);
  };
  if constexpr (bits == 8) {
    return static_cast<float>(sum_of<Sum>(dim, [=](auto i) { return product(q[i], codes[i]); }));
  } else if constexpr (bits != 4) {
    constexpr std::size_t kGroup = 64;
    Sum sum = 0;
    unsigned char group[kGroup];
    for (std::size_t first = 0; first < dim; first += kGroup) {
      const std::size_t count = std::min(kGroup, dim - first);
      expand<bits>(codes + first * bits / 8, count, group);
      sum += sum_of<Sum>(count, [&](auto i) { return product(q[first + i], group[i]); });
    }
    return static_cast<float>(sum);
  } else {
    const std::size_t half = code_bytes(4, dim);
    const Value* high = q + high_part<Value>(dim);
    const Sum low = sum_of<Sum>(half, [=](auto i) { return product(q[i], codes[i] & 15); });
    return static_cast<float>(
        low + sum_of<Sum>(dim - half, [=](auto i) { return product(high[i], codes[i] >> 4); }));
  }
}

template <int bits, class Value, class Sum, class Rows>
void score_scaled(const ScaledQuery& query, const Rows& rows, std::size_t n, std::size_t dim,
                  float* out) {
  const auto* q = static_cast<const Value*>(query.values);
  for (std::size_t i = 0; i < n; ++i) {
    const unsigned char* factors = rows[i] + code_bytes(bits, dim);
    const float sum = code_sum<bits, Value, Sum>(q, rows[i], dim);
    out[i] = query.constant + query.norm_weight * load<float>(factors, 0) +
             query.low_weight * load<float>(factors, 1) +
             query.step_weight * load<float>(factors, 2) * sum;
  }
}

template <int bits, class Value, class Sum>
void scaled_many(const ScaledQuery& query, const void* records, std::size_t stride, std::size_t n,
                 std::size_t dim, float* out) {
  score_scaled<bits, Value, Sum>(query, contiguous(records, stride), n, dim, out);
}
template <int bits, class Value, class Sum>
void scaled_gather(const ScaledQuery& query, const void* records, std::size_t stride,
                   const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  score_scaled<bits, Value, Sum>(query, gathered(records, stride, ids), n, dim, out);
}

template <int bits, class Value, class Sum>
constexpr ScaledKernels kScaledKernels{scaled_many<bits, Value, Sum>,
                                       scaled_gather<bits, Value, Sum>};

template <int... bits>
void set_scaled(KernelTable& table) {
  ((table.scaled_float[bits_index(bits)] = kScaledKernels<bits, float, float>), ...);
  ((table.scaled_int8[bits_index(bits)] = kScaledKernels<bits, std::int8_t, std::int32_t>), ...);
}

// ---- Bits ---------------------------------------------------------------------------------------

std::uint32_t differing_bits(const unsigned char* a, const unsigned char* b, std::size_t bytes) {
  std::uint32_t bits = 0;
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    bits += std::popcount(load<std::uint64_t>(a + i, 0) ^ load<std::uint64_t>(b + i, 0));
  }
  for (; i < bytes; ++i) bits += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
  return bits;
}

template <class Rows>
void count_bits(const void* query, const Rows& rows, std::size_t n, std::size_t bytes,
                std::uint32_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = differing_bits(static_cast<const unsigned char*>(query), rows[i], bytes);
  }
}

void bits_many(const void* query, const void* rows, std::size_t stride, std::size_t n,
               std::size_t bytes, std::uint32_t* out) {
  count_bits(query, contiguous(rows, stride), n, bytes, out);
}
void bits_gather(const void* query, const void* rows, std::size_t stride, const std::uint32_t* ids,
                 std::size_t n, std::size_t bytes, std::uint32_t* out) {
  count_bits(query, gathered(rows, stride, ids), n, bytes, out);
}

// ---- Values -------------------------------------------------------------------------------------

template <class T>
void convert_to_float(const void* from, std::size_t n, float* to) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<float>(load<T>(bytes, i));
}

// To nearest even, and to the nearest value of the type; NaN becomes its lowest.
template <class T>
T rounded(float value) {
  if constexpr (std::is_integral_v<T>) {
    constexpr float kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
    const float clamped = value > kLow ? std::min(value, kHigh) : kLow;
    return static_cast<T>(static_cast<int>(std::nearbyint(clamped)));
  } else {
    return T(value);
  }
}

template <class T>
void convert_from_float(const float* from, std::size_t n, void* to) {
  auto* bytes = static_cast<unsigned char*>(to);
  for (std::size_t i = 0; i < n; ++i) {
    const T value = rounded<T>(from[i]);
    std::memcpy(bytes + i * sizeof(T), &value, sizeof(T));
  }
}

void quantize(const float* from, std::size_t n, float inverse_scale, std::int8_t* to) {
  for (std::size_t i = 0; i < n; ++i) to[i] = rounded<std::int8_t>(from[i] * inverse_scale);
}

std::size_t select(const float* values, std::size_t n, float threshold, std::uint32_t* out) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    out[found] = static_cast<std::uint32_t>(i);
    found += values[i] <= threshold;
  }
  return found;
}

void unpack(const void* packed, int bits, std::size_t n, std::uint32_t* out) {
  const auto* bytes = static_cast<const unsigned char*>(packed);
  const auto width = static_cast<std::size_t>(bits);
  const std::size_t size = (n * width + 7) / 8;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t byte = i * width / 8;
    std::uint64_t word = 0;
    if (byte + sizeof word <= size) {
      std::memcpy(&word, bytes + byte, sizeof word);
    } else {
      std::memcpy(&word, bytes + byte, size - byte);
    }
    out[i] = static_cast<std::uint32_t>(word >> (i * width % 8) & mask);
  }
}

float squares(const float* x, std::size_t dim) {
  return sum_of<float>(dim, [=](std::size_t i) { return x[i] * x[i]; });
}

bool finite(const float* x, std::size_t n) {
  bool all = true;
  for (std::size_t i = 0; i < n; ++i) {
    all &= (std::bit_cast<std::uint32_t>(x[i]) & 0x7f800000u) != 0x7f800000u;
  }
  return all;
}

void range(const float* x, std::size_t n, float* low, float* high) {
  float least = x[0], most = x[0];
  for (std::size_t i = 1; i < n; ++i) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  *low = least;
  *high = most;
}

std::size_t scan(const BlockQuery& query, const BlockList& list, float limit, float* estimates,
                 std::uint32_t* places) {
  constexpr std::size_t kHalf = kBlockCodes / 2;
  std::size_t found = 0;
  for (std::size_t first = 0; first < list.n; first += kBlockCodes) {
    const std::uint32_t allowed = list.allowed == nullptr ? ~0u : list.allowed[first / kBlockCodes];
    if (allowed == 0) continue;
    std::uint32_t sums[kBlockCodes] = {};
    const std::uint8_t* block = list.blocks + first / kBlockCodes * block_bytes(query.parts);
    for (std::size_t part = 0; part < query.parts; ++part) {
      const std::uint8_t* entries = query.tables + 16 * part;
      const std::uint8_t* codes = block + part / 4 * 64 + part % 4;
      for (std::size_t v = 0; v < kHalf; ++v) {
        sums[v] += entries[codes[4 * v] & 15];
        sums[v + kHalf] += entries[codes[4 * v] >> 4];
      }
    }
    for (std::size_t v = 0; v < std::min(kBlockCodes, list.n - first); ++v) {
      const float term = list.terms == nullptr ? 0 : list.terms[first + v];
      const float estimate =
          std::fma(query.scale, static_cast<float>(sums[v]), query.offset) + term;
      estimates[found] = estimate;
      places[found] = static_cast<std::uint32_t>(first + v);
      found += estimate <= limit ? allowed >> v & 1 : 0;
    }
  }
  return found;
}

void scan_each(BlockScan* scans, std::size_t count, const BlockList& list) {
  for (std::size_t i = 0; i < count; ++i) {
    BlockScan& one = scans[i];
    one.found = scan(one.query, list, one.limit, one.estimates, one.places);
  }
}

TableScale fill(const float* words, const float* query, float weight, std::size_t dim,
                std::size_t parts, float* entries, std::uint8_t* tables) {
  constexpr std::size_t kWords = 16;
  constexpr float kMost = 255;
  float widest = 0, offset = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    float* const own = entries + part * kWords;
    std::fill_n(own, kWords, 0.0f);
    for (std::size_t j = part * dim / parts; j < (part + 1) * dim / parts; ++j) {
      for (std::size_t w = 0; w < kWords; ++w) own[w] += weight * query[j] * words[j * kWords + w];
    }
    const auto [low, high] = std::minmax_element(own, own + kWords);
    const float lowest = *low;
    widest = std::max(widest, *high - lowest);
    offset += lowest;
    for (std::size_t w = 0; w < kWords; ++w) own[w] -= lowest;
  }
  const float inverse = widest > 0 ? kMost / widest : 0;
  for (std::size_t i = 0; i < parts * kWords; ++i) {
    tables[i] = static_cast<std::uint8_t>(std::nearbyint(entries[i] * inverse));
  }
  return {widest / kMost, offset};
}

std::size_t count(const float* values, std::size_t n, float threshold) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) found += values[i] <= threshold ? 1 : 0;
  return found;
}

void decode(int bits, const void* codes, std::size_t dim, float low, float step, const float* base,
            float* out) {
  const auto* packed = static_cast<const std::uint8_t*>(codes);
  if (bits == 8) {
    for (std::size_t i = 0; i < dim; ++i) out[i] = base[i] + (low + step * packed[i]);
  } else if (bits == 4) {
    const std::size_t half = code_bytes(4, dim);
    for (std::size_t i = 0; i < half; ++i) out[i] = base[i] + (low + step * (packed[i] & 15));
    for (std::size_t i = half; i < dim; ++i) {
      out[i] = base[i] + (low + step * (packed[i - half] >> 4));
    }
  } else {
    constexpr std::size_t kPiece = 64;  // fills whole bytes
    std::uint32_t numbers[kPiece];
    for (std::size_t at = 0; at < dim; at += kPiece) {
      const std::size_t n = std::min(kPiece, dim - at);
      unpack(packed + at * static_cast<std::size_t>(bits) / 8, bits, n, numbers);
      for (std::size_t i = 0; i < n; ++i) {
        out[at + i] = base[at + i] + (low + step * static_cast<float>(numbers[i]));
      }
    }
  }
}

void multiply_each(float* x, const float* by, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] *= by[i];
}

void transform(float* x, std::size_t n, float scale) {
  for (std::size_t i = 0; i < n; ++i) x[i] *= scale;
  for (std::size_t half = 1; half < n; half *= 2) {
    for (std::size_t start = 0; start < n; start += 2 * half) {
      float* low = x + start;
      float* high = x + start + half;
      for (std::size_t i = 0; i < half; ++i) {
        const float a = low[i], b = high[i];
        low[i] = a + b;
        high[i] = a - b;
      }
    }
  }
}

void mix(float* low, float* high, std::size_t n, float scale) {
  for (std::size_t i = 0; i < n; ++i) {
    const float a = low[i], b = high[i];
    low[i] = (a + b) * scale;
    high[i] = (a - b) * scale;
  }
}

float add_up(const float* x, std::size_t n) {
  constexpr std::size_t kLanes = 16;
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < n; ++i) sums[i % kLanes] += x[i];
  float total = 0;
  for (const float part : sums) total += part;
  return total;
}

template <class T>
void set_conversions(KernelTable& table, ElementType type) {
  table.to_float[index_of(type)] = convert_to_float<T>;
  table.from_float[index_of(type)] = convert_from_float<T>;
}

}  // namespace

void add_scalar(KernelTable& table) {
  set_ops<float, float, float>(table.float_query[index_of(ElementType::f32)]);
  set_ops<float, float, Half>(table.float_query[index_of(ElementType::f16)]);
  set_ops<float, float, BFloat16>(table.float_query[index_of(ElementType::bf16)]);
  set_ops<float, float, std::int8_t>(table.float_query[index_of(ElementType::i8)]);
  set_ops<float, float, std::uint8_t>(table.float_query[index_of(ElementType::u8)]);
  set_ops<float, float, float>(table.same_type[index_of(ElementType::f32)]);
  set_ops<float, Half, Half>(table.same_type[index_of(ElementType::f16)]);
  set_ops<float, BFloat16, BFloat16>(table.same_type[index_of(ElementType::bf16)]);
  set_ops<std::uint32_t, std::int8_t, std::int8_t>(table.same_type[index_of(ElementType::i8)]);
  set_ops<std::uint32_t, std::uint8_t, std::uint8_t>(table.same_type[index_of(ElementType::u8)]);
  set_scaled<1, 2, 3, 4, 5, 6, 7, 8>(table);
  table.scan_blocks = scan;
  table.scan_blocks_each = scan_each;
  table.fill_tables = fill;
  table.hamming_many = bits_many;
  table.hamming_gather = bits_gather;
  set_conversions<float>(table, ElementType::f32);
  set_conversions<Half>(table, ElementType::f16);
  set_conversions<BFloat16>(table, ElementType::bf16);
  set_conversions<std::int8_t>(table, ElementType::i8);
  set_conversions<std::uint8_t>(table, ElementType::u8);
  table.quantize = quantize;
  table.select_at_most = select;
  table.unpack_bits = unpack;
  table.decode_codes = decode;
  table.multiply = multiply_each;
  table.hadamard = transform;
  table.butterfly = mix;
  table.sum = add_up;
  table.norm_squared = squares;
  table.all_finite = finite;
  table.min_max = range;
  table.count_at_most = count;
}

}  // namespace kith::simd
