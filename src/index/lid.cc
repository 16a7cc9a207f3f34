#include "kith/lid.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"
#include "index/checks.h"
#include "index/intrinsic_dimension.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

// Points whose neighbours are held at once.
constexpr std::size_t kPiece = 8192;
// Of a walk through an index. One only as wide as the neighbours wanted misses many of the farther
// ones, and a LID hangs on the farthest: of 30,000 words the mean came out at 0.71 of the true one,
// with this at 0.995.
constexpr std::size_t kBeamANeighbour = 4;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check(const AnyMatrixView& rows, const LidOptions& options) {
  if (options.neighbours < 2) {
    refuse(std::to_string(options.neighbours) + " neighbours, expected at least 2");
  }
  const std::size_t among = options.among == 0 ? rows.rows() : std::min(options.among, rows.rows());
  if (among <= options.neighbours) {
    refuse(std::to_string(among) + " vectors, expected more than the " +
           std::to_string(options.neighbours) + " neighbours that a LID is estimated from");
  }
  for (const Id id : options.of) {
    if (id < rows.rows()) continue;
    refuse("row " + std::to_string(id) + ", but there are " + std::to_string(rows.rows()));
  }
  if (options.index == nullptr) return;
  const Index& index = *options.index;
  if (options.among != 0) refuse("an index and a sample to seek neighbours among: expected one");
  if (index.metric() == Metric::ip) {
    refuse("the index's inner products are no distances: expected l2 or cosine");
  }
  if (index.size() != rows.rows() || index.id_limit() != rows.rows()) {
    refuse("the index holds " + std::to_string(index.size()) + " of " +
           std::to_string(index.id_limit()) + " vectors, but there are " +
           std::to_string(rows.rows()) + ": expected an index of all of these");
  }
}

// Finds the neighbours of a piece of the rows, each row itself perhaps among its own.
class Finder {
 public:
  Finder(const AnyMatrixView& rows, const LidOptions& options)
      : base_(rows), options_(options), k_(options.neighbours + 1) {
    if (options.index == nullptr && options.among != 0 && options.among < rows.rows()) {
      sample_ = copy_rows(rows, random_sample(rows.rows(), options.among, options.seed));
      base_ = sample_;
    }
  }

  Neighbours find(const AnyMatrixView& points) const {
    if (options_.index != nullptr) {
      SearchOptions search;
      search.beam = kBeamANeighbour * options_.neighbours;
      search.control = without_progress(options_.control);
      return options_.index->search(points, k_, search);
    }
    ExactOptions exact;
    exact.k = k_;
    exact.metric = options_.metric == Metric::cosine ? Metric::cosine : Metric::l2;
    exact.control = without_progress(options_.control);
    return exact_search(base_, points, exact);
  }

  // Under which id a row finds itself. True distances to oneself are 0, which tells enough; those
  // to codes aren't.
  Id self(Id row) const { return options_.index != nullptr ? row : kNoId; }

 private:
  Matrix<float> sample_;
  AnyMatrixView base_;
  const LidOptions& options_;
  std::size_t k_;
};

void append(std::span<const double> distances, std::size_t neighbours, LidEstimates& estimates) {
  const bool enough = distances.size() >= std::min(neighbours, kFewestLidNeighbours);
  const double lid = enough ? local_intrinsic_dimension(distances) : 0;
  estimates.lid.push_back(static_cast<float>(lid));
  estimates.ratio.push_back(distances.size() < 2 ? 0.0f
                                                 : static_cast<float>(distances[1] / distances[0]));
  if (lid == 0) ++estimates.undefined;
}

}  // namespace

LidEstimates estimate_lid(const AnyMatrixView& rows, const LidOptions& options) {
  check(rows, options);
  // First, because a piece's row numbers would mean nothing in an error.
  checked_norms("base", rows, options.metric, options.control);
  const Finder finder(rows, options);
  std::vector<Id> all;
  if (options.of.empty()) {
    all.resize(rows.rows());
    std::iota(all.begin(), all.end(), Id{0});
  }
  const std::span<const Id> of = options.of.empty() ? std::span<const Id>(all) : options.of;

  LidEstimates estimates;
  std::vector<double> distances;
  Progress progress(options.control, "intrinsic dimension", of.size());
  for (std::size_t first = 0; first < of.size(); first += kPiece) {
    const std::span<const Id> piece = of.subspan(first, std::min(kPiece, of.size() - first));
    const Neighbours found = finder.find(copy_rows(rows, piece));
    for (std::size_t i = 0; i < piece.size(); ++i) {
      neighbour_distances(found, i, finder.self(piece[i]), options.neighbours, distances);
      append(distances, options.neighbours, estimates);
    }
    progress.add(piece.size());
  }
  estimates.two_nearest = two_nearest_dimension(estimates.ratio);
  return estimates;
}

}  // namespace kith
