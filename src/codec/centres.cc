#include "codec/centres.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/parallel.h"
#include "base/topk.h"
#include "simd/kernels.h"
#include "simd/matmul.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kPanelsAtOnce = 16;  // of rows, in cache while every centre passes

// Runs body(row, centre, score) for every row of rows and centre whose score is at most the row's
// entry in `thresholds`, which body may lower. Rows of a piece are numbered from its first.
template <class Start, class Body, class End>
void pass_centres(const Matrix<float>& panels, const std::vector<float>& norms,
                  MatrixView<const float> rows, const Control& control, const Start& start,
                  const Body& body, const End& end_piece) {
  const simd::MatmulKernels& kernels = simd::matmul_kernels();
  const std::size_t dim = rows.cols();
  const std::size_t piece_rows = kPanelsAtOnce * kernels.a_rows;
  parallel_for(control, (rows.rows() + piece_rows - 1) / piece_rows, 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 Matrix<float> packed(kPanelsAtOnce, kernels.a_rows * dim);
                 std::vector<float> thresholds(piece_rows);
                 std::vector<simd::TileHit> hits(kernels.a_rows * kernels.b_rows);
                 for (std::size_t piece = begin; piece < end; ++piece) {
                   const std::size_t first = piece * piece_rows;
                   const std::size_t count = std::min(piece_rows, rows.rows() - first);
                   const std::size_t row_panels = (count + kernels.a_rows - 1) / kernels.a_rows;
                   for (std::size_t a = 0; a < row_panels; ++a) {
                     const std::size_t at = a * kernels.a_rows;
                     kernels.pack_a(rows.row(first + at), rows.stride_bytes() / sizeof(float),
                                    std::min(kernels.a_rows, count - at), dim, packed.row(a));
                   }
                   // Rows that aren't there pass nothing.
                   std::fill(thresholds.begin(), thresholds.end(), -kInfinity);
                   std::fill_n(thresholds.begin(), count, kInfinity);
                   auto state = start(first, count);
                   for (std::size_t b = 0; b < panels.rows(); ++b) {
                     for (std::size_t a = 0; a < row_panels; ++a) {
                       float* const limits = &thresholds[a * kernels.a_rows];
                       const std::size_t found =
                           kernels.select(packed.row(a), panels.row(b), dim,
                                          &norms[b * kernels.b_rows], limits, hits.data());
                       for (std::size_t h = 0; h < found; ++h) {
                         const simd::TileHit& hit = hits[h];
                         const std::size_t centre = b * kernels.b_rows + hit.b;
                         if (norms[centre] == kInfinity) continue;
                         body(state, a * kernels.a_rows + hit.a, centre, hit.value, limits[hit.a]);
                       }
                     }
                   }
                   end_piece(state, first, count);
                 }
               });
}

}  // namespace

Centres::Centres(Matrix<float> centres) : centres_(std::move(centres)) {
  const simd::MatmulKernels& kernels = simd::matmul_kernels();
  const std::size_t panels = (size() + kernels.b_rows - 1) / kernels.b_rows;
  panels_ = Matrix<float>(panels, kernels.b_rows * dim());
  norms_.assign(panels * kernels.b_rows, kInfinity);
  none_ = norms_;
  Matrix<float> scaled(kernels.b_rows, dim());
  for (std::size_t p = 0; p < panels; ++p) {
    const std::size_t first = p * kernels.b_rows;
    const std::size_t count = std::min(kernels.b_rows, size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      const float* c = centres_.row(first + i);
      for (std::size_t j = 0; j < dim(); ++j) scaled.row(i)[j] = -2 * c[j];
      norms_[first + i] = simd::norm_squared(c, dim());
      none_[first + i] = 0;
    }
    kernels.pack_b(scaled.data(), scaled.stride_bytes() / sizeof(float), count, dim(),
                   panels_.row(p));
  }
}

void Centres::nearest(MatrixView<const float> rows, const Control& control,
                      std::span<std::uint32_t> ids, std::span<float> distances) const {
  pass_centres(
      panels_, norms_, rows, control,
      [&](std::size_t first, std::size_t count) {
        std::fill_n(&ids[first], count, 0);
        return first;
      },
      [&](std::size_t first, std::size_t row, std::size_t centre, float score, float& limit) {
        if (score >= limit) return;  // of equal ones the first stays
        limit = score;
        ids[first + row] = static_cast<std::uint32_t>(centre);
        if (!distances.empty()) distances[first + row] = score;
      },
      [&](std::size_t, std::size_t first, std::size_t count) {
        if (distances.empty()) return;
        for (std::size_t i = first; i < first + count; ++i) {
          distances[i] =
              std::max(0.0f, distances[i] + simd::norm_squared(rows.row(i), rows.cols()));
        }
      });
}

// A product would spend a whole panel on one row.
void Centres::few_of_one(const float* row, std::size_t count, By by, std::uint32_t* ids,
                         float* scores) const {
  std::vector<float> all(size());
  simd::float_query_kernels(ElementType::f32, simd::Op::dot)
      .many(row, centres_.data(), centres_.stride_bytes(), size(), dim(), all.data());
  const std::vector<float>& norms = by == By::distance ? norms_ : none_;
  std::vector<Hit> hits(size());
  for (std::size_t c = 0; c < size(); ++c) {
    hits[c] = {norms[c] - 2 * all[c], static_cast<Id>(c)};
  }
  const auto end = hits.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(hits.begin(), end - 1, hits.end());
  std::sort(hits.begin(), end);
  for (std::size_t i = 0; i < count; ++i) ids[i] = hits[i].id, scores[i] = hits[i].distance;
}

void Centres::nearest_few(MatrixView<const float> rows, std::size_t count, By by,
                          const Control& control, std::span<std::uint32_t> ids,
                          std::span<float> scores) const {
  constexpr std::size_t kFewRows = 4;
  if (rows.rows() < kFewRows) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      few_of_one(rows.row(i), count, by, &ids[i * count], &scores[i * count]);
    }
    return;
  }
  pass_centres(
      panels_, by == By::distance ? norms_ : none_, rows, control,
      [&](std::size_t, std::size_t rows_in_piece) {
        return std::vector<TopK>(rows_in_piece, TopK(count));
      },
      [&](std::vector<TopK>& best, std::size_t row, std::size_t centre, float score, float& limit) {
        best[row].push(score, static_cast<Id>(centre));
        if (best[row].full()) limit = best[row].threshold();
      },
      [&](std::vector<TopK>& best, std::size_t first, std::size_t rows_in_piece) {
        for (std::size_t i = 0; i < rows_in_piece; ++i) {
          const std::vector<Hit> hits = best[i].take_sorted();
          for (std::size_t j = 0; j < count; ++j) {
            ids[(first + i) * count + j] = hits[j].id;
            scores[(first + i) * count + j] = hits[j].distance;
          }
        }
      });
}

}  // namespace kith
