// Every allowed code against one query: what exact and filtered searches do where walking a
// structure doesn't pay. C is a codec, or one that is seen by ids (by_id.h).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <utility>
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
template <class C, class Limit, class Push>
void scan_codes(const C& codec, const typename C::Query& query, const Allowed& allowed,
                std::size_t slots, const Limit& limit, const Push& push) {
  constexpr std::size_t kPiece = 1024, kTogether = 32;
  constexpr double kSparse = 0.25;  // then only the allowed codes are read
  std::vector<float> distances(kPiece);
  std::vector<std::uint32_t> near(kPiece);
  const auto select = [&](std::size_t scored) {
    return simd::select_at_most(distances.data(), scored, limit(), near.data());
  };
  if (allowed.share() < kSparse) {
    // While some are scored, the next are on their way from memory.
    Id pieces[2][kTogether];
    Id *now = pieces[0], *coming = pieces[1];
    std::size_t arrived = 0, asked = 0;
    const auto score_now = [&] {
      codec.score(query, now, arrived, distances.data());
      const std::size_t count = select(arrived);
      for (std::size_t i = 0; i < count; ++i) push(distances[near[i]], now[near[i]]);
      std::swap(now, coming);
      arrived = std::exchange(asked, 0);
    };
    allowed.for_each(0, static_cast<Id>(slots), [&](Id id) {
      codec.prefetch(id);
      coming[asked++] = id;
      if (asked == kTogether) score_now();
    });
    score_now();
    score_now();
    return;
  }
  for (std::size_t first = 0; first < slots; first += kPiece) {
    const std::size_t piece = std::min(kPiece, slots - first);
    const auto begin = static_cast<Id>(first);
    codec.score_range(query, begin, piece, distances.data());
    const std::size_t count = select(piece);
    for (std::size_t i = 0; i < count; ++i) {
      const Id id = begin + near[i];
      if (allowed(id)) push(distances[near[i]], id);
    }
  }
}

// Scores by the best codes, whatever they are: called for some vectors at a time, so that what
// scans need not be compiled for every pair of codecs.
struct BestScorer {
  static constexpr std::size_t kMostTogether = 256;
  std::function<void(Id)> prefetch;
  std::function<void(const Id* ids, std::size_t n, float* distances)> score;
  std::size_t together = 16;  // how many it is best asked for at a time
};

// Keeps references.
template <class B>
BestScorer best_scorer(const B& codec, const typename B::Query& query) {
  BestScorer scorer;
  scorer.prefetch = [&codec](Id id) { codec.prefetch_best(id); };
  scorer.score = [&codec, &query](const Id* ids, std::size_t n, float* distances) {
    codec.score_best(query, ids, n, distances);
  };
  return scorer;
}

// `query` is transformed for the codec, which must outlive the scorer.
inline BestScorer best_scorer(const AnyCodec& any, const float* query) {
  return std::visit(
      [query]<class B>(const B& codec) {
        auto prepared = std::make_shared<typename B::Query>();
        codec.prepare(query, *prepared);
        BestScorer scorer;
        scorer.prefetch = [&codec](Id id) { codec.prefetch_best(id); };
        scorer.score = [&codec, prepared](const Id* ids, std::size_t n, float* distances) {
          codec.score_best(*prepared, ids, n, distances);
        };
        return scorer;
      },
      any);
}

// By how much the quick codes of a few allowed vectors anywhere overstate their distance, at most:
// their mean error and three standard deviations. (Those that seem nearest err in one direction.)
template <class C>
float quick_margin(const C& codec, const typename C::Query& query, const BestScorer& scorer,
                   const Allowed& allowed, std::size_t slots) {
  constexpr std::size_t kSample = 64, kFew = 16 * kSample, kMostDraws = 4096;
  constexpr double kDeviations = 3;
  std::vector<Id> ids;
  if (allowed.count() >= kFew) {
    Random random(0);
    for (std::size_t i = 0; i < kMostDraws && ids.size() < kSample; ++i) {
      const std::size_t begin = 64 * random.below((slots + 63) / 64);
      allowed.for_each(static_cast<Id>(begin), static_cast<Id>(std::min(begin + 64, slots)),
                       [&](Id id) {
                         codec.prefetch(id);
                         scorer.prefetch(id);
                         ids.push_back(id);
                       });
    }
  }
  if (ids.size() < kSample) return std::numeric_limits<float>::infinity();
  std::vector<float> quick(ids.size()), best(ids.size());
  codec.score(query, ids.data(), ids.size(), quick.data());
  scorer.score(ids.data(), ids.size(), best.data());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const double off = static_cast<double>(quick[i]) - best[i];
    sum += off;
    squares += off * off;
  }
  const auto n = static_cast<double>(ids.size());
  const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
  return static_cast<float>(std::abs(mean) + kDeviations * std::sqrt(variance));
}

// Scores all hits by the best codes; while a piece is scored, the next is on its way from memory.
inline void score_best(std::span<const Hit> hits, const BestScorer& scorer, TopK& nearest) {
  const std::size_t piece = scorer.together;
  Id ids[BestScorer::kMostTogether];
  float distances[BestScorer::kMostTogether];
  const auto fetch = [&](std::size_t first) {
    for (std::size_t i = first; i < std::min(first + piece, hits.size()); ++i) {
      scorer.prefetch(hits[i].id);
    }
  };
  fetch(0);
  for (std::size_t at = 0; at < hits.size(); at += piece) {
    const std::size_t count = std::min(piece, hits.size() - at);
    for (std::size_t i = 0; i < count; ++i) ids[i] = hits[at + i].id;
    fetch(at + piece);
    scorer.score(ids, count, distances);
    for (std::size_t i = 0; i < count; ++i) nearest.push(distances[i], ids[i]);
  }
}

// The k nearest allowed vectors by the codec's best codes, as good as exactly: the quick codes of
// all that are allowed are read, and re-scored are those that can still be among the nearest, going
// by how much quick codes err. Few are all re-scored.
template <class C>
std::vector<Hit> scan_nearest(const C& codec, const typename C::Query& query,
                              const BestScorer& scorer, const Allowed& allowed, std::size_t slots,
                              std::size_t k) {
  const float margin = quick_margin(codec, query, scorer, allowed, slots);
  TopK quick(k);
  // A neighbour may seem a margin too far, and the k-th nearest by quick codes a margin too near.
  const auto limit = [&] { return quick.threshold() + 2 * margin; };
  std::vector<Hit> hits;
  scan_codes(codec, query, allowed, slots, limit, [&](float distance, Id id) {
    quick.push(distance, id);
    hits.push_back({distance, id});
  });
  // Those that seem nearest say how near the others must seem.
  const std::size_t first = std::min(k, hits.size());
  std::nth_element(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(first), hits.end());
  TopK nearest(k);
  score_best(std::span(hits).first(first), scorer, nearest);
  hits.erase(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(first));
  const float near_enough = nearest.threshold() + margin;
  std::erase_if(hits, [&](const Hit& hit) { return hit.distance > near_enough; });
  score_best(hits, scorer, nearest);
  return nearest.take_sorted();
}

}  // namespace kith
