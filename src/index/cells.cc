#include "index/cells.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "simd/kernels.h"

namespace kith {
namespace {

// Differences of what lies between this and its negative, from a mean, too, are finite.
constexpr float kLargestComponent = std::numeric_limits<float>::max() / 8;
constexpr const char* kCentreGraph = "ivf.centre_graph";

Centres::By cells_by(Metric metric) {
  return metric == Metric::ip ? Centres::By::product : Centres::By::distance;
}

std::shared_ptr<const Centres> with_rough_copy(Centres centres, Metric metric) {
  centres.keep_rough_copy(cells_by(metric));
  return std::make_shared<Centres>(std::move(centres));
}

}  // namespace

Cells::Cells(Metric metric, Centres centres)
    : metric_(metric), centres_(with_rough_copy(std::move(centres), metric)) {}

void Cells::connect(std::uint64_t seed, const Control& control) {
  constexpr std::size_t kFewProbes = 32;
  if (!CentreGraph::pays(size(), kFewProbes)) return;
  graph_ = std::make_shared<CentreGraph>(centres_, seed, control);
}

std::vector<std::uint32_t> Cells::assign(const RowLoader& load, std::size_t rows,
                                         const Control& control) const {
  std::vector<std::uint32_t> assigned(rows);
  for_each_piece(load, rows, control, [&](std::size_t first, MatrixView<const float> piece) {
    centres_->nearest(piece, control, std::span(assigned).subspan(first, piece.rows()));
  });
  return assigned;
}

void Cells::nearest(MatrixView<const float> queries, std::size_t count,
                    std::span<std::uint32_t> cells, std::span<float> distances) const {
  if (graph_ != nullptr && CentreGraph::pays(size(), count)) {
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      graph_->nearest_few(queries.row(q), count, &cells[q * count], &distances[q * count]);
    }
  } else {
    Control alone;
    alone.threads = 1;
    centres_->nearest_few(queries, count, cells_by(metric_), alone, cells, distances);
  }
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const float norm = simd::norm_squared(queries.row(q), queries.cols());
    for (std::size_t i = q * count; i < (q + 1) * count; ++i) {
      float& distance = distances[i];
      if (metric_ == Metric::l2) {
        distance += norm;
      } else if (metric_ == Metric::cosine) {
        distance = 1 + (distance - centres_->norm(cells[i])) / 2;
      } else {
        distance /= 2;
      }
    }
  }
}

ByteCounts Cells::bytes() const {
  ByteCounts counts = {{"ivf.centres", size() * dim() * sizeof(float)}};
  if (graph_ != nullptr) counts.emplace_back(kCentreGraph, graph_->bytes());
  return counts;
}

void Cells::save(KithFileWriter& writer, Meta& meta) const {
  meta.set("ivf.lists", std::uint64_t{size()});
  writer.add_rows("ivf.centres", centres_->matrix().view());
  if (graph_ != nullptr) graph_->save(writer, meta, kCentreGraph);
}

Cells Cells::load(const KithFileReader& reader, const Meta& meta, Metric metric, std::size_t dim) {
  const std::size_t count = meta.number("ivf.lists", kMaxVectors);
  if (count == 0) reader.fail("section meta: ivf.lists=0");
  Matrix<float> centres = reader.rows("ivf.centres", count, dim);
  for (std::size_t l = 0; l < count; ++l) {
    const auto large = [](float x) { return std::abs(x) > kLargestComponent; };
    if (std::any_of(centres.row(l), centres.row(l) + dim, large)) {
      reader.fail("section ivf.centres: list " + std::to_string(l) +
                  " has a component whose differences aren't finite");
    }
  }
  Cells cells(metric, Centres(std::move(centres)));
  if (CentreGraph::is_in(meta, kCentreGraph)) {
    cells.graph_ = std::make_shared<CentreGraph>(cells.centres_, reader, meta, kCentreGraph);
  }
  return cells;
}

}  // namespace kith
