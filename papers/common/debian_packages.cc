#include "papers/common/debian_packages.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/random.h"
#include "datasets/debian_texts.h"
#include "kith/error.h"
#include "papers/common/data.h"

namespace kith::papers {

std::vector<DebianPackage> load_packages(const Trial& trial) {
  if (const std::string missing = missing_data("debian", trial.cache); !missing.empty()) {
    throw Error(ErrorCode::not_found, missing);
  }
  std::ifstream file(trial.cache + "/data/debian/packages.jsonl");
  std::vector<DebianPackage> packages;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    DebianPackage package{json.at("_id"),     json.at("title"),  json.at("text"),
                          json.at("section"), json.at("source"), json.at("tags")};
    if (package.text.empty()) continue;
    std::erase_if(package.tags,
                  [](const std::string& tag) { return tag.starts_with("special::"); });
    std::sort(package.tags.begin(), package.tags.end());
    package.tested = datasets::tested_source(package.source, kDataSeed);
    packages.push_back(std::move(package));
  }
  return packages;
}

double shared_tags(const DebianPackage& a, const DebianPackage& b) {
  std::vector<std::string> both;
  std::set_intersection(a.tags.begin(), a.tags.end(), b.tags.begin(), b.tags.end(),
                        std::back_inserter(both));
  const std::size_t either = a.tags.size() + b.tags.size() - both.size();
  return either == 0 ? 0 : static_cast<double>(both.size()) / static_cast<double>(either);
}

std::vector<PackagePair> draw_pairs(const std::vector<DebianPackage>& packages,
                                    const std::vector<std::uint32_t>& which, std::size_t wanted,
                                    std::uint64_t seed) {
  constexpr std::size_t kGrades = 10, kLeastTags = 3, kDrawsEach = 300;
  std::vector<std::uint32_t> tagged;
  std::map<std::string, std::vector<std::uint32_t>> by_section;
  for (const std::uint32_t place : which) {
    if (packages[place].tags.size() < kLeastTags) continue;
    tagged.push_back(place);
    by_section[packages[place].section].push_back(place);
  }
  std::array<std::size_t, kGrades> drawn{};
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  std::vector<PackagePair> pairs;
  Random random(seed);
  for (std::size_t draw = 0; draw < wanted * kDrawsEach && !tagged.empty(); ++draw) {
    const std::uint32_t first = tagged[random.below(tagged.size())];
    // Packages of one section share more.
    const auto& others = draw % 4 == 0 ? tagged : by_section.at(packages[first].section);
    const std::uint32_t second = others[random.below(others.size())];
    if (packages[first].source == packages[second].source) continue;
    const double score = shared_tags(packages[first], packages[second]);
    const auto grade = std::min(static_cast<std::size_t>(score * kGrades), kGrades - 1);
    if (drawn[grade] * kGrades >= wanted || !seen.insert(std::minmax(first, second)).second)
      continue;
    ++drawn[grade];
    pairs.push_back({first, second, score});
    if (pairs.size() == wanted) break;
  }
  return pairs;
}

}  // namespace kith::papers
