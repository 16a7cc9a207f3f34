// --relevance and what goes with it: hits that are relevant by a trained adapter
// (kith/relevance.h).
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "kith/neighbours.h"
#include "kith/relevance.h"

namespace kith::cli {

struct RelevanceChoices {
  std::string adapter;  // its file, or the folder that it was trained to; empty: none
  std::optional<double> least;
  std::size_t kept = 0;  // hits of each query at least
};

// --relevance, --min-relevance, --min-results.
void add_relevance_options(CLI::App& verb, RelevanceChoices& choices);

class RelevanceFilter {
 public:
  // Throws as RelevanceAdapter::open does, and invalid_argument where the adapter is of another
  // dimension than `searched`, which has `dim`, or of another model than the one with `checksum`,
  // where both are known.
  RelevanceFilter(const RelevanceChoices& choices, const std::string& searched, std::size_t dim,
                  const std::string& checksum = {});

  double least() const { return least_; }
  // The relevance of hits of a query with those cosines; of each first hit and those that are
  // relevant enough. The others are left out: `keep` has their places.
  struct Kept {
    std::vector<std::size_t> places;
    std::vector<double> relevances;  // of these
  };
  Kept keep(const float* query, const std::vector<double>& cosines) const;

 private:
  RelevanceAdapter adapter_;
  double least_;
  std::size_t kept_;
};

}  // namespace kith::cli
