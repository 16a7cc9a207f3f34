#include "encode/concept_names.h"

#include <algorithm>
#include <cmath>

namespace kith::encode {

std::string ConceptNames::refusal(const std::string& name) {
  if (name.empty()) return "a concept without a name";
  if (taken_.size() == kMostConcepts)
    return "more than " + std::to_string(kMostConcepts) + " concepts";
  if (!taken_.insert(name).second) return "concept '" + name + "' twice";
  return {};
}

double positive_weight(double share, const ConceptSettings& settings) {
  return std::min(settings.positive_weight, (1 - share) / share);
}

double prior_log_odds(double share, const ConceptSettings& settings) {
  return std::log(share * positive_weight(share, settings)) -
         std::log((1 - share) * settings.absent_weight);
}

ConceptSettings read_concept_settings(const Json& json) {
  constexpr double kLeastWeight = 1e-6, kMostWeight = 1e6;
  ConceptSettings settings;
  settings.activation = json.word("activation", {"relu", "sigmoid"}, 0) == 0
                            ? ConceptActivation::relu
                            : ConceptActivation::sigmoid;
  settings.top = json.whole("top", 0, kMostConcepts, 0);
  settings.absent_weight =
      json.number("absent_weight", kLeastWeight, kMostWeight, settings.absent_weight);
  settings.positive_weight =
      json.number("positive_weight", kLeastWeight, kMostWeight, settings.positive_weight);
  return settings;
}

std::vector<NamedConcept> read_concept_names(const Json& json) {
  const Json list = json.required("concepts");
  list.expect_array();
  if (list.size() == 0) json.corrupt("no concepts");
  std::vector<NamedConcept> concepts;
  ConceptNames names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json each = list.element(i);
    each.expect_object();
    NamedConcept own{each.text("name"), each.number("share", 0, 1)};
    if (own.share <= 0 || own.share >= 1) each.refuse("share", "a number between 0 and 1");
    const std::string refusal = names.refusal(own.name);
    if (!refusal.empty()) json.corrupt(refusal);
    concepts.push_back(std::move(own));
  }
  return concepts;
}

}  // namespace kith::encode
