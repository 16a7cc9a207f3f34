// How many directions vectors really spread in, whatever the number of their components: the local
// intrinsic dimension (LID) of every vector, and one number for all of them.
//
//   kith::LidEstimates words = kith::estimate_lid(rows, {.metric = kith::Metric::cosine});
//   words.lid[7];        // directions in which vector 7's neighbours lie
//   words.two_nearest;   // of the whole set
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

class Index;

struct LidOptions {
  // The geometry: l2, or cosine (Euclidean distance of directions). ip has no distances of its own
  // and counts as l2.
  Metric metric = Metric::l2;

  // Nearest neighbours of a vector that its LID is estimated from; 100 is customary (Amsaleg et
  // al. 2015, Elliott and Clark 2024). Fewer look closer and scatter more.
  std::size_t neighbours = 100;

  // Estimate for these rows only; empty: for all.
  std::span<const Id> of = {};

  // 0: neighbours are sought among all vectors, which costs of * rows * dim. Else among a random
  // sample of so many, of * among * dim; estimates are exact for that thinner set, whose
  // neighbourhoods are wider.
  std::size_t among = 0;

  // When set, neighbours are those that this index of the same rows finds, under its metric (not
  // ip), by walks four times as wide as the neighbours wanted. What it misses shows: farther
  // neighbours missed make a LID too small, nearer ones too large (docs/guide.md has figures).
  const Index* index = nullptr;

  std::uint64_t seed = 1;  // of the sample
  Control control = {};
};

// Vectors at distance 0 (the vector itself, its copies) are never neighbours here: they tell of
// copying, not of directions.
struct LidEstimates {
  // Of each vector asked for, by maximum likelihood: -1 / mean(ln(r_i / r_K)) over the distances r
  // to its K nearest neighbours (Levina and Bickel 2004; Amsaleg et al. 2015). 0: undefined,
  // because fewer than kFewestLidNeighbours of the neighbours found lie apart from it or all lie
  // equally far.
  std::vector<float> lid;

  // r_2 / r_1 of each vector (Facco et al. 2017), at least 1. 0: undefined.
  std::vector<float> ratio;

  // From all ratios: the slope of -ln(1 - F(ratio)) over ln(ratio), F their empirical
  // distribution, without the largest tenth of them, as in the paper. 0: undefined.
  double two_nearest = 0;

  std::size_t undefined = 0;  // vectors without a LID
};

inline constexpr std::size_t kFewestLidNeighbours = 10;

// The same for any number of threads. Throws invalid_argument for fewer than 2 neighbours, no more
// rows (or `among`) than neighbours, a component that isn't finite, a zero vector under cosine, a
// row in `of` that isn't there, an index of other rows, or both `among` and `index`.
LidEstimates estimate_lid(const AnyMatrixView& rows, const LidOptions& options);

}  // namespace kith
