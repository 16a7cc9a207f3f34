// Pairs of definitions with how near their synsets are in WordNet's hierarchy. Two drawn at random
// have next to nothing in common, so the second one is drawn by climbing some steps from the first
// and going down again.
#include <set>
#include <utility>

#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/taxonomy.h"
#include "datasets/wordnet.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kPairs = 3000;  // of each part of speech
constexpr std::size_t kLeastLetters = 20;

Task pairs_of(const std::vector<Synset>& synsets, const std::string& name, std::uint64_t seed) {
  const Taxonomy taxonomy(synsets);
  StsTask task;
  task.first.name = "sentence1";
  task.second.name = "sentence2";
  std::set<std::pair<std::string_view, std::string_view>> seen;
  Random random(seed);
  const auto fits = [&](std::uint32_t i) { return synsets[i].definition.size() >= kLeastLetters; };
  for (std::size_t tries = 100 * kPairs; task.scores.size() < kPairs && tries > 0; --tries) {
    const auto a = static_cast<std::uint32_t>(random.below(synsets.size()));
    const std::uint32_t b = taxonomy.relative(a, random);
    if (a == b || !fits(a) || !fits(b)) continue;
    if (!seen.emplace(synsets[a].definition, synsets[b].definition).second) continue;
    task.first.texts.push_back(synsets[a].definition);
    task.second.texts.push_back(synsets[b].definition);
    task.scores.push_back(taxonomy.similarity(a, b));
  }
  if (task.scores.empty())
    throw Error(ErrorCode::corrupt, "WordNet: no two " + name + " to compare");
  Task result;
  result.name = name;
  result.content = std::move(task);
  return result;
}

}  // namespace

std::vector<Task> make_similarity(Packages& packages, std::uint64_t seed) {
  const auto wordnet = read_wordnet(packages);
  std::vector<Task> tasks;
  tasks.push_back(pairs_of(wordnet[0], "nouns", seed));
  tasks.push_back(pairs_of(wordnet[1], "verbs", seed));
  return tasks;
}

}  // namespace kith::datasets
