#include "datasets/long_texts.h"

#include <algorithm>
#include <functional>

#include "base/random.h"
#include "base/read_file.h"
#include "datasets/catalogue.h"
#include "datasets/debian_texts.h"
#include "datasets/split.h"
#include "datasets/train_sets.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr const char* kFirst[] = {
    "Ada",   "Amos",  "Bela",  "Boris", "Carla",  "Cyril", "Dora",  "Dylan", "Edith", "Emil",
    "Fiona", "Felix", "Greta", "Gavin", "Hanna",  "Henry", "Ines",  "Ivan",  "Judit", "Jonas",
    "Klara", "Kevin", "Laura", "Lukas", "Maria",  "Mark",  "Nora",  "Nils",  "Olga",  "Oscar",
    "Paula", "Peter", "Rosa",  "Rolf",  "Silvia", "Simon", "Tanja", "Tom",   "Vera",  "Viktor"};
constexpr const char* kLast[] = {
    "Abbot",  "Adler",  "Baker", "Berg", "Carter", "Cole",  "Dorn",   "Dixon",   "Evans", "Engel",
    "Fisher", "Frank",  "Grant", "Graf", "Harris", "Hess",  "Irwin",  "Iversen", "Jones", "Jung",
    "Keller", "King",   "Lane",  "Lang", "Mason",  "Meyer", "Nelson", "Novak",   "Owen",  "Otto",
    "Parker", "Peters", "Reed",  "Roth", "Stone",  "Stein", "Turner", "Voss",    "Ward",  "Winter"};

constexpr char kGarbage[] =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

using Filler = std::function<std::string(std::size_t words, std::uint64_t seed)>;

std::vector<Task> tasks_of(std::span<const std::size_t> lengths, const std::vector<Needle>& needles,
                           const Filler& filler, std::uint64_t seed) {
  std::vector<Task> tasks;
  for (const std::size_t tokens : lengths) {
    RetrievalTask task;
    task.corpus.name = "corpus";
    task.queries.name = "queries";
    for (std::size_t i = 0; i < needles.size(); ++i) {
      const std::uint64_t own = Random(seed, tokens + i).next();
      const std::size_t words = words_of(tokens);
      task.corpus.ids.push_back("text:" + std::to_string(i));
      task.corpus.texts.push_back(with_passage(filler(words, own), needles[i].passage, words, own));
      if (i >= needles.size() / 2) continue;
      task.queries.ids.push_back("query:" + std::to_string(i));
      task.queries.texts.push_back(needles[i].query);
      task.judgements.push_back({{static_cast<std::uint32_t>(i), 1}});
    }
    Task& made = tasks.emplace_back();
    made.name = std::to_string(tokens);
    made.content = std::move(task);
  }
  return tasks;
}

// What a package is for, of packages that nothing trains on, and the beginning of what is said of
// it at length.
std::vector<Needle> package_needles(Packages& packages, std::uint64_t seed) {
  constexpr std::size_t kLeastWords = 15, kMostWords = 60;
  std::vector<Needle> all;
  for (const DebianText& text : debian_texts(packages)) {
    if (text.summary.empty() || !in_test(text.source, kDebianQueryShare, seed)) continue;
    const std::string paragraph = squeeze(text.text.substr(0, text.text.find('\n')));
    const std::size_t words = split_words(paragraph).size();
    if (words >= kLeastWords && words <= kMostWords) all.push_back({text.summary, paragraph});
  }
  if (all.size() < kLongTexts) throw Error(ErrorCode::corrupt, "too few descriptions of packages");
  std::vector<Needle> needles;
  for (const std::uint32_t i : random_sample(all.size(), kLongTexts, seed)) {
    needles.push_back(std::move(all[i]));
  }
  return needles;
}

}  // namespace

std::size_t words_of(std::size_t tokens) { return tokens * 3 / 4; }

std::vector<std::string_view> split_words(std::string_view text) {
  constexpr char kSpace[] = " \t\n\r";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kSpace); at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return words;
}

std::vector<Needle> passkeys(std::size_t count, bool training, std::uint64_t seed) {
  constexpr std::size_t kHalf = std::size(kFirst) / 2;
  constexpr std::uint32_t kLeast = 10000, kDigits = 90000;
  std::vector<Needle> needles;
  const auto names = static_cast<std::uint32_t>(kHalf * std::size(kLast));
  const auto drawn = random_sample(names, std::min<std::size_t>(count, names), seed);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, i);
    const std::uint32_t name = drawn[i % drawn.size()];
    // Training has every other first name.
    const std::size_t first = name / std::size(kLast) * 2 + (training ? 1 : 0);
    const std::string who = std::string(kFirst[first]) + " " + kLast[name % std::size(kLast)];
    const std::string key = std::to_string(kLeast + random.below(kDigits));
    Needle& needle = needles.emplace_back();
    needle.query.append("what is the passkey for ").append(who).append("?");
    needle.passage.append(who).append("'s pass key is ").append(key).append(". Remember it. ");
    needle.passage.append(key).append(" is the pass key for ").append(who).append(".");
  }
  return needles;
}

std::string garbage(std::size_t words) {
  const std::vector<std::string_view> own = split_words(kGarbage);
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < words; ++i) all.push_back(own[i % own.size()]);
  return joined(all);
}

std::string excerpt(std::span<const std::string_view> running, std::size_t words,
                    std::uint64_t seed) {
  const std::size_t some = std::min(words, running.size());
  const std::size_t from = Random(seed, 1).below(running.size() - some + 1);
  return joined(running.subspan(from, some));
}

std::string with_passage(const std::string& filler, const std::string& passage, std::size_t words,
                         std::uint64_t seed) {
  const std::size_t own = split_words(passage).size();
  std::vector<std::string_view> around = split_words(filler);
  around.resize(std::min(around.size(), words > own ? words - own : 0));
  std::size_t place = Random(seed, 2).below(around.size() + 1);
  while (place > 0 && place < around.size() && !around[place - 1].ends_with('.')) ++place;
  around.insert(around.begin() + static_cast<std::ptrdiff_t>(place), passage);
  return joined(around);
}

std::vector<Task> passkey_tasks(std::span<const std::size_t> tokens, std::uint64_t seed) {
  const auto filler = [](std::size_t words, std::uint64_t) { return garbage(words); };
  return tasks_of(tokens, passkeys(kLongTexts, false, seed), filler, seed);
}

std::vector<Task> needle_tasks(std::span<const std::size_t> tokens, std::string_view running,
                               const std::vector<Needle>& needles, std::uint64_t seed) {
  const std::vector<std::string_view> words = split_words(running);
  const auto filler = [&](std::size_t count, std::uint64_t own) {
    return excerpt(words, count, own);
  };
  return tasks_of(tokens, needles, filler, seed);
}

std::vector<Task> make_passkey(Packages&, std::uint64_t seed) {
  return passkey_tasks(kLongTextTokens, seed);
}

std::vector<Task> make_needle(Packages& packages, std::uint64_t seed) {
  std::string running;
  for (const std::string& path : speeches(packages)) running += read_file(path) + "\n";
  return needle_tasks(kLongTextTokens, running, package_needles(packages, seed), seed);
}

}  // namespace kith::datasets
