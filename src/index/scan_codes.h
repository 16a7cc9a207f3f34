// Every allowed code against one query: what exact and filtered searches do where walking a
// structure doesn't pay.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "base/topk.h"
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

// The k nearest allowed vectors by the codec's best codes, as good as exactly: the quick codes of
// all that are allowed are read, and re-scored are those that can still be among the nearest, going
// by how much the quick codes are off on some of them.
template <Codec C, Codec B>
std::vector<Hit> scan_nearest(const C& codec, const typename C::Query& query, const B& fine,
                              const typename B::Query& exact, const Allowed& allowed,
                              std::size_t slots, std::size_t k) {
  constexpr std::size_t kSample = 64, kFirst = 64, kPiece = 16;
  constexpr double kDeviations = 3;
  std::vector<Hit> hits;
  scan_codes(
      codec, query, allowed, slots, [] { return std::numeric_limits<float>::infinity(); },
      [&](float distance, Id id) {
        hits.push_back({distance, id});
      });

  TopK nearest(k);
  std::vector<Id> ids;
  std::vector<float> distances;
  const auto rescore = [&](std::span<const Hit> some) {
    ids.resize(some.size());
    distances.resize(some.size());
    for (std::size_t i = 0; i < some.size(); ++i) ids[i] = some[i].id;
    for (std::size_t i = 0; i < std::min(kPiece, ids.size()); ++i) fine.prefetch_best(ids[i]);
    for (std::size_t at = 0; at < ids.size(); at += kPiece) {
      const std::size_t end = std::min(at + kPiece, ids.size());
      for (std::size_t i = end; i < std::min(end + kPiece, ids.size()); ++i) {
        fine.prefetch_best(ids[i]);
      }
      fine.score_best(exact, ids.data() + at, end - at, distances.data() + at);
    }
  };
  // Of vectors anywhere: those that seem nearest are off in one direction.
  std::vector<Hit> sample;
  for (std::size_t i = 0; i < std::min(kSample, hits.size()); ++i) {
    sample.push_back(hits[i * hits.size() / std::min(kSample, hits.size())]);
  }
  rescore(sample);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double off = static_cast<double>(sample[i].distance) - distances[i];
    sum += off;
    squares += off * off;
  }
  const double n = static_cast<double>(std::max<std::size_t>(sample.size(), 1));
  const double spread = std::sqrt(std::max(0.0, squares / n - sum / n * sum / n));
  const auto margin = static_cast<float>(sum / n + kDeviations * spread);

  const auto push_all = [&](std::span<const Hit> some) {
    rescore(some);
    for (std::size_t i = 0; i < some.size(); ++i) nearest.push(distances[i], some[i].id);
  };
  const std::size_t first = std::min(std::max(kFirst, 2 * k), hits.size());
  const auto rest = hits.begin() + static_cast<std::ptrdiff_t>(first);
  if (rest != hits.end()) std::nth_element(hits.begin(), rest, hits.end());
  push_all(std::span(hits).first(first));
  const float limit = nearest.threshold() + margin;
  const auto possible =
      std::partition(rest, hits.end(), [&](const Hit& hit) { return hit.distance <= limit; });
  push_all({rest, possible});
  return nearest.take_sorted();
}

}  // namespace kith
