#include "cli/think_option.h"

#include <memory>

#include "cli/options.h"
#include "kith/error.h"

namespace kith::cli {

void add_think_options(CLI::App& verb, std::optional<ThinkOptions>& options) {
  constexpr std::size_t kMostThoughts = 1000, kMostTokens = 1 << 20;
  constexpr double kHottest = 100;
  auto given = std::make_shared<ThinkOptions>();
  CLI::Option* think =
      verb.add_option(
              "--think", given->thoughts,
              "Texts are queries that the model writes so many thoughts about, of whose\n"
              "vectors the mean is taken; 0: embedded at once (default: texts are documents)")
          ->check(whole_number(0, kMostThoughts))
          ->type_name("K");
  verb.add_option("--temperature", given->temperature,
                  "Of drawing a thought's tokens; 0: the likeliest (default: 0.1)")
      ->check(CLI::Range(0.0, kHottest))
      ->needs(think)
      ->type_name("T");
  verb.add_option(
          "--top-p", given->top_p,
          "Only the likeliest tokens, of this share together, are drawn from (default: 0.9)")
      ->check(number_above(0, 1))
      ->needs(think)
      ->type_name("P");
  verb.add_option("--thought-tokens", given->most,
                  "Tokens of a thought, at most (default: as the model was trained)")
      ->check(whole_number(1, kMostTokens))
      ->needs(think)
      ->type_name("N");
  verb.parse_complete_callback([think, given, &options] {
    if (think->count() > 0) options = *given;
  });
}

nlohmann::json think_settings(const std::optional<ThinkOptions>& options) {
  if (!options) return nlohmann::json::object();
  return {{"think", options->thoughts},
          {"temperature", options->temperature},
          {"top_p", options->top_p},
          {"thought_tokens", options->most},
          {"seed", options->seed}};
}

}  // namespace kith::cli
