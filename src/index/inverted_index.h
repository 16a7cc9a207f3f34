// What sparse vectors and texts share: an inverted index's lists, and searching them for many
// queries at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/storage.h"
#include "index/posting_search.h"
#include "index/postings.h"
#include "kith/control.h"
#include "kith/neighbours.h"

namespace kith {

class InvertedIndex {
 public:
  explicit InvertedIndex(Postings postings) : postings_(std::move(postings)) {}
  // Of counts. `lengths` holds uint32 a document and simd::kPostingsSlack more.
  InvertedIndex(Postings postings, Storage lengths, LengthNorm norm)
      : postings_(std::move(postings)), lengths_(std::move(lengths)), norm_(norm) {}

  // Fills `terms` with query i's distinct terms below postings().terms(), weights above zero. Many
  // threads call it at once.
  using MakeQuery = std::function<void(std::size_t i, std::vector<QueryTerm>& terms)>;
  Neighbours search(std::size_t queries, const MakeQuery& make_query, std::size_t k,
                    bool exhaustive, const Control& control) const;

  // For measuring: a search on this thread alone.
  PostingSearch searcher() const { return {postings_, lengths(), norm_}; }

  const Postings& postings() const { return postings_; }
  std::span<const std::uint32_t> lengths() const {
    return {lengths_.as<std::uint32_t>(), lengths_.size() / sizeof(std::uint32_t)};
  }
  std::span<const std::byte> length_bytes() const { return lengths_.bytes(); }

 private:
  class Borrowed;

  Postings postings_;
  Storage lengths_;
  LengthNorm norm_;

  // Searches keep their memory between calls.
  mutable std::mutex idle_mutex_;
  mutable std::vector<std::unique_ptr<PostingSearch>> idle_;
};

}  // namespace kith
