#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "index/flat_batch.h"
#include "simd/kernels.h"
#include "simd/matmul.h"
#include "simd/precise.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();  // passes no comparison

constexpr std::size_t kChunkBytes = 2 << 20;    // packed rows between two barriers
constexpr std::size_t kBlockBytes = 256 << 10;  // packed queries in a core's second-level cache
constexpr std::size_t kCentreSample = 1024;

// What is added to a tile's product to make the lower end of a row's interval, and how wide the
// interval is. A row that float arithmetic can't handle is possible for every query.
struct RowTerms {
  float offset, width;
};
constexpr RowTerms kWildRow{-kInfinity, kInfinity};

// Distances don't change when all vectors move together, and norms about the centre are smaller, so
// |q|^2 + |x|^2 - 2<q, x> loses fewer digits. Any centre is right; the mean of a sample is good.
std::vector<float> sample_mean(const AnyMatrixView& rows) {
  const std::size_t dim = rows.dim(), count = std::min(rows.rows(), kCentreSample);
  std::vector<double> sum(dim);
  std::vector<float> x(dim);
  for (std::size_t i = 0; i < count; ++i) {
    simd::to_float(rows.type(), rows.row(i * rows.rows() / count), dim, x.data());
    for (std::size_t j = 0; j < dim; ++j) sum[j] += x[j];
  }
  for (std::size_t j = 0; j < dim; ++j) {
    x[j] = static_cast<float>(sum[j] / static_cast<double>(count));
  }
  return x;
}

class Product {
 public:
  Product(const FlatRows& base, QueryGroup& group, const Control& control)
      : base_(base),
        group_(group),
        control_(control),
        dim_(base.rows.dim()),
        // l2 sums twice: the product, and the row's norm.
        error_((base.metric == Metric::l2 ? 2 : 1) * sum_error(dim_)),
        panels_((group.queries.size() + kernels_.a_rows - 1) / kernels_.a_rows),
        packed_queries_(panels_, kernels_.a_rows * dim_),
        thresholds_(panels_ * kernels_.a_rows, kNothing),
        query_terms_(panels_ * kernels_.a_rows) {
    if (base.metric == Metric::l2) centre_ = sample_mean(base.rows);
    const std::size_t workers = thread_count(control);
    for (std::size_t w = 0; w < workers; ++w) {
      staged_.emplace_back(kernels_.b_rows, dim_);
      scratch_.emplace_back(dim_);
    }
    pack_queries();
    const std::size_t panel_bytes = kernels_.b_rows * dim_ * sizeof(float);
    chunk_panels_ = std::clamp<std::size_t>(
        kChunkBytes / panel_bytes, 1, (base.rows.rows() + kernels_.b_rows - 1) / kernels_.b_rows);
    packed_rows_ = Matrix<float>(chunk_panels_, kernels_.b_rows * dim_);
    offsets_.resize(chunk_panels_ * kernels_.b_rows);
    widths_.resize(chunk_panels_ * kernels_.b_rows);
  }

  void run(Progress& progress) {
    const std::size_t chunk_rows = chunk_panels_ * kernels_.b_rows;
    for (std::size_t first = 0; first < base_.rows.rows(); first += chunk_rows) {
      const std::size_t rows = std::min(chunk_rows, base_.rows.rows() - first);
      const std::size_t panels = (rows + kernels_.b_rows - 1) / kernels_.b_rows;
      parallel_for(control_, panels, 4, [&](std::size_t begin, std::size_t end, std::size_t w) {
        for (std::size_t p = begin; p < end; ++p) pack_panel(p, first, rows, w);
      });
      parallel_for(control_, panels_, block_panels(),
                   [&](std::size_t begin, std::size_t end, std::size_t w) {
                     multiply(begin, end, panels, first, w);
                     const std::size_t queries = group_.queries.size();
                     progress.add(rows * (std::min(queries, end * kernels_.a_rows) -
                                          std::min(queries, begin * kernels_.a_rows)));
                   });
    }
  }

 private:
  struct QueryTerms {
    float offset, width;
  };

  // A few blocks a thread, so that all threads end together.
  std::size_t block_panels() const {
    const std::size_t fitting = kBlockBytes / (kernels_.a_rows * dim_ * sizeof(float));
    const std::size_t share = panels_ / (4 * thread_count(control_));
    return std::max<std::size_t>(1, std::min(fitting, std::max<std::size_t>(share, 4)));
  }

  void pack_queries() {
    Matrix<float> rows(kernels_.a_rows, dim_);
    for (std::size_t p = 0; p < panels_; ++p) {
      const std::size_t first = p * kernels_.a_rows;
      const std::size_t count = std::min(kernels_.a_rows, group_.queries.size() - first);
      for (std::size_t i = 0; i < count; ++i) prepare_query(first + i, rows.row(i));
      kernels_.pack_a(rows.data(), rows.stride_bytes() / sizeof(float), count, dim_,
                      packed_queries_.row(p));
    }
  }

  void prepare_query(std::size_t index, float* out) {
    const PreciseQuery& query = group_.queries[index];
    QueryTerms& terms = query_terms_[index];
    const float* q = query.values();
    terms = {0, 0};
    if (base_.metric == Metric::l2) {
      for (std::size_t j = 0; j < dim_; ++j) out[j] = q[j] - centre_[j];
      const double squared = simd::precise_kernels().dot(out, out, dim_);
      terms = {static_cast<float>(squared * (1 - 2 * error_)),
               static_cast<float>(squared * 4 * error_)};
      if (!(squared <= kLargestTameNorm * kLargestTameNorm)) terms = {-kInfinity, kInfinity};
      for (std::size_t j = 0; j < dim_; ++j) out[j] *= -2;
    } else {
      const auto factor = static_cast<float>(-1 / query.norm());
      for (std::size_t j = 0; j < dim_; ++j) out[j] = q[j] * factor;
    }
    if (query.is_wild()) terms = {-kInfinity, kInfinity};
    if (terms.width == kInfinity) std::fill(out, out + dim_, 0.0f);
    update_threshold(index);
  }

  // What a tile's value may be at most for its row to stay possible.
  void update_threshold(std::size_t index) {
    const double limit = group_.sets[index].threshold(), offset = query_terms_[index].offset;
    const double slack = 0x1p-21 * (std::abs(limit) + std::abs(offset));
    thresholds_[index] = query_terms_[index].width == kInfinity
                             ? kInfinity
                             : static_cast<float>(limit - offset + slack);
  }

  void pack_panel(std::size_t p, std::size_t first, std::size_t rows, std::size_t worker) {
    Matrix<float>& staged = staged_[worker];
    const std::size_t begin = p * kernels_.b_rows;
    const std::size_t count = std::min(kernels_.b_rows, rows - begin);
    for (std::size_t i = 0; i < kernels_.b_rows; ++i) {
      const RowTerms terms =
          i < count ? prepare_row(first + begin + i, staged.row(i)) : RowTerms{kNothing, kNothing};
      offsets_[begin + i] = terms.offset;
      widths_[begin + i] = terms.width;
    }
    kernels_.pack_b(staged.data(), staged.stride_bytes() / sizeof(float), count, dim_,
                    packed_rows_.row(p));
  }

  RowTerms prepare_row(std::size_t row, float* out) const {
    const float* x = out;
    if (base_.rows.type() == ElementType::f32) {
      x = static_cast<const float*>(base_.rows.row(row));
    } else {
      simd::to_float(base_.rows.type(), base_.rows.row(row), dim_, out);
    }
    RowTerms terms = kWildRow;
    if (base_.metric == Metric::l2) {
      for (std::size_t j = 0; j < dim_; ++j) out[j] = x[j] - centre_[j];
      const float squared = simd::norm_squared(out, dim_);
      if (squared <= kLargestTameNorm * kLargestTameNorm) {
        terms = {static_cast<float>(squared * (1 - 2 * error_)) - kAbsoluteError,
                 static_cast<float>(squared * 4 * error_) + 2 * kAbsoluteError};
      }
    } else {
      const float norm = base_.norms[row];
      const auto error = static_cast<float>(error_);
      const bool tame = norm <= kLargestTameNorm &&
                        (norm >= kSmallestTameNorm || (norm == 0 && base_.metric == Metric::ip));
      if (tame && base_.metric == Metric::ip) {
        std::copy(x, x + dim_, out);
        terms = {-(error * norm + kAbsoluteError), 2 * (error * norm + kAbsoluteError)};
      } else if (tame) {
        const float factor = 1 / norm;
        for (std::size_t j = 0; j < dim_; ++j) out[j] = x[j] * factor;
        terms = {-error, 2 * error};
      }
    }
    if (terms.width == kInfinity) std::fill(out, out + dim_, 0.0f);
    return terms;
  }

  // Query panels [begin, end) against the chunk's first `panels` row panels.
  void multiply(std::size_t begin, std::size_t end, std::size_t panels, std::size_t first,
                std::size_t worker) {
    std::vector<simd::TileHit> hits(kernels_.a_rows * kernels_.b_rows);
    for (std::size_t b = 0; b < panels; ++b) {
      for (std::size_t a = begin; a < end; ++a) {
        const std::size_t count = kernels_.select(packed_queries_.row(a), packed_rows_.row(b), dim_,
                                                  &offsets_[b * kernels_.b_rows],
                                                  &thresholds_[a * kernels_.a_rows], hits.data());
        for (std::size_t h = 0; h < count; ++h) {
          add(a * kernels_.a_rows + hits[h].a, b * kernels_.b_rows + hits[h].b, hits[h].value,
              first, worker);
        }
      }
    }
  }

  void add(std::size_t query, std::size_t chunk_row, float value, std::size_t first,
           std::size_t worker) {
    const QueryTerms& terms = query_terms_[query];
    const float width = terms.width + widths_[chunk_row];
    const bool wild = width == kInfinity;
    const float lower = wild ? -kInfinity : value + terms.offset;
    const auto id = static_cast<Id>(first + chunk_row);
    if (!base_.allows(id)) return;
    if (group_.sets[query].add(lower, wild ? kInfinity : lower + width, id)) {
      group_.sets[query].shrink(group_.queries[query], scratch_[worker]);
      update_threshold(query);
    }
  }

  const FlatRows& base_;
  QueryGroup& group_;
  const Control& control_;
  const simd::MatmulKernels& kernels_ = simd::matmul_kernels();
  std::size_t dim_;
  double error_;
  std::vector<float> centre_;  // l2 only
  std::size_t panels_;
  Matrix<float> packed_queries_;  // a row is a panel
  std::vector<float> thresholds_;
  std::vector<QueryTerms> query_terms_;
  std::size_t chunk_panels_ = 0;
  Matrix<float> packed_rows_;
  std::vector<float> offsets_, widths_;
  std::vector<Matrix<float>> staged_;  // one a worker
  std::vector<CandidateScratch> scratch_;
};

}  // namespace

void search_as_product(const FlatRows& base, QueryGroup& group, const Control& control,
                       Progress& progress) {
  Product(base, group, control).run(progress);
}

}  // namespace kith
