// What a head of named dimensions is made of beside its weights: settings and the list of names.
// encode/concepts.h tells what it computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "json/json.h"

namespace kith::encode {

inline constexpr const char* kConcepts = "Concepts";  // in modules.json, behind "kith.models."
inline constexpr const char* kConceptsFile = "concepts.json";
inline constexpr std::size_t kMostConcepts = 65'535;

struct NamedConcept {
  std::string name;
  double share = 0;  // of the examples that it was learned from, above 0 and below 1

  bool operator==(const NamedConcept&) const = default;
};

// Takes names one by one and says why one can't be in the list: empty, there already, one too many.
class ConceptNames {
 public:
  // "" for a name that was taken.
  std::string refusal(const std::string& name);

 private:
  std::unordered_set<std::string> taken_;
};

enum class ConceptActivation : std::uint8_t { relu, sigmoid };
inline constexpr const char* kConceptActivations[] = {"relu", "sigmoid"};

struct ConceptSettings {
  ConceptActivation activation = ConceptActivation::relu;
  std::size_t top = 0;  // a vector keeps so many of its largest components; 0: all
  // Of training: what a concept counts that a text's list lacks, since lists are incomplete, and
  // what one that it has counts at most, who are rarer.
  double absent_weight = 0.3, positive_weight = 10;
};

// What an activation is where no concept is above its prior: of the one that is nearest to it, so
// that no vector is zero.
inline constexpr float kLeastActivation = 0.01F;

// What a given concept counts in training: (1 - share) / share, at most `positive_weight`.
double positive_weight(double share, const ConceptSettings& settings);
// The log-odds that a text gets of which nothing is known, as the weights make them.
double prior_log_odds(double share, const ConceptSettings& settings);

// config.json without the numbers of inputs and outputs, and concepts.json, which has their order.
// Throw corrupt for settings out of range, and for names that are empty, stand there twice, are
// none or more than kMostConcepts.
ConceptSettings read_concept_settings(const Json& json);
std::vector<NamedConcept> read_concept_names(const Json& json);

}  // namespace kith::encode
