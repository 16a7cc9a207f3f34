// The one graph search, generic over codecs and over Graph and PackedGraph: best-first, keeping the
// nearest nodes met.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "base/topk.h"
#include "codec/codec.h"
#include "index/graph.h"
#include "simd/kernels.h"

namespace kith {

// A distance and an id as one integer whose order is (distance, id); the lowest bit says whether
// the node was expanded. Ids are below 2^31 (kMaxVectors).
using BeamKey = std::uint64_t;

inline BeamKey beam_key(float distance, Id id) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(distance);
  const std::uint32_t ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return (static_cast<BeamKey>(ordered) << 32) | (id << 1);
}
inline Id beam_id(BeamKey key) { return static_cast<Id>(key) >> 1; }
inline float beam_distance(BeamKey key) {
  const std::uint32_t ordered = static_cast<std::uint32_t>(key >> 32);
  return std::bit_cast<float>((ordered & 0x80000000u) != 0 ? ordered & 0x7fffffffu : ~ordered);
}

// Marks nodes seen by the search in progress; starting a search costs nothing 254 times out of 255.
class VisitedSet {
 public:
  void start(std::size_t nodes) {
    if (marks_.size() < nodes) marks_.resize(nodes, 0);
    if (++epoch_ == 0) {
      std::memset(marks_.data(), 0, marks_.size());
      epoch_ = 1;
    }
  }
  // Marks the ids up to the first `end` and copies those that are new to `fresh`, which has room
  // for all; returns how many. Whether a node is new can't be predicted: no branch depends on it.
  std::size_t insert(std::span<const Id> ids, Id end, Id* fresh) {
    std::uint8_t* const marks = marks_.data();
    const std::uint8_t epoch = epoch_;
    std::size_t count = 0;
    for (const Id id : ids) {
      if (id == end) break;
      fresh[count] = id;
      count += marks[id] != epoch ? 1 : 0;
      marks[id] = epoch;
    }
    return count;
  }

 private:
  std::vector<std::uint8_t> marks_;
  std::uint8_t epoch_ = 0;
};

// How far a walk looks. By number: it keeps the `most` nearest nodes met and expands them all. By
// distance, where `growth` is finite: the `rank`-th wanted node is the n-th of all (n is the rank
// where all are wanted), and what is at most growth * ln(beam_for(n) / n) farther is kept and
// expanded, at least a quarter of beam_for(n) and at most `most`. So a walk ends where the
// neighbours are known, goes on where many are as near as they, and looks for few wanted ones among
// n as it would for all n. (Al-Jazzazi et al., "Distance adaptive beam search for provably accurate
// graph-based nearest neighbor search", 2025, with a difference of distances in place of a ratio: a
// difference means something under every metric.) beam >= rank >= 1.
struct Breadth {
  static constexpr std::size_t kRoom = 4;

  std::size_t most = 1;
  std::size_t rank = 1, beam = 1;
  float growth = std::numeric_limits<float>::infinity();
  // To find the wanted ones it is worth to expand so many nodes; a walk to which it seems to take
  // more from where it is gives up.
  double worth = std::numeric_limits<double>::infinity();

  // How broad a walk finds n neighbours at the recall at which one of `beam` finds `rank`
  // (docs/performance.md).
  double beam_for(double n) const {
    constexpr double kBroader = 1.7;
    return static_cast<double>(beam) + kBroader * (n - static_cast<double>(rank));
  }
};

// The nearest nodes so far, in order, as many and as far as the breadth says.
class BeamPool {
 public:
  // `all_wanted`: the caller needn't say so of each.
  void start(const Breadth& breadth, bool all_wanted, std::size_t most_at_once) {
    breadth_ = breadth;
    all_wanted_ = all_wanted;
    wanted_ = TopK(all_wanted ? 0 : breadth.rank);
    limit_ = std::numeric_limits<float>::infinity();
    size_ = 0;
    cursor_ = 0;
    expanded_ = 0;
    gave_up_ = false;
    near_ = 0;
    if (keys_.size() < breadth.most + most_at_once) keys_.resize(breadth.most + most_at_once);
  }
  // That a node at this distance, which is merged next, is wanted.
  void want(float distance) { wanted_.push(distance, 0); }

  std::span<const BeamKey> keys() const { return {keys_.data(), size_}; }
  // Nodes farther than this can't enter.
  float threshold() const { return limit_; }

  // Merges keys in ascending order (none of them already here).
  void merge(std::span<const BeamKey> sorted) {
    std::size_t end = size_;  // [end, size_) has been moved to its place
    std::size_t room = sorted.size();
    while (room > 0) {
      const BeamKey key = sorted[room - 1];
      const std::size_t position = static_cast<std::size_t>(
          std::upper_bound(keys_.data(), keys_.data() + end, key) - keys_.data());
      std::memmove(keys_.data() + position + room, keys_.data() + position,
                   (end - position) * sizeof(BeamKey));
      keys_[position + room - 1] = key;
      end = position;
      --room;
    }
    size_ = std::min(size_ + sorted.size(), breadth_.most);
    limit_ = farthest();
    while (size_ > 0 && beam_distance(keys_[size_ - 1]) > limit_) --size_;
    if (!sorted.empty()) cursor_ = std::min(cursor_, end);
  }

  // The nearest node that wasn't expanded, now marked so; kNoId when all were or it gave up.
  Id expand_next() {
    constexpr std::size_t kBetweenLooks = 32;
    while (cursor_ < size_ && (keys_[cursor_] & 1) != 0) ++cursor_;
    if (cursor_ >= size_) return kNoId;
    if (++expanded_ % kBetweenLooks == 0 && !all_wanted_) gave_up_ = takes_too_long();
    if (gave_up_) return kNoId;
    const Id id = beam_id(keys_[cursor_]);
    keys_[cursor_++] |= 1;
    return id;
  }

  bool gave_up() const { return gave_up_; }

 private:
  float farthest() {
    constexpr float kAnything = std::numeric_limits<float>::infinity();
    const float last = size_ == breadth_.most ? beam_distance(keys_[size_ - 1]) : kAnything;
    if (breadth_.growth == kAnything) return last;
    const std::size_t n = near_wanted();
    if (n == 0) return last;
    if (n != near_) {
      near_ = n;
      const double beam = breadth_.beam_for(static_cast<double>(n));
      beyond_ = breadth_.growth * static_cast<float>(std::log(beam / static_cast<double>(n)));
      least_ = (static_cast<std::size_t>(beam) + Breadth::kRoom - 1) / Breadth::kRoom;
    }
    if (size_ < least_) return last;
    const float near = beam_distance(keys_[n - 1]) + beyond_;
    return std::min(last, std::max(near, beam_distance(keys_[least_ - 1])));
  }

  // How many are as near as the rank-th wanted one; 0 while it isn't known.
  std::size_t near_wanted() const {
    if (all_wanted_) return size_ < breadth_.rank ? 0 : breadth_.rank;
    if (!wanted_.full()) return 0;
    const BeamKey last = beam_key(wanted_.threshold(), kNoId >> 1) | 1;
    return static_cast<std::size_t>(std::upper_bound(keys_.data(), keys_.data() + size_, last) -
                                    keys_.data());
  }

  // Whether it does to find the rank-th wanted, going by how many of the nearest are: a walk knows
  // nearly all of the nearest few for each node that it expanded.
  bool takes_too_long() const {
    constexpr std::size_t kKnownForEach = 4;
    const std::size_t known = std::min(kKnownForEach * expanded_, size_);
    const float reach = beam_distance(keys_[known - 1]);
    const auto found = static_cast<std::size_t>(
        std::count_if(wanted_.hits().begin(), wanted_.hits().end(),
                      [reach](const Hit& hit) { return hit.distance <= reach; }));
    const double n = found == breadth_.rank ? static_cast<double>(near_wanted())
                                            : static_cast<double>(known * breadth_.rank) /
                                                  static_cast<double>(found + 1);
    return breadth_.beam_for(n) > static_cast<double>(expanded_) + breadth_.worth;
  }

  Breadth breadth_;
  bool all_wanted_ = true, gave_up_ = false;
  TopK wanted_{0};  // the nearest wanted ones' distances
  std::size_t size_ = 0, cursor_ = 0, expanded_ = 0;
  float limit_ = 0;
  std::size_t near_ = 0, least_ = 0;  // near_wanted() when last asked, and what follows from it
  float beyond_ = 0;
  std::vector<BeamKey> keys_;
};

// What one search needs and the next can use again.
struct BeamScratch {
  VisitedSet visited;
  BeamPool pool;
  std::vector<Id> slots, fresh;
  std::vector<float> distances;
  std::vector<std::uint32_t> near;
  std::vector<BeamKey> keys;

  void start(std::size_t nodes, const Breadth& breadth, bool all_wanted, std::size_t most_at_once) {
    visited.start(nodes);
    pool.start(breadth, all_wanted, most_at_once);
    if (fresh.size() < most_at_once) {
      slots.resize(most_at_once);
      fresh.resize(most_at_once);
      distances.resize(most_at_once);
      near.resize(most_at_once);
      keys.resize(most_at_once);
    }
  }
};

// Says of every node that a search wants it.
struct WantsAll {
  constexpr bool operator()(Id /*node*/) const { return true; }
};

// Scores the first `count` of scratch.fresh and lets those near enough into the pool.
template <class G, Codec C, class Wanted>
void admit(const G& graph, const C& codec, const typename C::Query& query, const Wanted& wanted,
           std::size_t count, BeamScratch& scratch) {
  codec.score(query, scratch.fresh.data(), count, scratch.distances.data());
  const std::size_t near = simd::select_at_most(scratch.distances.data(), count,
                                                scratch.pool.threshold(), scratch.near.data());
  for (std::size_t i = 0; i < near; ++i) {
    const std::uint32_t at = scratch.near[i];
    const BeamKey key = beam_key(scratch.distances[at], scratch.fresh[at]);
    std::size_t hole = i;
    for (; hole > 0 && scratch.keys[hole - 1] > key; --hole) {
      scratch.keys[hole] = scratch.keys[hole - 1];
    }
    scratch.keys[hole] = key;
    if constexpr (!std::is_same_v<Wanted, WantsAll>) {
      if (wanted(scratch.fresh[at])) scratch.pool.want(scratch.distances[at]);
    }
  }
  scratch.pool.merge({scratch.keys.data(), near});
  for (std::size_t i = 0; i < near; ++i) graph.prefetch(beam_id(scratch.keys[i]));
}

// Walks from `entries`; the pool then holds the nearest nodes met, in order. Deterministic.
template <class G, Codec C, class Wanted = WantsAll>
void beam_search(const G& graph, const C& codec, const typename C::Query& query,
                 std::span<const Id> entries, const Breadth& breadth, BeamScratch& scratch,
                 const Wanted& wanted = {}) {
  scratch.start(graph.size(), breadth, std::is_same_v<Wanted, WantsAll>,
                std::max(graph.degree(), entries.size()));
  std::size_t count = scratch.visited.insert(entries, kNoId, scratch.fresh.data());
  admit(graph, codec, query, wanted, count, scratch);
  for (;;) {
    const Id node = scratch.pool.expand_next();
    if (node == kNoId) return;
    count = scratch.visited.insert(graph.slots(node, scratch.slots.data()), graph.empty_slot(),
                                   scratch.fresh.data());
    for (std::size_t i = 0; i < count; ++i) codec.prefetch(scratch.fresh[i]);
    if (count != 0) admit(graph, codec, query, wanted, count, scratch);
  }
}

// The `beam` nearest, however far.
template <class G, Codec C>
void beam_search(const G& graph, const C& codec, const typename C::Query& query,
                 std::span<const Id> entries, std::size_t beam, BeamScratch& scratch) {
  beam_search(graph, codec, query, entries, Breadth{beam}, scratch);
}

}  // namespace kith
