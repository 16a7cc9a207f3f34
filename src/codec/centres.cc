#include "codec/centres.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/parallel.h"
#include "base/topk.h"
#include "simd/kernels.h"
#include "simd/kth_smallest.h"
#include "simd/matmul.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kPanelsAtOnce = 16;  // of rows, in cache while every centre passes

// Packs rows [first, first + count) into one panel after another.
void pack_rows(MatrixView<const float> rows, std::size_t first, std::size_t count,
               Matrix<float>& panels) {
  const simd::MatmulKernels& kernels = simd::matmul_kernels();
  for (std::size_t at = 0; at < count; at += kernels.a_rows) {
    kernels.pack_a(rows.row(first + at), rows.stride_bytes() / sizeof(float),
                   std::min(kernels.a_rows, count - at), rows.cols(),
                   panels.row(at / kernels.a_rows));
  }
}

// The `count` smallest scores and whose they are, ascending, ties by the smaller id.
void take_smallest(std::span<const float> all, std::size_t count, std::uint32_t* ids,
                   float* scores) {
  thread_local std::vector<float> copy;
  thread_local std::vector<std::uint32_t> near;
  thread_local std::vector<Hit> hits;
  copy.assign(all.begin(), all.end());
  near.resize(all.size());
  const float bound = simd::bound_kth_smallest(copy, count);
  const std::size_t found = simd::select_at_most(all.data(), all.size(), bound, near.data());
  hits.clear();
  for (std::size_t i = 0; i < found; ++i) hits.push_back({all[near[i]], near[i]});
  std::sort(hits.begin(), hits.end());
  for (std::size_t i = 0; i < count; ++i) ids[i] = hits[i].id, scores[i] = hits[i].distance;
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
  const simd::MatmulKernels& kernels = simd::matmul_kernels();
  const std::size_t piece_rows = kPanelsAtOnce * kernels.a_rows;
  std::fill_n(ids.begin(), rows.rows(), 0);
  const auto find = [&](std::size_t first, std::size_t count) {
    Matrix<float> packed(kPanelsAtOnce, kernels.a_rows * dim());
    pack_rows(rows, first, count, packed);
    std::vector<simd::TileHit> hits(kernels.a_rows * kernels.b_rows);
    std::vector<float> limits(piece_rows, -kInfinity);  // rows that aren't there pass nothing
    std::fill_n(limits.begin(), count, kInfinity);
    for (std::size_t b = 0; b < panels_.rows(); ++b) {
      const float* norms = &norms_[b * kernels.b_rows];
      for (std::size_t a = 0; a * kernels.a_rows < count; ++a) {
        float* const limit = &limits[a * kernels.a_rows];
        const std::size_t found =
            kernels.select(packed.row(a), panels_.row(b), dim(), norms, limit, hits.data());
        for (std::size_t h = 0; h < found; ++h) {
          const simd::TileHit& hit = hits[h];
          if (hit.value >= limit[hit.a]) continue;  // of equal ones the first stays
          limit[hit.a] = hit.value;
          ids[first + a * kernels.a_rows + hit.a] =
              static_cast<std::uint32_t>(b * kernels.b_rows + hit.b);
        }
      }
    }
    if (distances.empty()) return;
    for (std::size_t i = 0; i < count; ++i) {
      const float norm = simd::norm_squared(rows.row(first + i), dim());
      distances[first + i] = std::max(0.0f, limits[i] + norm);
    }
  };
  parallel_for(control, (rows.rows() + piece_rows - 1) / piece_rows, 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t piece = begin; piece < end; ++piece) {
                   const std::size_t first = piece * piece_rows;
                   find(first, std::min(piece_rows, rows.rows() - first));
                 }
               });
}

void Centres::keep_rough_copy(By by) {
  by_ = by;
  rough_.emplace(dim(), by == By::distance ? Metric::l2 : Metric::ip);
  rough_->train(centres_);
  rough_->resize(size());
  for (std::size_t c = 0; c < size(); ++c) rough_->encode(static_cast<Id>(c), centres_.row(c));
}

std::span<const Id> Centres::seem_nearest(const float* row, std::size_t count) const {
  thread_local Lvq<8>::Query query;
  thread_local std::vector<float> all, copy;
  thread_local std::vector<Id> near;
  rough_->prepare(row, query);
  all.resize(size());
  near.resize(size());
  rough_->score_range(query, 0, size(), all.data());
  copy.assign(all.begin(), all.end());
  const std::size_t some = std::min(size(), count + count / 4 + 8);
  const float bound = simd::bound_kth_smallest(copy, some);
  return std::span(near).first(simd::select_at_most(all.data(), size(), bound, near.data()));
}

void Centres::few_of_one(const float* row, std::size_t count, By by, std::uint32_t* ids,
                         float* scores) const {
  thread_local std::vector<float> all;
  const auto& dot = simd::float_query_kernels(ElementType::f32, simd::Op::dot);
  const float* norms = (by == By::distance ? norms_ : none_).data();
  if (!rough_ || by != by_ || 2 * count > size()) {
    all.resize(size());
    dot.many(row, centres_.data(), centres_.stride_bytes(), size(), dim(), all.data());
    for (std::size_t c = 0; c < size(); ++c) all[c] = norms[c] - 2 * all[c];
    return take_smallest(all, count, ids, scores);
  }
  nearest_of(seem_nearest(row, count), row, count, ids, scores);
}

void Centres::nearest_of(std::span<const Id> some, const float* row, std::size_t count,
                         std::uint32_t* ids, float* scores) const {
  thread_local std::vector<float> products;
  thread_local std::vector<Hit> hits;
  const float* norms = (by_ == By::distance ? norms_ : none_).data();
  products.resize(some.size());
  hits.resize(some.size());
  simd::float_query_kernels(ElementType::f32, simd::Op::dot)
      .gather(row, centres_.data(), centres_.stride_bytes(), some.data(), some.size(), dim(),
              products.data());
  for (std::size_t i = 0; i < some.size(); ++i) {
    hits[i] = {norms[some[i]] - 2 * products[i], some[i]};
  }
  std::sort(hits.begin(), hits.end());
  for (std::size_t i = 0; i < count; ++i) ids[i] = hits[i].id, scores[i] = hits[i].distance;
}

void Centres::nearest_few(MatrixView<const float> rows, std::size_t count, By by,
                          const Control& control, std::span<std::uint32_t> ids,
                          std::span<float> scores) const {
  constexpr std::size_t kFewRows = 4;  // a product would spend a whole panel on one row
  const simd::MatmulKernels& kernels = simd::matmul_kernels();
  const float* norms = (by == By::distance ? norms_ : none_).data();
  const auto take = [&](std::size_t row, const float* all) {
    take_smallest({all, size()}, count, &ids[row * count], &scores[row * count]);
  };
  if (rows.rows() < kFewRows) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      few_of_one(rows.row(i), count, by, &ids[i * count], &scores[i * count]);
    }
    return;
  }
  parallel_for(control, (rows.rows() + kernels.a_rows - 1) / kernels.a_rows, 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 Matrix<float> packed(1, kernels.a_rows * dim());
                 Matrix<float> all(kernels.a_rows, panels_.rows() * kernels.b_rows);
                 for (std::size_t panel = begin; panel < end; ++panel) {
                   const std::size_t first = panel * kernels.a_rows;
                   const std::size_t here = std::min(kernels.a_rows, rows.rows() - first);
                   pack_rows(rows, first, here, packed);
                   for (std::size_t b = 0; b < panels_.rows(); ++b) {
                     kernels.product(packed.row(0), panels_.row(b), dim(),
                                     norms + b * kernels.b_rows, all.row(0) + b * kernels.b_rows,
                                     all.stride_bytes() / sizeof(float));
                   }
                   for (std::size_t i = 0; i < here; ++i) take(first + i, all.row(i));
                 }
               });
}

}  // namespace kith
