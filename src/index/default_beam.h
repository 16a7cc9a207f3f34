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

using SearchWithBeam =
    std::function<Neighbours(const AnyMatrixView& queries, std::size_t k, std::size_t beam)>;

// The smallest beam (of a ladder) whose recall@10 in the trial reaches `recall`; the best one when
// none does.
DefaultBeam choose_default_beam(const BeamTrial& trial, double recall,
                                const SearchWithBeam& search);

// How many times as broad a search finds 100 neighbours as well as the chosen beam finds 10.
double beams_for_ten_times(const BeamTrial& trial, const DefaultBeam& chosen,
                           const SearchWithBeam& search);
// Where it wasn't measured, the cube root of 10: a little more than on the data in
// docs/performance.md.
inline constexpr double kUsualForTenTimes = 2.15;

}  // namespace kith
