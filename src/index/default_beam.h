// Chooses an index's default beam while it is built, on vectors that aren't in the graph yet.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"

namespace kith {

inline constexpr std::size_t kBeamQueries = 400;  // recall@10 to about half a point

struct DefaultBeam {
  std::size_t beam = 64;
  double recall = 0;  // measured; 0 when there were too few vectors to measure
};

// Queries and what they should find: made once, for finding it reads all rows.
struct BeamTrial {
  Matrix<float> queries;
  Neighbours truth;  // among rows that aren't held; judged by similarity
};

// `truth` stays empty where the queries are too few to measure with.
BeamTrial make_beam_trial(const AnyMatrixView& rows, Matrix<float> queries, Metric metric,
                          std::span<const Id> held, const Control& control);

// The smallest beam (of a ladder) whose recall@10 in the trial reaches `recall`; the best one when
// none does.
DefaultBeam choose_default_beam(
    const BeamTrial& trial, double recall,
    const std::function<Neighbours(const AnyMatrixView& queries, std::size_t k, std::size_t beam)>&
        search);

}  // namespace kith
