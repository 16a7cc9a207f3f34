// WordNet's synsets that no task tests on: glosses, words, examples and what is above them, and
// pairs of glosses with how near they are in the hierarchy.
#include <algorithm>
#include <unordered_map>

#include "base/random.h"
#include "datasets/reverse_dictionaries.h"
#include "datasets/split.h"
#include "datasets/taxonomy.h"
#include "datasets/tested_synsets.h"
#include "datasets/train_sets.h"
#include "datasets/wordnet.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kLeastLetters = 20;  // of a gloss that says something
constexpr std::size_t kNegatives = 3;      // words of synsets beside a pair's
constexpr std::size_t kScored = 50000;     // pairs with a score, of each part of speech

using Siblings = std::unordered_map<std::uint32_t, std::vector<const Synset*>>;  // by hypernym

// The words of some synsets with the same hypernym: what is alike and not meant.
std::vector<std::string> other_words(const Synset& synset, const Siblings& siblings,
                                     std::uint64_t seed) {
  std::vector<std::string> words;
  if (synset.hypernyms.empty()) return words;
  const auto found = siblings.find(synset.hypernyms.front());
  if (found == siblings.end()) return words;
  // One more than wanted, as the synset itself is among them.
  const std::uint64_t own = seed ^ synset.offset;
  for (const std::uint32_t i : random_sample(found->second.size(), kNegatives + 1, own)) {
    const Synset& other = *found->second[i];
    if (&other != &synset && words.size() < kNegatives) words.push_back(joined_words(other));
  }
  return words;
}

void add_pairs(const Synset& synset, const std::string& group, const Siblings& siblings,
               std::uint64_t seed, TrainingFile& file) {
  const std::string query = definition_query(synset.definition, synset.words);
  const std::string words = joined_words(synset), gloss = squeeze(synset.definition);
  if (query.size() >= kLeastLetters) {
    const std::vector<std::string> others = other_words(synset, siblings, seed);
    file.add({query, words, "wordnet-words", group, others, {}});
  }
  if (gloss.size() < kLeastLetters) return;
  file.add({words, gloss, "wordnet-gloss", group, {}, {}});
  for (const std::string& example : synset.examples) {
    file.add({squeeze(example), gloss, "wordnet-example", group, {}, {}});
  }
}

}  // namespace

void train_wordnet(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  for (std::vector<Synset>& synsets : read_wordnet(packages)) {
    std::erase_if(synsets,
                  [&](const Synset& each) { return tested_synset(each, file.held_out()); });
    Siblings siblings;
    std::unordered_map<std::uint32_t, const Synset*> by_offset;
    for (const Synset& synset : synsets) {
      by_offset.emplace(synset.offset, &synset);
      for (const std::uint32_t hypernym : synset.hypernyms) siblings[hypernym].push_back(&synset);
    }
    for (const Synset& synset : synsets) {
      const std::string group = synset.words.empty() ? "" : synset.words.front();
      add_pairs(synset, group, siblings, seed, file);
      for (const std::uint32_t hypernym : synset.hypernyms) {
        const auto above = by_offset.find(hypernym);  // none where a task tests on it
        if (above == by_offset.end() || synset.definition.size() < kLeastLetters) continue;
        file.add({squeeze(synset.definition),
                  squeeze(above->second->definition),
                  "wordnet-hypernym",
                  group,
                  {},
                  {}});
      }
    }
  }
}

void train_similarity(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  const auto wordnet = read_wordnet(packages);
  const char* const sources[] = {"similarity-nouns", "similarity-verbs"};
  for (std::size_t kind = 0; kind < std::size(sources); ++kind) {
    const std::vector<Synset>& synsets = wordnet[kind];
    const Taxonomy taxonomy(synsets);
    std::vector<std::uint32_t> free;
    std::vector<bool> tested(synsets.size());
    for (std::uint32_t i = 0; i < synsets.size(); ++i) {
      tested[i] = synsets[i].definition.size() < kLeastLetters ||
                  tested_synset(synsets[i], file.held_out());
      if (!tested[i]) free.push_back(i);
    }
    Random random(seed, kind);
    for (std::size_t left = free.empty() ? 0 : kScored; left > 0; --left) {
      const std::uint32_t a = free[random.below(free.size())];
      const std::uint32_t b = taxonomy.relative(a, random);
      if (a == b || tested[b]) continue;
      file.add({squeeze(synsets[a].definition),
                squeeze(synsets[b].definition),
                sources[kind],
                "",
                {},
                taxonomy.similarity(a, b)});
    }
  }
}

}  // namespace kith::datasets
