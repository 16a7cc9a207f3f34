// The options of making one ranking of several, shared by verbs that do.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "kith/fusion.h"

namespace kith::cli {

struct FusionChoices {
  std::string method = "rrf", weights;
  double rrf_k = 60;
  std::string option = "--method", list = "run";  // what the person calls them

  // Throws invalid_argument where one of these options was given though `verb` wasn't told
  // --hybrid.
  void expect_hybrid(const CLI::App& verb) const;

  // For so many lists; throws invalid_argument naming the option and the choices.
  FusionOptions options(std::size_t lists) const;
};

// --weights, --rrf-k, and the method by the name `method`; a list is called `list`.
void add_fusion_choices(CLI::App& verb, FusionChoices& choices, const std::string& method,
                        const std::string& list);

}  // namespace kith::cli
