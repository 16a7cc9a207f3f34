// The best documents of an inverted index for one query, exactly.
//
// Scores are sums of whole impacts (simd/postings.h), so every order of summing gives the same. The
// packed lists of a query are decoded first, and their postings sorted into windows. With them and
// the windowed lists' bounds, each window gets a bound on what a document in it can score, and
// windows are visited by descending bound until none can hold a better document (Mallia et al.,
// 2024). Within a window the lists with the largest bounds are added up until the rest together
// could not lift a new document over the threshold (MaxScore: Turtle and Flood, "Query evaluation:
// strategies and optimizations", 1995); from then on only documents that still can are followed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/packed_sums.h"
#include "index/postings.h"
#include "simd/postings.h"

namespace kith {

struct QueryTerm {
  Term term;
  float weight;  // above zero
};

// Keeps its memory from query to query. Not thread-safe: one a thread.
class PostingSearch {
 public:
  struct Hit {
    Id id;
    float score;
  };

  // `lengths` (one a document) and `norm` matter for counts only. All must outlive the object.
  PostingSearch(const Postings& postings, std::span<const std::uint32_t> lengths, LengthNorm norm)
      : postings_(postings), lengths_(lengths), norm_(norm), kernels_(simd::posting_kernels()) {}

  // The k documents that score most, best first, ties by id. Terms are distinct and below
  // postings.terms(). `exhaustive` visits every window and adds up every list.
  std::span<const Hit> search(std::span<const QueryTerm> query, std::size_t k, bool exhaustive);

  // Postings whose impacts were added up by the last search.
  std::size_t scored() const { return scored_; }

 private:
  struct List {
    WindowedList parts;
    std::size_t count;
    float weight, step;
    float most;  // that a posting can add
  };
  struct InWindow {  // a list that has postings in the window visited
    const List* list;
    std::int32_t bound;
    std::int32_t rest;  // the bounds from this one on
  };

  void open_lists(std::span<const QueryTerm> query);
  void add_packed(const QueryTerm& query);
  void order_windows();
  void visit(std::size_t window, bool exhaustive);
  void find_lists(std::size_t window);
  void add_list(const List& list, std::size_t window);
  void add_one(const List& list, std::size_t window, std::uint32_t place);
  std::size_t follow(std::size_t next, std::size_t window);
  void append(const List& list, std::size_t begin, std::size_t n);
  void flush(std::size_t window);
  void need_norms(std::size_t window);
  void push(std::int32_t score, Id id);
  void keep_best();

  const Postings& postings_;
  std::span<const std::uint32_t> lengths_;
  const LengthNorm norm_;
  const simd::PostingKernels& kernels_;

  std::size_t k_ = 0, scored_ = 0;
  float scale_ = 1;
  std::vector<List> lists_;
  std::vector<std::int32_t> bounds_;  // a window
  std::vector<std::uint32_t> order_;  // windows by descending bound

  // A packed list, as decoded.
  std::vector<Id> docs_;
  std::vector<std::byte> payload_;
  std::vector<std::uint32_t> doc_lengths_;
  std::vector<float> doc_norms_;
  std::vector<std::int32_t> impacts_;
  PackedSums packed_;

  std::size_t norms_window_ = ~std::size_t{0};
  std::array<float, kWindow + simd::kPostingsSlack> norms_;
  std::array<std::int32_t, kWindow> sums_;
  simd::PostingBatch batch_;
  std::array<std::uint32_t, kWindow + simd::kPostingsSlack> candidates_;
  std::vector<InWindow> present_;
  // What a document must score at least to be among the best, equal ones with smaller ids included.
  std::int32_t threshold_ = 1;
  std::vector<std::uint64_t> best_;  // score, then the smaller id, in one number; in no order
  std::vector<Hit> hits_;
};

}  // namespace kith
