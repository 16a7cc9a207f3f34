// Two dictionaries' definitions of one word: GCIDE's (Webster's of 1913 and later additions) and
// WordNet's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dictd.h"
#include "datasets/wordnet.h"

namespace kith::datasets {

// GCIDE's first sense: "1. ..." where senses are numbered, else what follows a headword's line that
// is complete; up to the source's mark. Empty where the entry has neither.
std::string first_sense(const std::string& entry);

// Definitions without the word itself: GCIDE's, and WordNet's of it and of a sibling.
struct DefinedWord {
  std::string word, gcide, own, other;
};

// Nouns with one sense in WordNet and a sibling, in the order of GCIDE's entries; the seed chooses
// the siblings.
std::vector<DefinedWord> defined_words(const std::vector<DictionaryEntry>& entries,
                                       const std::vector<Synset>& synsets, std::uint64_t seed);

}  // namespace kith::datasets
