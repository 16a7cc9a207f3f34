#include "text/porter.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace kith::text {
namespace {

// The paper's conditions on the stem, which is the first `size` letters of `word`.
bool is_consonant(std::string_view word, std::size_t i) {
  switch (word[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
      return false;
    case 'y':
      return i == 0 || !is_consonant(word, i - 1);
    default:
      return true;
  }
}

// m: how often a vowel is followed by a consonant.
int measure(std::string_view stem) {
  int m = 0;
  for (std::size_t i = 1; i < stem.size(); ++i) {
    m += !is_consonant(stem, i - 1) && is_consonant(stem, i) ? 1 : 0;
  }
  return m;
}

// *v*
bool has_vowel(std::string_view stem) {
  for (std::size_t i = 0; i < stem.size(); ++i) {
    if (!is_consonant(stem, i)) return true;
  }
  return false;
}

// *d
bool ends_double(std::string_view stem) {
  const std::size_t n = stem.size();
  return n >= 2 && stem[n - 1] == stem[n - 2] && is_consonant(stem, n - 1);
}

// *o: consonant, vowel, consonant other than w, x and y.
bool ends_short(std::string_view stem) {
  const std::size_t n = stem.size();
  if (n < 3 || !is_consonant(stem, n - 3) || is_consonant(stem, n - 2) ||
      !is_consonant(stem, n - 1)) {
    return false;
  }
  const char last = stem[n - 1];
  return last != 'w' && last != 'x' && last != 'y';
}

struct Rule {
  std::string_view suffix, replacement;
};

// The stem before a suffix that the word has.
std::string_view stem_before(const std::string& word, std::string_view suffix) {
  return std::string_view(word).substr(0, word.size() - suffix.size());
}

void replace(std::string& word, const Rule& rule) {
  word.resize(word.size() - rule.suffix.size());
  word += rule.replacement;
}

// The longest suffix that fits decides: its rule applies if `condition` holds of the stem.
template <class Condition>
void apply(std::string& word, std::span<const Rule> rules, const Condition& condition) {
  const Rule* longest = nullptr;
  for (const Rule& rule : rules) {
    if (word.ends_with(rule.suffix) &&
        (longest == nullptr || rule.suffix.size() > longest->suffix.size())) {
      longest = &rule;
    }
  }
  if (longest != nullptr && condition(stem_before(word, longest->suffix), longest->suffix)) {
    replace(word, *longest);
  }
}

void step_1a(std::string& word) {
  constexpr Rule kRules[] = {{"sses", "ss"}, {"ies", "i"}, {"ss", "ss"}, {"s", ""}};
  apply(word, kRules, [](auto, auto) { return true; });
}

// After "ed" or "ing" went: conflat(ed) -> conflate, hopp(ing) -> hop, fil(ing) -> file.
void mend(std::string& word) {
  const bool needs_e = word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz");
  if (ends_double(word) && !word.ends_with('l') && !word.ends_with('s') && !word.ends_with('z')) {
    word.pop_back();
  } else if (needs_e || (measure(word) == 1 && ends_short(word))) {
    word += 'e';
  }
}

void step_1b(std::string& word) {
  if (word.ends_with("eed")) {
    if (measure(stem_before(word, "eed")) > 0) word.pop_back();
    return;
  }
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (word.ends_with(suffix) && has_vowel(stem_before(word, suffix))) {
      word.resize(word.size() - suffix.size());
      return mend(word);
    }
  }
}

void step_1c(std::string& word) {
  if (word.ends_with('y') && has_vowel(stem_before(word, "y"))) word.back() = 'i';
}

void step_2(std::string& word) {
  constexpr Rule kRules[] = {
      {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
      {"izer", "ize"},    {"abli", "able"},   {"alli", "al"},     {"entli", "ent"},
      {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
      {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
      {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"}};
  apply(word, kRules, [](std::string_view stem, auto) { return measure(stem) > 0; });
}

void step_3(std::string& word) {
  constexpr Rule kRules[] = {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"},
                             {"ical", "ic"},  {"ful", ""},   {"ness", ""}};
  apply(word, kRules, [](std::string_view stem, auto) { return measure(stem) > 0; });
}

void step_4(std::string& word) {
  constexpr Rule kRules[] = {{"al", ""},   {"ance", ""}, {"ence", ""}, {"er", ""},    {"ic", ""},
                             {"able", ""}, {"ible", ""}, {"ant", ""},  {"ement", ""}, {"ment", ""},
                             {"ent", ""},  {"ion", ""},  {"ou", ""},   {"ism", ""},   {"ate", ""},
                             {"iti", ""},  {"ous", ""},  {"ive", ""},  {"ize", ""}};
  apply(word, kRules, [](std::string_view stem, std::string_view suffix) {
    if (measure(stem) <= 1) return false;
    return suffix != "ion" || stem.ends_with('s') || stem.ends_with('t');
  });
}

void step_5(std::string& word) {
  if (word.ends_with('e')) {
    const std::string_view stem = stem_before(word, "e");
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_short(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(word) > 1) word.pop_back();
}

}  // namespace

void porter_stem(std::string& word) {
  if (word.size() <= 2) return;
  if (!std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; })) return;
  step_1a(word);
  step_1b(word);
  step_1c(word);
  step_2(word);
  step_3(word);
  step_4(word);
  step_5(word);
}

}  // namespace kith::text
