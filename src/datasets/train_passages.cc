// Passages that stand near each other in one text: what they have in common is what the text is
// about, which needs nobody's labels.
#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "datasets/long_texts.h"
#include "datasets/train_sets.h"
#include "kith/passages.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kWords = 20;     // of a passage at least; it ends with a sentence
constexpr std::size_t kApart = 3;      // passages from one of a pair to the other at most
constexpr std::size_t kOfProse = 12;   // pairs of a text at most; of prose there is less
constexpr std::size_t kOfManuals = 2;  // than of descriptions and handbooks

// Whole sentences until there are words enough; what is left at the end is left out.
std::vector<std::string> passages_of(const std::string& text) {
  std::vector<std::string> passages;
  std::string passage;
  for (const TextRange& sentence : sentences(text)) {
    if (!passage.empty()) passage += ' ';
    passage += sentence.of(text);
    if (split_words(passage).size() < kWords) continue;
    passages.push_back(std::move(passage));
    passage.clear();
  }
  return passages;
}

// Another one at most kApart away from it.
std::size_t near(std::size_t passage, std::size_t count, Random& random) {
  const std::size_t first = passage - std::min(passage, kApart);
  const std::size_t last = std::min(passage + kApart, count - 1);
  const std::size_t drawn = first + random.below(last - first);
  return drawn < passage ? drawn : drawn + 1;
}

}  // namespace

std::vector<TrainingPair> neighbouring_passages(const std::string& text, std::size_t most,
                                                std::uint64_t seed) {
  const std::vector<std::string> passages = passages_of(text);
  if (passages.size() < 2) return {};
  Random random(seed);
  std::vector<TrainingPair> pairs;
  for (const std::uint32_t at : random_permutation(passages.size(), random.next())) {
    if (pairs.size() == most) break;
    const std::size_t other = near(at, passages.size(), random);
    pairs.push_back({.query = passages[at], .positive = passages[other]});
  }
  return pairs;
}

void train_passages(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  std::size_t number = 0;
  for_each_text(packages, seed, file.held_out(),
                [&](const std::string& text, const std::string& source) {
                  const bool manual = source == "debian" || source == "handbooks";
                  const std::string group = source + " " + std::to_string(number);
                  std::vector<TrainingPair> pairs = neighbouring_passages(
                      text, manual ? kOfManuals : kOfProse, Random(seed, number++).next());
                  for (TrainingPair& pair : pairs) {
                    pair.source = source;
                    pair.group = group;
                    file.add(std::move(pair));
                  }
                });
}

}  // namespace kith::datasets
