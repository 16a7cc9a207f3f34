#include "cli/fusion_choices.h"

#include "cli/format.h"
#include "cli/options.h"
#include "kith/error.h"

namespace kith::cli {

void FusionChoices::expect_hybrid(const CLI::App& verb) const {
  if (verb.count("--hybrid") > 0) return;
  for (const std::string& name : {option, std::string("--weights"), std::string("--rrf-k")}) {
    if (verb.count(name) == 0) continue;
    throw Error(ErrorCode::invalid_argument,
                name + ": an option of fusing rankings, expected --hybrid too");
  }
}

FusionOptions FusionChoices::options(std::size_t lists) const {
  FusionOptions fusion;
  fusion.rrf_k = rrf_k;
  if (method == "rrf") {
    fusion.method = Fusion::rrf;
  } else if (method == "minmax") {
    fusion.method = Fusion::min_max;
  } else if (method == "distribution") {
    fusion.method = Fusion::distribution;
  } else {
    throw Error(ErrorCode::invalid_argument,
                option + ": '" + printable(method) + "', expected rrf, minmax or distribution");
  }
  if (weights.empty()) return fusion;
  for (const float weight : parse_components("--weights", weights)) {
    fusion.weights.push_back(weight);
  }
  if (fusion.weights.size() != lists) {
    throw Error(ErrorCode::invalid_argument, "--weights: " + std::to_string(fusion.weights.size()) +
                                                 " numbers for " + std::to_string(lists) + " " +
                                                 list + "s, expected one each");
  }
  return fusion;
}

void add_fusion_choices(CLI::App& verb, FusionChoices& choices, const std::string& method,
                        const std::string& list) {
  constexpr double kMostRrfK = 1e9;
  choices.option = method;
  choices.list = list;
  verb.add_option(method, choices.method,
                  "rrf (reciprocal ranks), minmax or distribution (scores moved to 0 and 1 by\n"
                  "their range, or by mean and deviation) (default: rrf)")
      ->type_name("NAME");
  verb.add_option("--weights", choices.weights, "What each " + list + " counts (default: 1 each)")
      ->type_name("X,Y");
  verb.add_option("--rrf-k", choices.rrf_k, "rrf: a hit gives 1 / (k + rank) (default: 60)")
      ->check(number_above(0, kMostRrfK))
      ->type_name("X");
}

}  // namespace kith::cli
