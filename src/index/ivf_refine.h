// Candidates of an inverted file judged by the best codes there are. Lists are scanned in waves,
// nearest first; the k nearest judged so far say how near a candidate must be estimated to matter
// still, so later waves find few.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "base/topk.h"
#include "codec/codec.h"
#include "codec/fetched_records.h"
#include "index/reservoir.h"
#include "kith/types.h"
#include "simd/kernels.h"
#include "simd/kth_smallest.h"

namespace kith {

// One query's answer in the making.
template <class C>
struct Refined {
  typename C::Query query;
  float radius = std::numeric_limits<float>::infinity();  // nothing farther is wanted
  TopK nearest{0};

  float wanted() const { return std::min(radius, nearest.threshold()); }
};

// Some of a reservoir.
struct Candidates {
  std::span<const float> estimates;
  std::span<const std::uint32_t> places;

  explicit Candidates(const Reservoir& all) : estimates(all.estimates()), places(all.places()) {}
  Candidates(const Reservoir& all, std::size_t begin, std::size_t end)
      : estimates(all.estimates().subspan(begin, end - begin)),
        places(all.places().subspan(begin, end - begin)) {}
};

// Where the code of a place in the lists is: in memory under its id or, where codes lie in the
// lists' order, under the place,
template <class C>
struct InMemory {
  const C& codec;
  const Id* ids;
  bool in_lists = false;
  Id record(std::uint32_t place) const { return in_lists ? place : ids[place]; }
  Id id(Id record) const { return in_lists ? ids[record] : record; }
};
// or among what was fetched.
template <class C>
struct Fetched {
  const C& codec;
  const FetchedRecords& records;
  const Id* ids;
  bool in_lists = false;
  Id record(std::uint32_t place) const { return records.record(ids[place]); }
  Id id(Id record) const { return records.id(record); }
};

// What judges, and how far its distances may be below estimates.
struct Refiner {
  const Id* ids;          // by places in the lists
  bool in_lists = false;  // lists are scanned by the first level of the codes that judge
  bool settled = false;   // and by all of them: estimates are the distances
  float margin, level_margin;

  // Judges what a wave found and lowers the limit for the next one.
  template <class C>
  void refine(const C& codec, Reservoir& candidates, Refined<C>& refined) const;
  // The same of each query's candidates, whose vectors are on disk.
  template <class C>
  void refine_on_disk(FetchedRecords& records, std::span<Reservoir> candidates,
                      std::span<Refined<C>> refined) const;

  // Re-scores the candidates estimated above `above` and at most `limit` far, as far as they can
  // still matter; of codes with two levels the first one decides once more.
  template <class C, class Place>
  void rescore(const Place& place, const Candidates& candidates, float above, float limit,
               Refined<C>& refined) const;
  template <class C>
  void rescore_on_disk(FetchedRecords& records, std::span<const Reservoir> candidates,
                       std::span<const float> above, std::span<const float> limits,
                       std::span<Refined<C>> refined) const;
};

// Candidates come in pieces: while one is scored, the next is on its way from memory.
template <class C, class Place>
void Refiner::rescore(const Place& place, const Candidates& candidates, float above, float limit,
                      Refined<C>& refined) const {
  constexpr std::size_t kPiece = 16;
  thread_local std::vector<std::uint32_t> near;
  Id pieces[2][kPiece], likely[2 * kPiece];
  float distances[2 * kPiece];
  const C& codec = place.codec;
  const std::span<const float> estimates = candidates.estimates;
  const std::span<const std::uint32_t> places = candidates.places;
  const bool by_levels = kHasTwoLevels<C> && !place.in_lists;  // else the first one was scanned
  near.resize(estimates.size());
  const std::size_t found = simd::select_at_most(
      estimates.data(), estimates.size(), std::min(limit, refined.wanted() + margin), near.data());
  std::size_t next = 0, waiting = 0;
  const auto gather = [&](Id* piece) {
    const float still = std::min(limit, refined.wanted() + margin);
    std::size_t count = 0;
    for (; next < found && count < kPiece; ++next) {
      const float estimate = estimates[near[next]];
      piece[count] = place.record(places[near[next]]);
      count += (estimate > above ? 1 : 0) & (estimate <= still ? 1 : 0);
    }
    for (std::size_t i = 0; i < count; ++i) {
      by_levels ? codec.prefetch(piece[i]) : codec.prefetch_best(piece[i]);
    }
    return count;
  };
  const auto finish = [&](const Id* piece, std::size_t count) {
    codec.score_best(refined.query, piece, count, distances);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] <= refined.wanted()) refined.nearest.push(distances[i], place.id(piece[i]));
    }
  };
  const auto narrow = [&](const Id* piece, std::size_t count) {
    codec.score(refined.query, piece, count, distances);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] > refined.wanted() + level_margin) continue;
      codec.prefetch_best(piece[i]);
      likely[waiting++] = piece[i];
    }
    if (waiting < kPiece) return;
    finish(likely, waiting);
    waiting = 0;
  };
  Id *now = pieces[0], *later = pieces[1];
  for (std::size_t count = gather(now); count != 0;) {
    const std::size_t coming = gather(later);
    by_levels ? narrow(now, count) : finish(now, count);
    std::swap(now, later);
    count = coming;
  }
  finish(likely, waiting);
}

// An estimate that about the kLikeliest nearest candidates have at most; -infinity where there is
// no need of it.
template <class C>
float likeliest(const Reservoir& candidates, const Refined<C>& refined) {
  constexpr std::size_t kLikeliest = 32;
  thread_local std::vector<float> copy;
  const std::span<const float> estimates = candidates.estimates();
  if (refined.nearest.full() || estimates.size() <= kLikeliest) {
    return -std::numeric_limits<float>::infinity();
  }
  copy.assign(estimates.begin(), estimates.end());
  return simd::bound_kth_smallest(copy, kLikeliest);
}

template <class C>
void Refiner::refine(const C& codec, Reservoir& candidates, Refined<C>& refined) const {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  candidates.settle();
  const Candidates all(candidates);
  if (settled) {
    for (std::size_t i = 0; i < all.estimates.size(); ++i) {
      if (all.estimates[i] > refined.wanted()) continue;
      refined.nearest.push(all.estimates[i], ids[all.places[i]]);
    }
  } else {
    const InMemory<C> place{codec, ids, in_lists};
    const float above = likeliest(candidates, refined);
    // The likeliest first: they say how many of the others matter.
    if (above != -kInfinity) rescore(place, all, -kInfinity, above, refined);
    rescore(place, all, above, kInfinity, refined);
  }
  candidates.clear();
  candidates.lower(refined.nearest.threshold() + margin);
}

// As many as can matter are read at once, in parts where that is more than should be in memory.
template <class C>
void Refiner::rescore_on_disk(FetchedRecords& records, std::span<const Reservoir> candidates,
                              std::span<const float> above, std::span<const float> limits,
                              std::span<Refined<C>> refined) const {
  struct Part {
    std::size_t query, begin, end;
  };
  std::vector<Part> parts;
  std::vector<Id> wanted;
  const auto score = [&] {
    records.fetch(wanted);
    const Fetched<C> place{std::get<C>(records.codec()), records, ids};
    for (const Part& part : parts) {
      rescore(place, Candidates(candidates[part.query], part.begin, part.end), above[part.query],
              limits[part.query], refined[part.query]);
    }
    parts.clear();
    wanted.clear();
  };
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    const Candidates all(candidates[q]);
    Part part{q, 0, 0};
    for (; part.end < all.estimates.size(); ++part.end) {
      const float estimate = all.estimates[part.end];
      const float still = std::min(limits[q], refined[q].wanted() + margin);
      if (!(estimate > above[q] && estimate <= still)) continue;
      if (wanted.size() == records.most()) {
        parts.push_back(part);
        score();
        part.begin = part.end;
      }
      wanted.push_back(ids[all.places[part.end]]);
    }
    parts.push_back(part);
  }
  score();
}

template <class C>
void Refiner::refine_on_disk(FetchedRecords& records, std::span<Reservoir> candidates,
                             std::span<Refined<C>> refined) const {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> lowest(candidates.size(), -kInfinity);
  const std::vector<float> highest(candidates.size(), kInfinity);
  std::vector<float> above(candidates.size());
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    candidates[q].settle();
    above[q] = likeliest(candidates[q], refined[q]);
  }
  rescore_on_disk<C>(records, candidates, lowest, above, refined);
  rescore_on_disk<C>(records, candidates, above, highest, refined);
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    candidates[q].clear();
    candidates[q].lower(refined[q].nearest.threshold() + margin);
  }
}

}  // namespace kith
