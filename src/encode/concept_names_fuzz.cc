// Any JSON as a Concepts module's files ends in settings and names or in a kith::Error.
#include "encode/concept_names.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::encode;
  using kith::Json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ConceptSettings settings;
  try {
    settings = read_concept_settings(Json::parse(text, "fuzz"));
  } catch (const kith::Error&) {
  }
  try {
    const auto concepts = read_concept_names(Json::parse(text, "fuzz"));
    if (concepts.empty() || concepts.size() > kMostConcepts) __builtin_trap();
    for (const NamedConcept& each : concepts) {
      if (!std::isfinite(prior_log_odds(each.share, settings))) __builtin_trap();
    }
  } catch (const kith::Error&) {
  }
  return 0;
}
