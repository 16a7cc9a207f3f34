// Which of several texts a committee finds nearest to what answers a query: how O1 Embedder (Yan et
// al., "O1 Embedder: let retrievers think before action", 2025) chooses the thoughts that a model
// learns to write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kith/control.h"
#include "kith/judge.h"

namespace kith::mine {

struct Ballot {
  std::string positive;                 // what answers the query
  std::vector<std::string> candidates;  // at least one
};

struct VoteOptions {
  // Each member's first choice counts, the most choices win; else the sum of its softmax over the
  // candidates, as in the authors' script.
  bool majority = false;
  double scale = 100;  // that cosines are multiplied by before the softmax; the authors'
  Control control = {};
};

// The number of the chosen candidate of each ballot; of equals the first. A null member is BM25,
// with the positive as the query and the candidates as its collection. Throws invalid_argument
// without members or candidates, cancelled.
std::vector<std::uint32_t> vote(std::span<const Ballot> ballots, std::span<Embedder* const> members,
                                const VoteOptions& options);

}  // namespace kith::mine
