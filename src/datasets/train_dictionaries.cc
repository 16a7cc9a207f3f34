// Dictionaries: headwords and what they mean, without the words that tasks test on.
#include <algorithm>
#include <cctype>
#include <string_view>
#include <unordered_set>

#include "datasets/definitions.h"
#include "datasets/dictd.h"
#include "datasets/reverse_dictionaries.h"
#include "datasets/split.h"
#include "datasets/tested_synsets.h"
#include "datasets/train_sets.h"
#include "datasets/wordnet.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kLeastLetters = 20;  // of a definition that says something

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Words in small letters that no pair may be made of.
using Words = std::unordered_set<std::string>;

// "Epigram \Ep\"i*gram\, n. [L. ..." -> "noun"; "" for what isn't known.
std::string part_of_speech(const std::string& entry) {
  const std::string line = entry.substr(0, std::min(entry.find('\n'), entry.find('[')));
  const std::size_t marks = line.rfind('\\');
  const std::string rest = marks == std::string::npos ? line : line.substr(marks);
  static const std::pair<const char*, const char*> kKinds[] = {
      {" n.", "noun"},           {" v. t.", "verb"},       {" v. i.", "verb"},
      {" v.", "verb"},           {" adv.", "adverb"},      {" a.", "adjective"},
      {" prep.", "preposition"}, {" conj.", "conjunction"}};
  for (const auto& [mark, name] : kKinds) {
    if (rest.find(mark) != std::string::npos) return name;
  }
  return {};
}

// Whether the entry is the headword's own: the index has others, too, that an entry only mentions.
bool is_own(const DictionaryEntry& entry) { return entry.text.starts_with(entry.headword); }

void add_gcide(const std::vector<DictionaryEntry>& entries, const Words& tested,
               TrainingFile& file) {
  std::unordered_set<std::string_view> tested_entries;  // of a tested word, by whatever headword
  for (const DictionaryEntry& entry : entries) {
    if (tested.count(lower(entry.headword)) != 0) tested_entries.insert(entry.text);
  }
  for (const DictionaryEntry& entry : entries) {
    const std::string word = squeeze(entry.headword);
    const bool held = tested_entries.count(entry.text) != 0 || file.held_out().holds(word);
    if (held || !is_own(entry)) continue;
    const std::string sense = first_sense(entry.text);
    const std::string without = definition_query(sense, {word});
    if (without.size() < kLeastLetters) continue;
    if (file.held_out().holds(without) || file.held_out().holds(sense)) continue;
    std::string query = word;
    const std::string kind = part_of_speech(entry.text);
    if (!kind.empty()) query.append(" (").append(kind).append(")");
    file.add({query, sense, "gcide-definition", word, {}, {}});
    file.add({without, word, "gcide-word", word, {}, {}});
  }
}

// Two dictionaries' definitions of one word; beside them that of a word of the same kind.
void add_two(const std::vector<DefinedWord>& words, const Words& tested, TrainingFile& file) {
  for (const DefinedWord& word : words) {
    if (tested.count(word.word) != 0) continue;
    file.add({word.gcide, word.own, "gcide-wordnet", word.word, {word.other}, {}});
  }
}

// The first paragraph that says something: Jargon's entries have " n." in one of its own before.
std::string definition_of(std::string_view entry) {
  std::string paragraph = first_paragraph(std::string(entry));
  const std::size_t blank = entry.find("\n\n");
  if (paragraph.size() >= kLeastLetters || blank == entry.npos) return paragraph;
  return first_paragraph(std::string(entry.substr(blank + 1)));
}

// Definition -> headword and back, of entries that have a paragraph.
void add_entries(const std::vector<DictionaryEntry>& entries, const std::string& name,
                 TrainingFile& file) {
  for (const auto& [text, words] : words_by_entry(entries)) {
    const auto held = [&](const std::string& word) { return file.held_out().holds(word); };
    const std::string definition = definition_of(text);
    const std::string query = definition_query(definition, words);
    if (std::any_of(words.begin(), words.end(), held) || file.held_out().holds(query)) continue;
    if (query.size() < kLeastLetters) continue;
    file.add({query, squeeze(words.front()), name + "-word", words.front(), {}, {}});
    file.add({squeeze(words.front()), definition, name + "-definition", words.front(), {}, {}});
  }
}

// "htb" -> "Hierarchical Token Bucket": short, and asked for by its letters.
void add_acronyms(const std::vector<DictionaryEntry>& entries, TrainingFile& file) {
  for (const DictionaryEntry& entry : entries) {
    const std::string word = squeeze(entry.text.substr(0, entry.text.find('\n')));
    if (file.held_out().holds(word)) continue;
    file.add({word, first_paragraph(entry.text), "vera-expansion", word, {}, {}});
  }
}

}  // namespace

void train_dictionaries(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  const auto gcide = read_dictionary(packages.deb("dict-gcide"), "gcide");
  const auto wordnet = read_wordnet(packages);
  const std::vector<DefinedWord> words = defined_words(gcide, wordnet.front(), seed);
  Words tested;
  for (const DefinedWord& word : words) {
    if (file.held_out().holds(word.gcide) || file.held_out().holds(word.own)) {
      tested.insert(word.word);
    }
  }
  for (const std::vector<Synset>& synsets : wordnet) {
    for (const Synset& synset : synsets) {
      if (!tested_synset(synset, file.held_out())) continue;
      for (const std::string& word : synset.words) tested.insert(lower(word));
    }
  }
  add_gcide(gcide, tested, file);
  add_two(words, tested, file);
  for (const char* name : {"foldoc", "jargon"}) {
    add_entries(read_dictionary(packages.deb(std::string("dict-") + name), name), name, file);
  }
  add_acronyms(read_dictionary(packages.deb("dict-vera"), "vera"), file);
}

}  // namespace kith::datasets
