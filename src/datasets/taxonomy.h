// WordNet's hierarchy of one part of speech: synsets below their hypernyms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/random.h"
#include "datasets/wordnet.h"

namespace kith::datasets {

class Taxonomy {
 public:
  // Synsets are numbered by their place. Throws corrupt for a hypernym that isn't among them, and
  // where hypernyms go in a circle that nothing is above.
  explicit Taxonomy(std::span<const Synset> synsets);

  std::span<const std::uint32_t> above(std::uint32_t synset) const { return above_[synset]; }
  std::span<const std::uint32_t> below(std::uint32_t synset) const { return below_[synset]; }

  // Wu and Palmer, "Verb semantics and lexical selection", 1994: 2 d / (a + b + 2 d), where d is
  // how many synsets the way from the root to the deepest one above both has, and a and b are the
  // steps from there down to the two. One root is above all that have nothing above them. In (0,
  // 1].
  double similarity(std::uint32_t a, std::uint32_t b) const;

  // Another synset, or the same: some steps up, six at most, and some down again, chosen at random.
  std::uint32_t relative(std::uint32_t synset, Random& random) const;

 private:
  // All that is above a synset, itself included, with the fewest steps there.
  std::map<std::uint32_t, std::size_t> ancestors(std::uint32_t synset) const;

  std::vector<std::vector<std::uint32_t>> above_, below_;
  std::vector<std::size_t> depth_;  // synsets on the shortest way from the root, it included
};

}  // namespace kith::datasets
