// Rows of bytes against a query of the same type, in exact integers: widened to 16 bits, multiplied
// and added in pairs to 32 bits. Sums wrap modulo 2^32, which no result of up to 65,536 dimensions
// exceeds: they are read as unsigned where they can't be negative.
#include <cmath>
#include <cstring>

#include "simd/highway_targets.h"
#include "simd/row_source.h"
#include "simd/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/bytes_highway.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "simd/sums_highway.h"

#if HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR

HWY_BEFORE_NAMESPACE();
namespace kith::simd::HWY_NAMESPACE {

using Words = hn::ScalableTag<std::int16_t>;
using WordVec = hn::Vec<Words>;
constexpr Words kWords{};
constexpr std::size_t kStep = hn::MaxLanes(Words());

template <class Byte>
HWY_INLINE WordVec load(const Byte* p) {
  return hn::PromoteTo(kWords, hn::LoadU(hn::Rebind<Byte, Words>(), p));
}

// The last n of `dim` elements, with zeros in other lanes, the same ones in query and rows.
template <class Byte>
HWY_INLINE WordVec load_last(const Byte* p, std::size_t dim, std::size_t n) {
  if (dim >= kStep) {  // again what was loaded before, and then cleared
    return hn::IfThenZeroElse(hn::FirstN(kWords, kStep - n), load(p + dim - kStep));
  }
  Byte padded[kStep] = {};
  std::memcpy(padded, p + dim - n, n);
  return load(padded);
}

template <Op op>
HWY_INLINE void add(WordVec q, WordVec x, IntVec& sum, IntVec& norm) {
  if constexpr (op == Op::l2) {
    const WordVec difference = hn::Sub(q, x);
    sum = add_products(sum, difference, difference);
  } else {
    sum = add_products(sum, q, x);
    if constexpr (op == Op::cosine) norm = add_products(norm, x, x);
  }
}

template <Op op, class Byte>
HWY_INLINE float to_float(std::int32_t sum) {
  if constexpr (op == Op::dot && std::is_signed_v<Byte>) return static_cast<float>(sum);
  return static_cast<float>(static_cast<std::uint32_t>(sum));
}

// Integer sums of four rows, and the rows' squares where the metric asks for them.
template <Op op, class Byte>
HWY_INLINE void sum_rows(const Byte* query, const Byte* const* row, std::size_t dim,
                         std::int32_t* sums, std::int32_t* norms) {
  IntVec sum[4], norm[4];
  for (int r = 0; r < 4; ++r) sum[r] = norm[r] = hn::Zero(Ints());
  std::size_t i = 0;
  for (; i + kStep <= dim; i += kStep) {
    const WordVec q = load(query + i);
    for (int r = 0; r < 4; ++r) add<op>(q, load(row[r] + i), sum[r], norm[r]);
  }
  if (i < dim) {
    const WordVec q = load_last(query, dim, dim - i);
    for (int r = 0; r < 4; ++r) add<op>(q, load_last(row[r], dim, dim - i), sum[r], norm[r]);
  }
  const hn::Full128<std::int32_t> four;
  hn::StoreU(sum_four(sum[0], sum[1], sum[2], sum[3]), four, sums);
  if constexpr (op == Op::cosine) {
    hn::StoreU(sum_four(norm[0], norm[1], norm[2], norm[3]), four, norms);
  }
}

template <Op op, class Byte, class Rows>
HWY_INLINE void compare_all(const Byte* query, const Rows& source, std::size_t n, std::size_t dim,
                            float* out) {
  std::int32_t sums[4], norms[4] = {};
  float query_norm = 0;
  if constexpr (op == Op::cosine) {
    const Byte* same[4] = {query, query, query, query};
    sum_rows<op>(query, same, dim, sums, norms);
    query_norm = std::sqrt(to_float<Op::l2, Byte>(norms[0]));
  }
  for (std::size_t i = 0; i < n; i += 4) {
    source.prefetch(i, 4);
    const Byte* row[4];
    for (std::size_t r = 0; r < 4; ++r) {
      row[r] = reinterpret_cast<const Byte*>(source[i + r < n ? i + r : n - 1]);
    }
    sum_rows<op>(query, row, dim, sums, norms);
    for (std::size_t r = 0; r < 4 && i + r < n; ++r) {
      if constexpr (op == Op::cosine) {
        const float scale = query_norm * std::sqrt(to_float<Op::l2, Byte>(norms[r]));
        out[i + r] = scale > 0 ? to_float<Op::dot, Byte>(sums[r]) / scale : 0;
      } else {
        out[i + r] = to_float<op, Byte>(sums[r]);
      }
    }
  }
}

template <Op op, class Byte>
void many(const void* query, const void* rows, std::size_t stride, std::size_t n, std::size_t dim,
          float* out) {
  compare_all<op>(static_cast<const Byte*>(query), prefetched(rows, stride, n, dim), n, dim, out);
}

template <Op op, class Byte>
void gather(const void* query, const void* rows, std::size_t stride, const std::uint32_t* ids,
            std::size_t n, std::size_t dim, float* out) {
  compare_all<op>(static_cast<const Byte*>(query), gathered(rows, stride, ids), n, dim, out);
}

template <class Byte>
void set_ops(RowKernels (&kernels)[kOps]) {
  kernels[index_of(Op::l2)] = {many<Op::l2, Byte>, gather<Op::l2, Byte>};
  kernels[index_of(Op::dot)] = {many<Op::dot, Byte>, gather<Op::dot, Byte>};
  kernels[index_of(Op::cosine)] = {many<Op::cosine, Byte>, gather<Op::cosine, Byte>};
}

void fill_bytes(KernelTable& table) {
  set_ops<std::int8_t>(table.same_type[index_of(ElementType::i8)]);
  set_ops<std::uint8_t>(table.same_type[index_of(ElementType::u8)]);
}

}  // namespace kith::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace kith::simd {

void add_highway_bytes(Level level, KernelTable& table) {
#if defined(__x86_64__)
  if (level == Level::avx512) N_AVX3::fill_bytes(table);
  if (level == Level::avx2) N_AVX2::fill_bytes(table);
  if (level == Level::sse4) N_SSE4::fill_bytes(table);
#elif defined(__aarch64__)
  if (level == Level::neon) N_NEON::fill_bytes(table);
#else
  static_cast<void>(level), static_cast<void>(table);
#endif
}

}  // namespace kith::simd

#endif
