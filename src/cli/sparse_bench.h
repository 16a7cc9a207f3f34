// Text search timed over one collection: what pruning saves, and a plain loop beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/count_rows.h"
#include "index/inverted_index.h"

namespace kith::cli {

// A collection indexed with one kind of stored weights, and as plain arrays.
class SparseBench {
 public:
  SparseBench(const CountRows& counted, Payload payload, const Control& control);

  // Distinct words of the collection's own texts with their idf: up to 8
  // from one text, more from as many texts as it takes.
  std::vector<QueryTerm> query(std::size_t words, std::uint64_t seed, std::uint64_t number) const;

  const Postings& postings() const { return index_.postings(); }
  PostingSearch searcher() const { return index_.searcher(); }
  std::size_t postings_of(std::span<const QueryTerm> query) const;

  // The loop that a newcomer would write: every posting of every term added to an array of floats,
  // one a document, and the k largest chosen by partial sorting. Returns the best score.
  float plain(std::span<const QueryTerm> query, std::size_t k, std::vector<float>& scores,
              std::vector<Id>& order) const;

 private:
  const CountRows& counted_;
  PlainPostings plain_;  // with weights, not counts
  InvertedIndex index_;
};

}  // namespace kith::cli
