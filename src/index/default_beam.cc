#include "index/default_beam.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "index/ties.h"
#include "kith/exact.h"

namespace kith {
namespace {

constexpr std::size_t kK = 10;
constexpr std::size_t kMany = 10 * kK;
constexpr std::size_t kFewest = 20;  // held-out rows that make a measurement
constexpr std::size_t kLadder[] = {10, 12,  14,  16,  20,  24,  28,  32,  40,  48,  56,  64,  80,
                                   96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768};

// Exact neighbours of the queries among rows that aren't held: a few more are asked for than
// needed, because held rows are in the base too.
Neighbours truth_among_others(const AnyMatrixView& rows, const AnyMatrixView& queries,
                              Metric metric, std::span<const Id> held, const Control& control) {
  constexpr std::size_t kSpare = 32;
  std::vector<bool> is_held(rows.rows(), false);
  for (Id id : held) is_held[id] = true;
  ExactOptions options;
  options.k = std::min(kMany + kSpare, rows.rows());
  options.metric = metric;
  options.control = control;
  const Neighbours all = exact_search(rows, queries, options);
  Neighbours truth(queries.rows(), kMany + kSpare / 2);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < all.k() && count < truth.k(); ++i) {
      if (is_held[all.ids(q, i)]) continue;
      truth.ids(q, count) = all.ids(q, i);
      truth.distances(q, count++) = all.distances(q, i);
    }
    for (; count < truth.k(); ++count) {
      truth.ids(q, count) = kNoId;
      truth.distances(q, count) = std::numeric_limits<float>::infinity();
    }
  }
  judge_by_similarity(truth, metric);
  return truth;
}

}  // namespace

BeamTrial make_beam_trial(const AnyMatrixView& rows, Matrix<float> queries, Metric metric,
                          std::span<const Id> held, const Control& control) {
  BeamTrial trial{std::move(queries), {}};
  if (trial.queries.rows() >= kFewest) {
    trial.truth = truth_among_others(rows, trial.queries, metric, held, control);
  }
  return trial;
}

DefaultBeam choose_default_beam(const BeamTrial& trial, double recall,
                                const SearchWithBeam& search) {
  DefaultBeam best;
  if (trial.queries.rows() < kFewest) return best;
  for (std::size_t beam : kLadder) {
    const double reached = recall_at(search(trial.queries, kK, beam), trial.truth, kK);
    if (reached > best.recall) best = {beam, reached};
    if (reached >= recall) break;
  }
  return best;
}

double beams_for_ten_times(const BeamTrial& trial, const DefaultBeam& chosen,
                           const SearchWithBeam& search) {
  constexpr std::size_t kQueries = 100;  // have as many neighbours as are told apart
  const std::size_t count = std::min(kQueries, trial.queries.rows());
  if (trial.queries.rows() < kFewest || chosen.recall == 0) return kUsualForTenTimes;
  const AnyMatrixView queries = AnyMatrixView(trial.queries.view()).slice(0, count);
  Neighbours truth(count, trial.truth.k());
  for (std::size_t q = 0; q < count; ++q) {
    std::copy_n(trial.truth.ids.row(q), truth.k(), truth.ids.row(q));
    std::copy_n(trial.truth.distances.row(q), truth.k(), truth.distances.row(q));
  }
  std::size_t enough = chosen.beam;
  for (const std::size_t beam : kLadder) {
    if (beam < chosen.beam) continue;
    enough = beam;
    if (recall_at(search(queries, kMany, beam), truth, kMany) >= chosen.recall) break;
  }
  return static_cast<double>(enough) / static_cast<double>(chosen.beam);
}

}  // namespace kith
