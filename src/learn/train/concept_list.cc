#include "learn/train/concept_list.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "kith/error.h"
#include "learn/refuse.h"

namespace kith::learn {
namespace {

struct Counts {
  std::map<std::string, std::size_t> lists_with;  // by concept
  std::size_t lists = 0;
};

template <class Use>
void for_each_list(const std::vector<Example>& examples, const Use& use) {
  for (const Example& each : examples) {
    if (!each.query_concepts.empty()) use(each.query_concepts);
    if (!each.concepts.empty()) use(each.concepts);
  }
}

Counts count(std::span<const std::vector<Example>> sources) {
  Counts counts;
  for (const std::vector<Example>& examples : sources) {
    for_each_list(examples, [&](const std::vector<std::string>& list) {
      ++counts.lists;
      for (const std::string& name : std::set<std::string>(list.begin(), list.end())) {
        ++counts.lists_with[name];
      }
    });
  }
  if (counts.lists == 0) {
    refuse(
        "concepts: no example has any, expected lists of them in the fields that `concepts` and "
        "`query_concepts` of [[data]] name");
  }
  return counts;
}

std::vector<std::string> read_names(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::not_found, path + ": cannot be opened");
  std::vector<std::string> names;
  encode::ConceptNames taken;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string refusal = taken.refusal(line);
    if (!refusal.empty()) {
      refuse(path + ": line " + std::to_string(names.size() + 1) + ": " + refusal);
    }
    names.push_back(line);
  }
  if (names.empty()) refuse(path + ": no concept, expected a name a line");
  return names;
}

std::vector<encode::NamedConcept> listed(const std::string& path, const Counts& counts) {
  const std::vector<std::string> names = read_names(path);
  const std::set<std::string> known(names.begin(), names.end());
  for (const auto& [name, lists] : counts.lists_with) {
    if (!known.contains(name)) {
      refuse("concept '" + name + "' of an example: not in " + path);
    }
  }
  std::vector<encode::NamedConcept> concepts;
  for (const std::string& name : names) {
    const auto found = counts.lists_with.find(name);
    const std::size_t lists = found == counts.lists_with.end() ? 0 : found->second;
    if (lists == 0 || lists == counts.lists) {
      refuse(path + ": concept '" + name + "' is in " + (lists == 0 ? "none" : "all") +
             " of the examples' lists, of which nothing can be learned");
    }
    concepts.push_back({name, static_cast<double>(lists) / static_cast<double>(counts.lists)});
  }
  return concepts;
}

}  // namespace

std::vector<encode::NamedConcept> concepts_of(const ConceptOptions& options,
                                              std::span<const std::vector<Example>> sources) {
  const Counts counts = count(sources);
  if (!options.names.empty()) return listed(options.names, counts);
  std::vector<encode::NamedConcept> concepts;
  for (const auto& [name, lists] : counts.lists_with) {
    const double share = static_cast<double>(lists) / static_cast<double>(counts.lists);
    if (lists < options.least || share > options.most_share || share >= 1) continue;
    concepts.push_back({name, share});
  }
  if (concepts.empty()) {
    refuse("concepts: none of " + std::to_string(counts.lists_with.size()) + " is in at least " +
           std::to_string(options.least) + " and at most a share of " +
           std::to_string(options.most_share) + " of " + std::to_string(counts.lists) +
           " lists, expected other `least` or `most_share`");
  }
  if (concepts.size() > encode::kMostConcepts) {
    refuse("concepts: " + std::to_string(concepts.size()) + ", expected at most " +
           std::to_string(encode::kMostConcepts) + "; `least` leaves out rare ones");
  }
  return concepts;
}

void expect_given(const ConceptHead& head, const std::vector<Example>& examples,
                  const SourceOptions& source) {
  std::set<std::string> known;
  for (const encode::NamedConcept& each : head.concepts()) known.insert(each.name);
  bool any = false;
  for_each_list(examples, [&](const std::vector<std::string>& list) {
    any = any || std::ranges::any_of(list, [&](const auto& name) { return known.contains(name); });
  });
  if (any) return;
  refuse(source.name +
         ": no example has a concept that the model knows, expected lists of them in "
         "the fields that `concepts` and `query_concepts` name, or concept_weight 0");
}

}  // namespace kith::learn
