// The cells of an inverted file: a vector belongs to that of its nearest centre, and a query looks
// into those of the few nearest. Never change; copies share memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/row_loader.h"
#include "codec/centres.h"
#include "codec/codec.h"
#include "codec/stage.h"
#include "index/centre_graph.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

class Cells {
 public:
  Cells() = default;
  Cells(Metric metric, Centres centres);

  // With many: makes a graph over the centres, by which searches find them.
  void connect(std::uint64_t seed, const Control& control);

  Metric metric() const { return metric_; }
  std::size_t size() const { return centres_->size(); }
  std::size_t dim() const { return centres_->dim(); }
  const float* centre(std::size_t cell) const { return centres_->matrix().row(cell); }

  // The cell of each row. Asks for rows in order, pieces of them in parallel.
  std::vector<std::uint32_t> assign(const RowLoader& load, std::size_t rows,
                                    const Control& control) const;
  // The `count` nearest cells of each query (of length 1 under cosine), nearest first, and its
  // distances from their centres: query i's at [i * count, (i + 1) * count).
  void nearest(MatrixView<const float> queries, std::size_t count, std::span<std::uint32_t> cells,
               std::span<float> distances) const;

  // Calls take(begin, rows) for pieces of the rows, in order, of length 1 under cosine.
  template <class Take>
  void for_each_piece(const RowLoader& load, std::size_t rows, const Control& control,
                      const Take& take) const {
    constexpr std::size_t kPiece = 16384, kGrain = 256;
    Matrix<float> piece(std::min(kPiece, rows), dim());
    for (std::size_t first = 0; first < rows; first += kPiece) {
      const std::size_t count = std::min(kPiece, rows - first);
      parallel_for(control, count, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t i = begin; i < end; ++i) {
          load(first + i, piece.row(i));
          if (metric_ == Metric::cosine) normalise(piece.row(i), dim());
        }
      });
      take(first, piece.view().slice(0, count));
    }
  }

  // Sections ivf.centres and ivf.centre_graph of an index.
  ByteCounts bytes() const;
  void save(KithFileWriter& writer, Meta& meta) const;
  static Cells load(const KithFileReader& reader, const Meta& meta, Metric metric, std::size_t dim);

 private:
  Metric metric_ = Metric::l2;
  std::shared_ptr<const Centres> centres_ = std::make_shared<Centres>();
  std::shared_ptr<const CentreGraph> graph_;  // null where cells are few
};

}  // namespace kith
