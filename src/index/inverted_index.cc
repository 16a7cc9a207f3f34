#include "index/inverted_index.h"

#include <limits>

#include "base/parallel.h"
#include "base/progress.h"

namespace kith {

// A search taken from the idle ones, or a new one; goes back at the end.
class InvertedIndex::Borrowed {
 public:
  explicit Borrowed(const InvertedIndex& index) : index_(index) {
    const std::lock_guard lock(index.idle_mutex_);
    if (index.idle_.empty()) {
      search_ = std::make_unique<PostingSearch>(index.searcher());
    } else {
      search_ = std::move(index.idle_.back());
      index.idle_.pop_back();
    }
  }
  ~Borrowed() {
    const std::lock_guard lock(index_.idle_mutex_);
    index_.idle_.push_back(std::move(search_));
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  PostingSearch& operator*() const { return *search_; }
  PostingSearch* operator->() const { return search_.get(); }

 private:
  const InvertedIndex& index_;
  std::unique_ptr<PostingSearch> search_;
};

Neighbours InvertedIndex::search(std::size_t queries, const MakeQuery& make_query, std::size_t k,
                                 bool exhaustive, const Control& control) const {
  constexpr std::size_t kGrain = 8;  // queries that a thread takes at a time
  Neighbours result(queries, k);
  Progress progress(control, "search", queries);
  parallel_for(control, queries, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    const Borrowed search(*this);
    std::vector<QueryTerm> terms;
    for (std::size_t q = begin; q < end; ++q) {
      throw_if_cancelled(control);
      terms.clear();
      make_query(q, terms);
      const auto hits = search->search(terms, k, exhaustive);
      for (std::size_t i = 0; i < k; ++i) {
        const bool present = i < hits.size();
        result.ids(q, i) = present ? hits[i].id : kNoId;
        result.distances(q, i) = present ? -hits[i].score : std::numeric_limits<float>::infinity();
      }
    }
    progress.add(end - begin);
  });
  return result;
}

}  // namespace kith
