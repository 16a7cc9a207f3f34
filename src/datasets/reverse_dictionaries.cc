// Reverse dictionaries: a definition asks for the words that it defines.
#include "datasets/reverse_dictionaries.h"

#include <algorithm>
#include <unordered_map>

#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/split.h"
#include "datasets/wordnet.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kQueries = 2000;
constexpr std::size_t kLeastLetters = 20;  // of a definition that says something

// Definitions and the words that each has; words are the corpus.
class Builder {
 public:
  Builder() {
    task_.corpus.name = "corpus";
    task_.queries.name = "queries";
  }

  void add(const std::string& definition, const std::vector<std::string>& words) {
    std::vector<JudgedDocument> judged;
    for (const std::string& word : words) {
      const JudgedDocument own{place(word), 1};
      const auto same = [&](const JudgedDocument& each) { return each.document == own.document; };
      if (std::none_of(judged.begin(), judged.end(), same)) judged.push_back(own);
    }
    const std::string query = definition_query(definition, words);
    if (query.size() >= kLeastLetters) queries_[query].push_back(std::move(judged));
  }

  std::vector<Task> take(std::uint64_t seed) {
    std::vector<const std::string*> texts;
    for (const auto& [text, lists] : queries_) {
      if (lists.size() == 1) texts.push_back(&text);  // else it asks for several entries' words
    }
    if (texts.empty()) throw Error(ErrorCode::corrupt, "a dictionary without definitions");
    std::sort(texts.begin(), texts.end(),
              [](const std::string* a, const std::string* b) { return *a < *b; });
    for (const std::uint32_t i : random_sample(texts.size(), kQueries, seed)) {
      task_.queries.ids.push_back("definition:" + std::to_string(i));
      task_.queries.texts.push_back(*texts[i]);
      task_.judgements.push_back(queries_.at(*texts[i]).front());
    }
    std::vector<Task> tasks(1);
    tasks.front().content = std::move(task_);
    return tasks;
  }

 private:
  std::uint32_t place(const std::string& word) {
    const auto next = static_cast<std::uint32_t>(task_.corpus.ids.size());
    const auto [at, fresh] = places_.emplace(word, next);
    if (fresh) {
      task_.corpus.ids.push_back("word:" + std::to_string(next));
      task_.corpus.texts.push_back(word);
    }
    return at->second;
  }

  RetrievalTask task_;
  std::unordered_map<std::string, std::uint32_t> places_;
  std::unordered_map<std::string, std::vector<std::vector<JudgedDocument>>> queries_;
};

}  // namespace

std::string first_paragraph(const std::string& entry) {
  std::string paragraph;
  std::size_t at = std::min(entry.find('\n'), entry.size());
  while (at < entry.size()) {
    const std::size_t begin = at + 1, end = std::min(entry.find('\n', begin), entry.size());
    const std::string line = squeeze(entry.substr(std::min(begin, entry.size()), end - begin));
    at = end;
    if (line.empty() && paragraph.empty()) continue;
    if (line.empty()) break;
    paragraph += (paragraph.empty() ? "" : " ") + line;
  }
  if (paragraph.starts_with('<')) {  // "<programming>": the field
    paragraph.erase(0, std::min(paragraph.find('>'), paragraph.size() - 1) + 1);
  }
  std::erase_if(paragraph, [](char c) { return c == '{' || c == '}'; });
  return squeeze(paragraph);
}

std::string definition_query(const std::string& definition, const std::vector<std::string>& words) {
  std::string query = definition;
  for (const std::string& word : words) query = without_word(query, word);
  return squeeze(query);
}

std::map<std::string, std::vector<std::string>> words_by_entry(
    const std::vector<DictionaryEntry>& entries) {
  std::map<std::string, std::vector<std::string>> words;
  for (const DictionaryEntry& entry : entries) {
    if (!squeeze(entry.headword).empty()) words[entry.text].push_back(entry.headword);
  }
  return words;
}

std::vector<Task> make_foldoc(Packages& packages, std::uint64_t seed) {
  const auto entries = read_dictionary(packages.deb("dict-foldoc"), "foldoc");
  Builder builder;
  for (const auto& [text, words] : words_by_entry(entries))
    builder.add(first_paragraph(text), words);
  return builder.take(seed);
}

std::vector<Task> make_wordnet(Packages& packages, std::uint64_t seed) {
  Builder builder;
  for (const std::vector<Synset>& synsets : read_wordnet(packages)) {
    for (const Synset& synset : synsets) builder.add(synset.definition, synset.words);
  }
  return builder.take(seed);
}

}  // namespace kith::datasets
