#include "datasets/tested_synsets.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dictd.h"
#include "datasets/reverse_dictionaries.h"
#include "datasets/split.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kMostWords = 3;  // in a row; a synset's own words may be longer

// Whether the definition is held out without some of its words. Of a pair of definitions each lost
// the headword of one, which needn't be a word of the other's synset, so any may be missing.
bool tested_without_words(const std::string& definition, const HeldOut& held_out) {
  std::vector<std::size_t> begins = {0};
  for (std::size_t i = 1; i < definition.size(); ++i) {
    if (definition[i - 1] == ' ') begins.push_back(i);
  }
  for (std::size_t first = 0; first < begins.size(); ++first) {
    for (std::size_t count = 1; count <= kMostWords && first + count <= begins.size(); ++count) {
      const std::size_t end =
          first + count < begins.size() ? begins[first + count] - 1 : definition.size();
      std::string_view word(definition.data() + begins[first], end - begins[first]);
      while (!word.empty() && std::string_view(",;:.()'\"").find(word.back()) != word.npos) {
        word.remove_suffix(1);
      }
      if (!word.empty() && held_out.holds(without_word(definition, word))) return true;
    }
  }
  return false;
}

}  // namespace

bool tested_synset(const Synset& synset, const HeldOut& held_out) {
  const auto held = [&](const std::string& text) { return held_out.holds(text); };
  const auto held_without = [&](const std::string& word) {
    return held_out.holds(without_word(synset.definition, word));
  };
  return std::any_of(synset.words.begin(), synset.words.end(), held) || held(synset.definition) ||
         held(definition_query(synset.definition, synset.words)) ||
         std::any_of(synset.examples.begin(), synset.examples.end(), held) ||
         std::any_of(synset.words.begin(), synset.words.end(), held_without) ||
         tested_without_words(squeeze(synset.definition), held_out);
}

}  // namespace kith::datasets
