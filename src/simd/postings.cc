#include "simd/postings.h"

#include "simd/dispatch.h"
#include "simd/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/postings.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kith::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most sixteen lanes, which is what kPostingsSlack allows for.
using Floats = hn::CappedTag<float, kPostingsSlack>;
using Ints = hn::Rebind<std::int32_t, Floats>;
using Words = hn::Rebind<std::uint32_t, Floats>;
using Bytes = hn::Rebind<std::uint8_t, Floats>;
using Halves = hn::Rebind<hwy::float16_t, Floats>;
using FloatVec = hn::Vec<Floats>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());

HWY_INLINE FloatVec load_bytes(const std::uint8_t* from) {
  return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(Bytes(), from)));
}

HWY_INLINE void store_impacts(FloatVec weights, FloatVec query, std::int32_t* out) {
  hn::StoreU(hn::NearestInt(hn::Mul(query, weights)), Ints(), out);
}

void norms(const std::uint32_t* lengths, std::size_t n, float base, float slope, float* out) {
  const FloatVec b = hn::Set(Floats(), base), s = hn::Set(Floats(), slope);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const auto length = hn::LoadU(Words(), lengths + i);
    const FloatVec x = hn::ConvertTo(Floats(), hn::BitCast(Ints(), length));
    hn::StoreU(hn::Add(b, hn::Mul(s, x)), Floats(), out + i);
  }
}

void count_impacts(const std::uint8_t* counts, const float* norms, std::size_t n, float query,
                   std::int32_t* out) {
  const FloatVec q = hn::Set(Floats(), query);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const FloatVec count = load_bytes(counts + i);
    store_impacts(hn::Div(count, hn::Add(count, hn::LoadU(Floats(), norms + i))), q, out + i);
  }
}

void float_impacts(const void* weights, std::size_t n, float query, std::int32_t* out) {
  const FloatVec q = hn::Set(Floats(), query);
  const auto* from = static_cast<const float*>(weights);
  for (std::size_t i = 0; i < n; i += kLanes) {
    store_impacts(hn::LoadU(Floats(), from + i), q, out + i);
  }
}

void half_impacts(const void* weights, std::size_t n, float query, std::int32_t* out) {
  const FloatVec q = hn::Set(Floats(), query);
  const auto* from = static_cast<const hwy::float16_t*>(weights);
  for (std::size_t i = 0; i < n; i += kLanes) {
    store_impacts(hn::PromoteTo(Floats(), hn::LoadU(Halves(), from + i)), q, out + i);
  }
}

void code_impacts(const std::uint8_t* codes, std::size_t n, float step, float query,
                  std::int32_t* out) {
  const FloatVec q = hn::Set(Floats(), query), s = hn::Set(Floats(), step);
  for (std::size_t i = 0; i < n; i += kLanes) {
    store_impacts(hn::Mul(load_bytes(codes + i), s), q, out + i);
  }
}

// Calls weights_at(i) for lanes i, i + 1 ..., and stores them with places and the query.
template <class Weights>
HWY_INLINE void append(const std::uint8_t* places, std::size_t n, float query, PostingBatch& batch,
                       const Weights& weights_at) {
  const FloatVec q = hn::Set(Floats(), query);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t to = batch.size + i;
    hn::StoreU(hn::LoadU(Bytes(), places + i), Bytes(), batch.places + to);
    hn::StoreU(weights_at(i), Floats(), batch.weights + to);
    hn::StoreU(q, Floats(), batch.queries + to);
  }
  batch.size += n;
}

void append_codes(const std::uint8_t* places, const std::uint8_t* codes, std::size_t n, float step,
                  float query, PostingBatch& batch) {
  const FloatVec s = hn::Set(Floats(), step);
  append(places, n, query, batch,
         [&](std::size_t i) HWY_ATTR { return hn::Mul(load_bytes(codes + i), s); });
}

void append_floats(const std::uint8_t* places, const void* weights, std::size_t n, float query,
                   PostingBatch& batch) {
  const auto* from = static_cast<const float*>(weights);
  append(places, n, query, batch,
         [&](std::size_t i) HWY_ATTR { return hn::LoadU(Floats(), from + i); });
}

void append_halves(const std::uint8_t* places, const void* weights, std::size_t n, float query,
                   PostingBatch& batch) {
  const auto* from = static_cast<const hwy::float16_t*>(weights);
  append(places, n, query, batch, [&](std::size_t i) HWY_ATTR {
    return hn::PromoteTo(Floats(), hn::LoadU(Halves(), from + i));
  });
}

// A document may stand in several lists, so the additions themselves are made one by one.
template <class Weights>
HWY_INLINE void add_batch(const PostingBatch& batch, std::int32_t* sums,
                          const Weights& weights_at) {
  HWY_ALIGN std::int32_t impacts[kLanes];
  for (std::size_t i = 0; i < batch.size; i += kLanes) {
    store_impacts(weights_at(i), hn::LoadU(Floats(), batch.queries + i), impacts);
    const std::size_t n = batch.size - i < kLanes ? batch.size - i : kLanes;
    const std::uint8_t* const places = batch.places + i;
    if (n == kLanes) {
      for (std::size_t j = 0; j < kLanes; ++j)
        sums[places[j]] = add_impact(sums[places[j]], impacts[j]);
    } else {
      for (std::size_t j = 0; j < n; ++j) sums[places[j]] = add_impact(sums[places[j]], impacts[j]);
    }
  }
}

void add_counts(const PostingBatch& batch, const float* norms, std::int32_t* sums) {
  add_batch(batch, sums, [&](std::size_t i) HWY_ATTR {
    const FloatVec count = hn::LoadU(Floats(), batch.weights + i);
    const auto place = hn::PromoteTo(Ints(), hn::LoadU(Bytes(), batch.places + i));
    return hn::Div(count, hn::Add(count, hn::GatherIndex(Floats(), norms, place)));
  });
}

void add_weights(const PostingBatch& batch, std::int32_t* sums) {
  add_batch(batch, sums,
            [&](std::size_t i) HWY_ATTR { return hn::LoadU(Floats(), batch.weights + i); });
}

void add_code_impacts(const std::uint8_t* codes, std::size_t n, float step, float query,
                      std::int32_t* sums) {
  const FloatVec q = hn::Set(Floats(), query), s = hn::Set(Floats(), step);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const FloatVec weights = hn::Mul(load_bytes(codes + i), s);
    const auto impacts = hn::NearestInt(hn::Mul(q, weights));
    hn::StoreU(hn::Add(hn::LoadU(Ints(), sums + i), impacts), Ints(), sums + i);
  }
}

std::int32_t largest(const std::int32_t* sums) {
  auto most = hn::LoadU(Ints(), sums);
  for (std::size_t i = kLanes; i < kWindow; i += kLanes) {
    most = hn::Max(most, hn::LoadU(Ints(), sums + i));
  }
  return hn::GetLane(hn::MaxOfLanes(Ints(), most));
}

std::size_t select_at_least(const std::int32_t* sums, std::int32_t least, std::uint32_t* out) {
  const auto limit = hn::Set(Ints(), least);
  std::size_t found = 0;
  auto places = hn::Iota(Words(), 0);
  for (std::size_t i = 0; i < kWindow; i += kLanes) {
    const auto low = hn::Lt(hn::LoadU(Ints(), sums + i), limit);
    const auto high = hn::Not(hn::RebindMask(Words(), low));
    if (!hn::AllFalse(Words(), high)) {
      found += hn::CompressStore(places, high, Words(), out + found);
    }
    places = hn::Add(places, hn::Set(Words(), kLanes));
  }
  return found;
}

constexpr PostingKernels kKernels{norms,          count_impacts, float_impacts,    half_impacts,
                                  code_impacts,   append_codes,  append_floats,    append_halves,
                                  add_counts,     add_weights,   add_code_impacts, largest,
                                  select_at_least};

}  // namespace HWY_NAMESPACE
}  // namespace kith::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "simd/by_level.h"

namespace kith::simd {
namespace {

const PostingKernels& kernels_of(Level level) { KITH_RETURN_BY_LEVEL(level, kKernels) }

}  // namespace

const PostingKernels& posting_kernels() {
  static const PostingKernels& chosen = kernels_of(level());
  return chosen;
}

const PostingKernels& posting_kernels(Level level) { return kernels_of(level); }

}  // namespace kith::simd
#endif  // HWY_ONCE
