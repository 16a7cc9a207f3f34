// Distances of rows that become floats as they are loaded, for instruction sets below AVX-512 (see
// avx512_float.cc). Four rows run side by side, so a load of the query serves four, and their sums
// are reduced by one transposed addition.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kith/half.h"
#include "simd/highway_targets.h"
#include "simd/row_source.h"
#include "simd/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/rows_highway.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "simd/sums_highway.h"

#if HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace kith::simd::HWY_NAMESPACE {

constexpr std::size_t kLanes = hn::MaxLanes(F());

HWY_INLINE V load(const float* p) { return hn::LoadU(kFloats, p); }

HWY_INLINE V load(const Half* p) {
  const hn::Rebind<hwy::float16_t, F> halves;
  return hn::PromoteTo(kFloats, hn::LoadU(halves, reinterpret_cast<const hwy::float16_t*>(p)));
}

HWY_INLINE V load(const BFloat16* p) {
  const hn::Rebind<std::uint16_t, F> halves;
  const hn::RebindToUnsigned<F> wide;
  const auto bits = hn::LoadU(halves, reinterpret_cast<const std::uint16_t*>(p));
  return hn::BitCast(kFloats, hn::ShiftLeft<16>(hn::PromoteTo(wide, bits)));
}

template <class Byte>
HWY_INLINE V load_bytes(const Byte* p) {
  const hn::Rebind<Byte, F> bytes;
  const hn::RebindToSigned<F> wide;
  return hn::ConvertTo(kFloats, hn::PromoteTo(wide, hn::LoadU(bytes, p)));
}
HWY_INLINE V load(const std::int8_t* p) { return load_bytes(p); }
HWY_INLINE V load(const std::uint8_t* p) { return load_bytes(p); }

// The first n < kLanes elements, the other lanes zero; touches no byte after them.
template <class T>
HWY_INLINE V load_first(const T* p, std::size_t n) {
  T padded[kLanes] = {};
  std::memcpy(padded, p, n * sizeof(T));
  return load(padded);
}

// The last n of `dim` elements, with zeros in other lanes, the same ones for every type.
template <class T>
HWY_INLINE V load_last(const T* p, std::size_t dim, std::size_t n) {
  if (dim >= kLanes) {  // again what was loaded before, and then cleared
    return hn::IfThenZeroElse(hn::FirstN(kFloats, kLanes - n), load(p + dim - kLanes));
  }
  return load_first(p + dim - n, n);
}

template <Op op>
HWY_INLINE V accumulate(V sum, V q, V x) {
  if constexpr (op == Op::l2) {
    const V difference = hn::Sub(q, x);
    return hn::MulAdd(difference, difference, sum);
  } else {
    return hn::MulAdd(q, x, sum);
  }
}

template <Op op, int kRows, int kChains>
struct Sums {
  V main[kRows * kChains];
  V norm[op == Op::cosine ? kRows * kChains : 1];

  HWY_INLINE Sums() {
    for (V& v : main) v = hn::Zero(kFloats);
    for (V& v : norm) v = hn::Zero(kFloats);
  }
  HWY_INLINE void add(int at, V q, V x) {
    main[at] = accumulate<op>(main[at], q, x);
    if constexpr (op == Op::cosine) norm[at] = hn::MulAdd(x, x, norm[at]);
  }
  HWY_INLINE void fold() {
    for (int i = kRows; i < kRows * kChains; ++i) {
      main[i % kRows] = hn::Add(main[i % kRows], main[i]);
      if constexpr (op == Op::cosine) norm[i % kRows] = hn::Add(norm[i % kRows], norm[i]);
    }
  }
};

template <Op op, int kRows, int kChains, class Q, class T>
HWY_INLINE void sum_rows(const Q* query, const T* const* rows, std::size_t dim,
                         Sums<op, kRows, kChains>& sums) {
  std::size_t i = 0;
  for (; i + kChains * kLanes <= dim; i += kChains * kLanes) {
    for (int c = 0; c < kChains; ++c) {
      const V q = load(query + i + c * kLanes);
      for (int r = 0; r < kRows; ++r) sums.add(c * kRows + r, q, load(rows[r] + i + c * kLanes));
    }
  }
  for (; i + kLanes <= dim; i += kLanes) {
    const V q = load(query + i);
    for (int r = 0; r < kRows; ++r) sums.add(r, q, load(rows[r] + i));
  }
  if (i < dim) {
    const V q = load_last(query, dim, dim - i);
    constexpr int kLast = (kChains - 1) * kRows;
    for (int r = 0; r < kRows; ++r) sums.add(kLast + r, q, load_last(rows[r], dim, dim - i));
  }
  sums.fold();
}

template <class Q>
HWY_NOINLINE float query_norm(const Q* query, std::size_t dim) {
  V sum = hn::Zero(kFloats);
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    const V q = load(query + i);
    sum = hn::MulAdd(q, q, sum);
  }
  if (i < dim) {
    const V q = load_last(query, dim, dim - i);
    sum = hn::MulAdd(q, q, sum);
  }
  return std::sqrt(hn::GetLane(hn::SumOfLanes(kFloats, sum)));
}

template <Op op, int kRows, int kChains>
HWY_INLINE hn::Vec<Quad> finish(const Sums<op, kRows, kChains>& s, float norm) {
  const Quad quad;
  constexpr int b = 1 % kRows, c = 2 % kRows, d = 3 % kRows;
  const auto sum = sum_four(s.main[0], s.main[b], s.main[c], s.main[d]);
  if constexpr (op != Op::cosine) return sum;
  const auto squares = sum_four(s.norm[0], s.norm[b], s.norm[c], s.norm[d]);
  const auto norms = hn::Mul(hn::Sqrt(squares), hn::Set(quad, norm));
  return hn::IfThenElseZero(hn::Gt(norms, hn::Zero(quad)), hn::Div(sum, norms));
}

template <class T, class Rows>
HWY_INLINE const T* row(const Rows& rows, std::size_t i) {
  return reinterpret_cast<const T*>(rows[i]);
}

template <Op op, class Q, class T, class Rows>
HWY_INLINE void compare_all(const Q* query, const Rows& source, std::size_t n, std::size_t dim,
                            float* out) {
  constexpr int kChains = op == Op::cosine ? 1 : 2;
  const Quad quad;
  const float norm = op == Op::cosine ? query_norm(query, dim) : 0;
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    source.prefetch(i, 4);
    const T* rows[4] = {row<T>(source, i), row<T>(source, i + 1), row<T>(source, i + 2),
                        row<T>(source, i + 3)};
    Sums<op, 4, kChains> sums;
    sum_rows(query, rows, dim, sums);
    hn::StoreU(finish(sums, norm), quad, out + i);
  }
  for (; i < n; ++i) {
    const T* rows[1] = {row<T>(source, i)};
    Sums<op, 1, 4> sums;
    sum_rows(query, rows, dim, sums);
    out[i] = hn::GetLane(finish(sums, norm));
  }
}

template <Op op, class Q, class T>
void many(const void* query, const void* rows, std::size_t stride, std::size_t n, std::size_t dim,
          float* out) {
  const auto source = std::is_same_v<T, float> ? contiguous(rows, stride)
                                               : prefetched(rows, stride, n, dim * sizeof(T));
  compare_all<op, Q, T>(static_cast<const Q*>(query), source, n, dim, out);
}

template <Op op, class Q, class T>
void gather(const void* query, const void* rows, std::size_t stride, const std::uint32_t* ids,
            std::size_t n, std::size_t dim, float* out) {
  compare_all<op, Q, T>(static_cast<const Q*>(query), gathered(rows, stride, ids), n, dim, out);
}

template <class Q, class T>
void set_ops(RowKernels (&kernels)[kOps]) {
  kernels[0] = {many<Op::l2, Q, T>, gather<Op::l2, Q, T>};
  kernels[1] = {many<Op::dot, Q, T>, gather<Op::dot, Q, T>};
  kernels[2] = {many<Op::cosine, Q, T>, gather<Op::cosine, Q, T>};
}

void fill_rows(KernelTable& table) {
  set_ops<float, float>(table.float_query[0]);
  set_ops<float, Half>(table.float_query[1]);
  set_ops<float, BFloat16>(table.float_query[2]);
  set_ops<float, std::int8_t>(table.float_query[3]);
  set_ops<float, std::uint8_t>(table.float_query[4]);
  set_ops<float, float>(table.same_type[0]);
  set_ops<Half, Half>(table.same_type[1]);
  set_ops<BFloat16, BFloat16>(table.same_type[2]);
}

}  // namespace kith::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace kith::simd {

void add_highway_rows(Level level, KernelTable& table) {
#if defined(__x86_64__)
  if (level == Level::avx2) N_AVX2::fill_rows(table);
  if (level == Level::sse4) N_SSE4::fill_rows(table);
#elif defined(__aarch64__)
  if (level == Level::neon) N_NEON::fill_rows(table);
#else
  static_cast<void>(level), static_cast<void>(table);
#endif
}

}  // namespace kith::simd

#endif
