// The first paragraph of descriptions in English and in another language.
#include <unordered_map>
#include <unordered_set>

#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/debian.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kPairs = 2000;  // of each language
constexpr const char* kLanguages[] = {"da", "de", "fr", "it", "ja", "ko", "pl", "ru", "sk", "uk"};

using Paragraphs = std::unordered_map<std::string, std::string>;  // by md5 of the English text

const std::string& file_of(const std::vector<std::string>& files, const std::string& language) {
  for (const std::string& path : files) {
    if (path.ends_with("_Translation-" + language)) return path;
  }
  throw Error(ErrorCode::not_found, "Debian's package lists hold no translation into " + language);
}

std::vector<Description> with_text(const std::string& path) {
  std::vector<Description> all = read_descriptions(path);
  std::erase_if(all, [](const Description& each) { return each.paragraphs.empty(); });
  return all;
}

// Pairs that are really translated; of equal texts on either side the first.
BitextTask pairs_of(const Paragraphs& english, const std::vector<Description>& others,
                    std::uint64_t seed) {
  std::unordered_set<std::string_view> seen_first, seen_second;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const Description& other : others) {
    const auto own = english.find(other.md5);
    if (own == english.end() || own->second == other.paragraphs.front()) continue;
    if (seen_first.count(own->second) != 0 || seen_second.count(other.paragraphs.front()) != 0) {
      continue;
    }
    seen_first.insert(own->second);
    seen_second.insert(other.paragraphs.front());
    pairs.emplace_back(own->second, other.paragraphs.front());
  }
  BitextTask task;
  task.first.name = "sentence1";
  task.second.name = "sentence2";
  for (const std::uint32_t i : random_sample(pairs.size(), kPairs, seed)) {
    task.gold.push_back(static_cast<std::uint32_t>(task.gold.size()));
    task.first.texts.emplace_back(pairs[i].first);
    task.second.texts.emplace_back(pairs[i].second);
  }
  return task;
}

}  // namespace

std::vector<Task> make_bitext(Packages& packages, std::uint64_t seed) {
  const std::vector<std::string> files = translation_files(packages.debian_lists());
  Paragraphs english;
  for (Description& each : with_text(files.front())) {
    english.emplace(each.md5, std::move(each.paragraphs.front()));
  }
  std::vector<Task> tasks;
  for (const std::string language : kLanguages) {
    Task& task = tasks.emplace_back();
    task.name = "en-" + language;
    task.language = language;
    task.content = pairs_of(english, with_text(file_of(files, language)), seed);
  }
  return tasks;
}

}  // namespace kith::datasets
