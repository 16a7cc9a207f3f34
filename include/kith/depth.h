// Statistical depth of vectors: how central each is among a corpus, and whether two corpora lie
// apart (Seegmiller and Preum, "Statistical depth for ranking and characterizing transformer-based
// text embeddings", 2023). With a distance of directions delta <= 2, the depth of x in a corpus F
// is D(x; F) = 2 - mean over h in F of delta(x, h): largest at the centre. Of one of F's own
// vectors the mean runs over the others. Part of libkith-encode.
//
//   const std::vector<double> depths = kith::depths(vectors);    // larger: more central
//   const kith::DepthTest test = kith::depth_test(human, synthetic);
//
// All throw invalid_argument naming a row that is zero or isn't finite, and for too few rows; pure
// functions otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

enum class DepthDistance {
  cosine,  // 1 - cos: O(rows * dim), as it needs only the sum of the corpus' directions
  chord,   // the straight line between the directions, sqrt(2 - 2 cos): O(rows^2 * dim)
};

struct DepthOptions {
  DepthDistance distance = DepthDistance::cosine;
  // Chord only: the mean runs over so many random vectors of the corpus, 0: over all. The error is
  // about their distances' standard deviation / sqrt(sample).
  std::size_t sample = 0;
  std::uint64_t seed = 1;
  Control control = {};
};

// Of each row of the corpus among the others; at least two rows.
std::vector<double> depths(const AnyMatrixView& corpus, const DepthOptions& options = {});
// Of each row of `rows` in a corpus that they aren't of.
std::vector<double> depths_in(const AnyMatrixView& corpus, const AnyMatrixView& rows,
                              const DepthOptions& options = {});

// Length of the mean direction, in [0, 1]. Near 0 directions spread evenly or in opposite groups,
// and a centre means little.
double mean_resultant_length(const AnyMatrixView& corpus);

struct RankSum {
  double z = 0, p_value = 1;
};
// Wilcoxon's rank-sum test (1945), one-sided: are the values of f larger than those of g? By the
// normal approximation with average ranks for ties and no correction of the variance, as the
// paper's package has it. At least one value on each side.
RankSum rank_sum(std::span<const double> f, std::span<const double> g);

struct DepthTest {
  // P(D(X; F) <= D(Y; F)) for X of F and Y of G (Liu and Singh, 1993): 0.5 where the two agree,
  // less where G lies off F or spreads wider, more where it keeps to F's core. Not symmetric. How
  // far the two are apart: a small p with many vectors isn't.
  double q = 0.5;
  // The paper's package counts among both corpora's depths together and strictly below.
  double q_pooled = 0.5;
  RankSum test;              // of F's depths against G's
  std::size_t f = 0, g = 0;  // rows; below 20 the approximation is rough
};
// Depths of both in F. At least two rows each, of the same dimension.
DepthTest depth_test(const AnyMatrixView& f, const AnyMatrixView& g,
                     const DepthOptions& options = {});

// The k deepest rows, or of each label (one a row) its k deepest among its own; deepest first,
// label by label, ties by row.
std::vector<std::uint32_t> deepest(const AnyMatrixView& corpus, std::size_t k,
                                   std::span<const std::uint32_t> labels = {},
                                   const DepthOptions& options = {});

}  // namespace kith
