#include "datasets/taxonomy.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "kith/error.h"

namespace kith::datasets {

Taxonomy::Taxonomy(std::span<const Synset> synsets)
    : above_(synsets.size()), below_(synsets.size()), depth_(synsets.size(), 0) {
  std::unordered_map<std::uint32_t, std::uint32_t> places;
  for (std::uint32_t i = 0; i < synsets.size(); ++i) places.emplace(synsets[i].offset, i);
  for (std::uint32_t i = 0; i < synsets.size(); ++i) {
    for (const std::uint32_t hypernym : synsets[i].hypernyms) {
      const auto place = places.find(hypernym);
      if (place == places.end()) {
        throw Error(ErrorCode::corrupt, "WordNet: hypernym " + std::to_string(hypernym) +
                                            " of synset " + std::to_string(synsets[i].offset) +
                                            " is not there");
      }
      above_[i].push_back(place->second);
      below_[place->second].push_back(i);
    }
  }
  // Breadth first from what has nothing above it, so that the first way found is the shortest.
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < synsets.size(); ++i) {
    if (!above_[i].empty()) continue;
    depth_[i] = 2;
    order.push_back(i);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const std::uint32_t lower : below_[order[next]]) {
      if (depth_[lower] != 0) continue;
      depth_[lower] = depth_[order[next]] + 1;
      order.push_back(lower);
    }
  }
  if (order.size() < synsets.size()) {
    throw Error(ErrorCode::corrupt, "WordNet: hypernyms go in a circle");
  }
}

std::map<std::uint32_t, std::size_t> Taxonomy::ancestors(std::uint32_t synset) const {
  std::map<std::uint32_t, std::size_t> steps = {{synset, 0}};
  std::vector<std::uint32_t> order = {synset};
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const std::uint32_t higher : above_[order[next]]) {
      if (steps.emplace(higher, steps.at(order[next]) + 1).second) order.push_back(higher);
    }
  }
  return steps;
}

double Taxonomy::similarity(std::uint32_t a, std::uint32_t b) const {
  const auto of_a = ancestors(a), of_b = ancestors(b);
  // The root, which is above all.
  std::size_t depth = 1, steps = depth_[a] + depth_[b] - 2;
  for (const auto& [synset, steps_of_a] : of_a) {
    const auto other = of_b.find(synset);
    if (other == of_b.end()) continue;
    const std::size_t own = steps_of_a + other->second;
    if (depth_[synset] > depth || (depth_[synset] == depth && own < steps)) {
      depth = depth_[synset];
      steps = own;
    }
  }
  const double twice = 2 * static_cast<double>(depth);
  return twice / (twice + static_cast<double>(steps));
}

std::uint32_t Taxonomy::relative(std::uint32_t synset, Random& random) const {
  constexpr std::size_t kMostSteps = 6;
  std::uint32_t at = synset;
  for (std::size_t up = random.below(kMostSteps + 1); up > 0 && !above(at).empty(); --up) {
    at = above(at)[random.below(above(at).size())];
  }
  for (std::size_t down = random.below(kMostSteps + 1); down > 0 && !below(at).empty(); --down) {
    at = below(at)[random.below(below(at).size())];
  }
  return at;
}

}  // namespace kith::datasets
