#include "cli/relevance_option.h"

#include <filesystem>
#include <utility>

#include "cli/options.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

RelevanceAdapter open_adapter(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return RelevanceAdapter::open(path);
  return RelevanceAdapter::open(path + "/relevance.kith");
}

}  // namespace

void add_relevance_options(CLI::App& verb, RelevanceChoices& choices) {
  constexpr std::size_t kMostKept = 1'000'000;
  CLI::Option* adapter =
      verb.add_option("--relevance", choices.adapter,
                      "Leave out hits that aren't relevant by an adapter that kith train\n"
                      "relevance made; there may be none left")
          ->type_name("FOLDER");
  verb.add_option("--min-relevance", choices.least,
                  "How relevant hits must be, 0 to 1 (default: where the adapter kept 95 % of\n"
                  "what was relevant in training)")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(adapter)
      ->type_name("P");
  verb.add_option("--min-results", choices.kept,
                  "So many hits of each query stay in any case (default: 0)")
      ->check(whole_number(0, kMostKept))
      ->needs(adapter)
      ->type_name("N");
}

RelevanceFilter::RelevanceFilter(const RelevanceChoices& choices, const std::string& searched,
                                 std::size_t dim, const std::string& checksum)
    : adapter_(open_adapter(choices.adapter)),
      least_(choices.least.value_or(adapter_.content().threshold)),
      kept_(choices.kept) {
  if (adapter_.dim() != dim) {
    throw Error(ErrorCode::invalid_argument,
                choices.adapter + ": of " + std::to_string(adapter_.dim()) + " dimensions, but " +
                    searched + " has " + std::to_string(dim));
  }
  const std::string& model = adapter_.content().model;
  if (!model.empty() && !checksum.empty() && model != checksum) {
    throw Error(ErrorCode::invalid_argument,
                choices.adapter + ": trained on vectors of another model (checksum " + model +
                    ") than that of " + searched + " (" + checksum + ")");
  }
}

RelevanceFilter::Kept RelevanceFilter::keep(const float* query,
                                            const std::vector<double>& cosines) const {
  Kept kept;
  if (cosines.empty()) return kept;
  const RelevanceCurve curve = adapter_.curve(query);
  for (std::size_t i = 0; i < cosines.size(); ++i) {
    const double relevance = curve.relevance(cosines[i]);
    if (i >= kept_ && relevance < least_) continue;
    kept.places.push_back(i);
    kept.relevances.push_back(relevance);
  }
  return kept;
}

}  // namespace kith::cli
