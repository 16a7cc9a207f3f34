// Batches of queries that are near each other, so that the negatives of one are near misses of the
// others: S. Xiao et al., "Progressively optimized bi-granular document representation for scalable
// embedding based retrieval", WWW 2022 (locality-centric sampling).
//
// Queries and their negatives are a graph: a query leads to its negatives, a negative to all
// queries that have it. A batch is gathered along it, each query with one of its negatives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/random.h"
#include "learn/train/examples.h"

namespace kith::learn {

// Which of the queries that were come upon is next: the last one ("walk"), which leads away from
// where the batch began, or the first ("snowball"), which stays near. "none": any query, so that
// nothing but the negatives is drawn by this.
enum class Locality : std::uint8_t { none, walk, snowball };

// The next examples of one source. Each is used once before any is used again. It follows from the
// seed and the number of batches before.
class LocalitySampler {
 public:
  // Throws invalid_argument, naming the source, for an example without negatives.
  LocalitySampler(const std::vector<Example>& examples, Locality locality, std::size_t batch,
                  std::uint64_t seed, const std::string& source);

  struct Batch {
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> negatives;  // which of each example's own
  };
  Batch next();

 private:
  std::uint32_t next_query();
  // One that the batch doesn't have yet, if the example has such.
  std::uint32_t draw_negative(std::uint32_t row);
  void visit(std::uint32_t row);

  Locality locality_;
  std::size_t batch_;
  Random random_;
  std::vector<std::vector<std::uint32_t>> negatives_;  // of an example: numbers of texts
  std::vector<std::vector<std::uint32_t>> queries_;    // that have a text
  std::vector<std::uint32_t> unvisited_, place_;       // and where in it an example is
  std::vector<std::uint8_t> is_in_batch_;              // by text
  std::deque<std::uint32_t> queue_;
};

}  // namespace kith::learn
