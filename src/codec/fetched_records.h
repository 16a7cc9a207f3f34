// Vectors that a search brought from the disk, to be scored: record i of codec() is the vector
// id(i). For one thread.
#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "codec/stage.h"

namespace kith {

class FetchedRecords {
 public:
  // Room for vectors of a stage that is on disk and outlives this.
  explicit FetchedRecords(const Stage& stage);

  // How many to fetch at a time, so that they take a few megabytes.
  std::size_t most() const { return most_; }
  // Takes the place of what was fetched before; ids may repeat. Throws as TierFile::fetch.
  void fetch(std::span<const Id> ids);

  const AnyCodec& codec() const { return codec_; }
  std::span<const Id> ids() const { return ids_; }
  Id id(Id record) const { return ids_[record]; }
  // Of an id that was fetched; of another one, any number.
  Id record(Id id) const {
    return static_cast<Id>(std::lower_bound(ids_.begin(), ids_.end(), id) - ids_.begin());
  }

  // Scores some of the vectors, by their ids: the distances of score_best.
  template <class C>
  void score_best(const typename C::Query& query, const Id* ids, std::size_t n, float* out) {
    scored_.resize(n);
    for (std::size_t i = 0; i < n; ++i) scored_[i] = record(ids[i]);
    std::get<C>(codec_).score_best(query, scored_.data(), n, out);
  }

 private:
  const Stage& stage_;
  AnyCodec codec_;
  std::size_t most_;
  std::vector<Id> ids_, scored_;
};

}  // namespace kith
