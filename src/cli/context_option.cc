#include "cli/context_option.h"

#include <string>
#include <utility>

#include "cli/options.h"

namespace kith::cli {
namespace {

constexpr std::pair<const char*, Extension> kExtensions[] = {
    {"pcw", Extension::pcw}, {"gp", Extension::gp},   {"rp", Extension::rp},
    {"pi", Extension::pi},   {"ntk", Extension::ntk}, {"selfextend", Extension::selfextend}};

}  // namespace

void add_context_options(CLI::App& verb, ContextOptions& options) {
  constexpr double kMostLambda = 1e6;
  CLI::Option* context =
      verb.add_option("--context", options.tokens,
                      "Cut texts at so many tokens (default: what the model takes, and its "
                      "tokenizer.json); for more than that, --extend")
          ->check(whole_number(1))
          ->type_name("N");
  std::vector<std::string> names;
  for (const auto& [name, extension] : kExtensions) names.emplace_back(name);
  CLI::Option* extend =
      verb.add_option_function<std::string>(
              "--extend",
              [&options](const std::string& given) {
                for (const auto& [name, extension] : kExtensions) {
                  if (given == name) options.extension = extension;
                }
              },
              "How the model takes longer texts than it was trained on: pcw (the mean of chunks),\n"
              "gp, rp or pi (other positions); ntk or selfextend, of rotary models")
          ->check(CLI::IsMember(names))
          ->needs(context)
          ->type_name("NAME");
  verb.add_option("--ntk-lambda", options.ntk_lambda,
                  "ntk: factor of the rotary base (default: 3, 5, 10 for 2, 4, 8 times the length)")
      ->check(number_above(0, kMostLambda))
      ->needs(extend)
      ->type_name("X");
  verb.add_option("--group", options.group,
                  "selfextend: tokens to a group (default: 3, 5, 9 for 2, 4, 8 times the length)")
      ->check(whole_number(1))
      ->needs(extend)
      ->type_name("N");
  verb.add_option("--window", options.window,
                  "selfextend: tokens whose distances stay exact (default: a half, a quarter, an\n"
                  "eighth of the model's length)")
      ->check(whole_number(1))
      ->needs(extend)
      ->type_name("N");
  verb.add_flag_callback(
          "--no-attention-scaling", [&options] { options.scale_attention = false; },
          "Leave attention as it is in texts longer than the model was trained on")
      ->needs(extend);
}

nlohmann::json context_settings(const ContextOptions& options) {
  nlohmann::json all = nlohmann::json::object();
  if (options.tokens != 0) all["tokens"] = options.tokens;
  for (const auto& [name, extension] : kExtensions) {
    if (options.extension == extension) all["extend"] = name;
  }
  if (options.ntk_lambda) all["ntk_lambda"] = *options.ntk_lambda;
  if (options.group) all["group"] = *options.group;
  if (options.window) all["window"] = *options.window;
  if (!options.scale_attention) all["scale_attention"] = false;
  return all;
}

}  // namespace kith::cli
