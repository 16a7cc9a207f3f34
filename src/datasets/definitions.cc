// Pairs of definitions from two dictionaries that know nothing of each other: of one word, or of a
// word and of another of the same kind (a synset with the same hypernym).
#include "datasets/definitions.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <unordered_set>

#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/split.h"
#include "datasets/wordnet.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kWords = 5000;  // each gives a pair of one word and one of two
constexpr std::size_t kLeastLetters = 20;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The text without what stands in brackets and without marks of cross-references.
std::string without_brackets(const std::string& text) {
  std::string plain;
  int depth = 0;
  for (const char c : text) {
    if (c == '[') ++depth;
    if (depth == 0 && c != '{' && c != '}') plain += c;
    if (c == ']' && depth > 0) --depth;
  }
  return plain;
}

struct Noun {
  const Synset* synset = nullptr;
  std::size_t senses = 0;
};

// WordNet's nouns by their spelling in small letters.
std::unordered_map<std::string, Noun> nouns_of(const std::vector<Synset>& synsets) {
  std::unordered_map<std::string, Noun> nouns;
  for (const Synset& synset : synsets) {
    for (const std::string& word : synset.words) {
      Noun& noun = nouns[lower(word)];
      noun.synset = &synset;
      ++noun.senses;
    }
  }
  return nouns;
}

using Siblings = std::unordered_map<std::uint32_t, std::vector<const Synset*>>;  // by hypernym

Siblings siblings_of(const std::vector<Synset>& synsets) {
  Siblings siblings;
  for (const Synset& synset : synsets) {
    for (const std::uint32_t hypernym : synset.hypernyms) siblings[hypernym].push_back(&synset);
  }
  return siblings;
}

// Another synset with the same hypernym; null when there is none.
const Synset* sibling_of(const Synset& synset, const Siblings& siblings, std::uint64_t seed) {
  std::vector<const Synset*> others = siblings.at(synset.hypernyms.front());
  std::erase(others, &synset);
  if (others.empty()) return nullptr;
  return others[Random(seed, synset.offset).below(others.size())];
}

}  // namespace

std::string first_sense(const std::string& entry) {
  const std::size_t numbered = entry.find("\n   1. ");
  const std::size_t line = std::min(entry.find('\n'), entry.size());
  std::size_t begin = line;
  if (numbered != std::string::npos) {
    begin = numbered + std::string_view("\n   1. ").size();
  } else if (line == 0 || entry[line - 1] != '.') {
    return {};
  }
  const std::size_t end = std::min({entry.find("[1913 Webster]", begin), entry.find("\n\n", begin),
                                    entry.find(" --", begin), entry.size()});
  return squeeze(without_brackets(entry.substr(begin, end - begin)));
}

std::vector<DefinedWord> defined_words(const std::vector<DictionaryEntry>& entries,
                                       const std::vector<Synset>& synsets, std::uint64_t seed) {
  const auto nouns = nouns_of(synsets);
  const Siblings siblings = siblings_of(synsets);
  std::unordered_set<std::string> seen;
  std::vector<DefinedWord> words;
  for (const DictionaryEntry& entry : entries) {
    const std::string word = lower(entry.headword);
    const auto noun = nouns.find(word);
    if (noun == nouns.end() || noun->second.senses != 1) continue;
    const Synset* synset = noun->second.synset;
    const std::string sense = first_sense(entry.text);
    if (sense.size() < kLeastLetters || synset->hypernyms.empty()) continue;
    const Synset* sibling = sibling_of(*synset, siblings, seed);
    if (sibling == nullptr || !seen.insert(word).second) continue;
    DefinedWord found{word, squeeze(without_word(sense, word)),
                      squeeze(without_word(synset->definition, word)),
                      squeeze(without_word(sibling->definition, word))};
    const std::size_t least = std::min({found.gcide.size(), found.own.size(), found.other.size()});
    if (least >= kLeastLetters) words.push_back(std::move(found));
  }
  return words;
}

std::vector<Task> make_definitions(Packages& packages, std::uint64_t seed) {
  const auto entries = read_dictionary(packages.deb("dict-gcide"), "gcide");
  const auto wordnet = read_wordnet(packages);
  const std::vector<DefinedWord> words = defined_words(entries, wordnet.front(), seed);
  if (words.empty()) throw Error(ErrorCode::corrupt, "dict-gcide: no word that WordNet has");
  PairTask task;
  task.first.name = "sentence1";
  task.second.name = "sentence2";
  for (const std::uint32_t i : random_sample(words.size(), kWords, seed)) {
    for (const std::uint8_t same : {1, 0}) {
      task.first.texts.push_back(words[i].gcide);
      task.second.texts.push_back(same == 1 ? words[i].own : words[i].other);
      task.positive.push_back(same);
    }
  }
  std::vector<Task> tasks(1);
  tasks.front().content = std::move(task);
  return tasks;
}

}  // namespace kith::datasets
