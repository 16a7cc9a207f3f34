// Every allowed code against one query: what exact and filtered searches do where walking a
// structure doesn't pay.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <variant>
#include <vector>

#include "base/random.h"
#include "base/topk.h"
#include "codec/any.h"
#include "codec/codec.h"
#include "index/allowed.h"
#include "simd/kernels.h"

namespace kith {

// Calls push(distance, id) for the allowed ids below `slots` at most limit() away; the limit may
// fall meanwhile.
template <Codec C, class Limit, class Push>
void scan_codes(const C& codec, const typename C::Query& query, const Allowed& allowed,
                std::size_t slots, const Limit& limit, const Push& push) {
  constexpr std::size_t kPiece = 1024;
  constexpr double kSparse = 0.25;  // then only the allowed codes are read
  std::vector<float> distances(kPiece);
  std::vector<std::uint32_t> near(kPiece);
  std::vector<Id> ids;
  const bool sparse = allowed.share() < kSparse;
  const auto score_ids = [&] {
    codec.score(query, ids.data(), ids.size(), distances.data());
    const std::size_t count =
        simd::select_at_most(distances.data(), ids.size(), limit(), near.data());
    for (std::size_t i = 0; i < count; ++i) push(distances[near[i]], ids[near[i]]);
    ids.clear();
  };
  for (std::size_t first = 0; first < slots; first += kPiece) {
    const std::size_t piece = std::min(kPiece, slots - first);
    const auto begin = static_cast<Id>(first);
    if (sparse) {
      allowed.for_each(begin, static_cast<Id>(first + piece), [&](Id id) {
        codec.prefetch(id);
        ids.push_back(id);
        if (ids.size() == 64) score_ids();
      });
      continue;
    }
    codec.score_range(query, begin, piece, distances.data());
    const std::size_t count = simd::select_at_most(distances.data(), piece, limit(), near.data());
    for (std::size_t i = 0; i < count; ++i) {
      const Id id = begin + near[i];
      if (allowed(id)) push(distances[near[i]], id);
    }
  }
  if (!ids.empty()) score_ids();
}

// Scores by the best codes, whatever they are: called for some vectors at a time, so that what
// scans need not be compiled for every pair of codecs.
struct BestScorer {
  std::function<void(Id)> prefetch;
  std::function<void(const Id* ids, std::size_t n, float* distances)> score;
};

// Keeps references.
template <Codec B>
BestScorer best_scorer(const B& codec, const typename B::Query& query) {
  return {[&codec](Id id) { codec.prefetch_best(id); },
          [&codec, &query](const Id* ids, std::size_t n, float* distances) {
            codec.score_best(query, ids, n, distances);
          }};
}

// `query` is transformed for the codec, which must outlive the scorer.
inline BestScorer best_scorer(const AnyCodec& any, const float* query) {
  return std::visit(
      [query]<class B>(const B& codec) {
        auto prepared = std::make_shared<typename B::Query>();
        codec.prepare(query, *prepared);
        return BestScorer{[&codec](Id id) { codec.prefetch_best(id); },
                          [&codec, prepared](const Id* ids, std::size_t n, float* distances) {
                            codec.score_best(*prepared, ids, n, distances);
                          }};
      },
      any);
}

// By how much the quick codes of a few allowed vectors anywhere overstate their distance, at most:
// their mean error and three standard deviations. (Those that seem nearest err in one direction.)
template <Codec C>
float quick_margin(const C& codec, const typename C::Query& query, const BestScorer& scorer,
                   const Allowed& allowed, std::size_t slots) {
  constexpr std::size_t kSample = 64, kMostDraws = 4096;
  constexpr double kDeviations = 3;
  Random random(0);
  std::vector<Id> ids;
  for (std::size_t i = 0; i < kMostDraws && ids.size() < kSample; ++i) {
    const auto id = static_cast<Id>(random.below(slots));
    if (allowed(id)) ids.push_back(id);
  }
  if (ids.size() < kSample) return std::numeric_limits<float>::infinity();
  std::vector<float> quick(ids.size()), best(ids.size());
  codec.score(query, ids.data(), ids.size(), quick.data());
  scorer.score(ids.data(), ids.size(), best.data());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const double off = static_cast<double>(quick[i]) - best[i];
    sum += off / kSample;
    squares += off * off / kSample;
  }
  return static_cast<float>(std::abs(sum) +
                            kDeviations * std::sqrt(std::max(0.0, squares - sum * sum)));
}

// The k nearest allowed vectors by the codec's best codes, as good as exactly: the quick codes of
// all that are allowed are read, and re-scored are those that can still be among the nearest, going
// by how much quick codes err. Few are all re-scored.
template <Codec C>
std::vector<Hit> scan_nearest(const C& codec, const typename C::Query& query,
                              const BestScorer& scorer, const Allowed& allowed, std::size_t slots,
                              std::size_t k) {
  constexpr std::size_t kPiece = 16;
  const float margin = quick_margin(codec, query, scorer, allowed, slots);
  TopK quick(k);
  // A neighbour may seem a margin too far, and the k-th nearest by quick codes a margin too near.
  const auto limit = [&] { return quick.threshold() + 2 * margin; };
  std::vector<Hit> hits;
  scan_codes(codec, query, allowed, slots, limit, [&](float distance, Id id) {
    quick.push(distance, id);
    hits.push_back({distance, id});
  });
  std::erase_if(hits, [&](const Hit& hit) { return hit.distance > limit(); });
  for (std::size_t i = 0; i < std::min(kPiece, hits.size()); ++i) scorer.prefetch(hits[i].id);
  TopK nearest(k);
  Id ids[kPiece];
  float distances[kPiece];
  for (std::size_t at = 0; at < hits.size(); at += kPiece) {
    const std::size_t count = std::min(kPiece, hits.size() - at);
    for (std::size_t i = 0; i < count; ++i) ids[i] = hits[at + i].id;
    for (std::size_t i = at + kPiece; i < std::min(at + 2 * kPiece, hits.size()); ++i) {
      scorer.prefetch(hits[i].id);
    }
    scorer.score(ids, count, distances);
    for (std::size_t i = 0; i < count; ++i) nearest.push(distances[i], ids[i]);
  }
  return nearest.take_sorted();
}

}  // namespace kith
