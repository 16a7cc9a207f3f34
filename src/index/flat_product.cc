#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "index/flat_batch.h"
#include "index/flat_tiles.h"
#include "simd/kernels.h"
#include "simd/precise.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();  // passes no comparison

constexpr std::size_t kChunkBytes = 2 << 20;    // packed rows between two barriers
constexpr std::size_t kBlockBytes = 256 << 10;  // packed queries in a core's second-level cache
constexpr std::size_t kCentreSample = 1024;

constexpr double kRoom = 1 + 0x1p-7;      // for the roundings of what bounds are made of
constexpr double kLeastSpread = 0x1p-10;  // where rounding takes nothing from any query

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
  Product(const FlatRows& base, QueryGroup& group, const Control& control, bool narrow)
      : base_(base),
        group_(group),
        control_(control),
        dim_(base.rows.dim()),
        // l2 sums twice: the product, and the row's norm.
        tiles_(dim_, thread_count(control), narrow),
        a_rows_(tiles_.a_rows()),
        b_rows_(tiles_.b_rows()),
        // l2 sums twice: the product, and the row's norm.
        error_((base.metric == Metric::l2 ? 2 : 1) * sum_error(dim_)),
        absolute_(kAbsoluteError * (tiles_.narrow() ? static_cast<float>(dim_) : 1)),
        panels_((group.queries.size() + a_rows_ - 1) / a_rows_),
        packed_queries_(panels_, tiles_.a_bytes()),
        thresholds_(panels_ * a_rows_, kNothing),
        query_terms_(panels_ * a_rows_) {
    if (base.metric == Metric::l2) centre_ = sample_mean(base.rows);
    for (std::size_t w = 0; w < thread_count(control); ++w) workers_.emplace_back(b_rows_, dim_);
    pack_queries();
    chunk_panels_ = std::clamp<std::size_t>(kChunkBytes / tiles_.b_bytes(), 1,
                                            (base.rows.rows() + b_rows_ - 1) / b_rows_);
    packed_rows_ = Matrix<std::byte>(chunk_panels_, tiles_.b_bytes());
    offsets_.resize(chunk_panels_ * b_rows_);
    widths_.resize(chunk_panels_ * b_rows_);
  }

  void run(Progress& progress) {
    const std::size_t chunk_rows = chunk_panels_ * b_rows_;
    for (std::size_t first = 0; first < base_.rows.rows(); first += chunk_rows) {
      const std::size_t rows = std::min(chunk_rows, base_.rows.rows() - first);
      const std::size_t panels = (rows + b_rows_ - 1) / b_rows_;
      parallel_for(control_, panels, 4, [&](std::size_t begin, std::size_t end, std::size_t w) {
        for (std::size_t p = begin; p < end; ++p) pack_panel(p, first, rows, w);
      });
      parallel_for(control_, panels_, block_panels(),
                   [&](std::size_t begin, std::size_t end, std::size_t w) {
                     multiply(begin, end, panels, first, workers_[w]);
                     const std::size_t queries = group_.queries.size();
                     progress.add(rows * (std::min(queries, end * a_rows_) -
                                          std::min(queries, begin * a_rows_)));
                   });
    }
  }

 private:
  struct QueryTerms {
    float offset, width;
  };
  // A row as it goes into the product, and what its error depends on. Of l2 `size` is the squared
  // norm, else the norm.
  struct RowSize {
    float size;
    bool tame;  // float arithmetic can handle it
  };
  struct Worker {
    Worker(std::size_t rows, std::size_t dim)
        : staged(rows, dim), sizes(rows), losses(rows), scratch(dim) {}
    Matrix<float> staged;
    std::vector<RowSize> sizes;
    std::vector<float> losses;
    CandidateScratch scratch;
  };

  // A few blocks a thread, so that all threads end together.
  std::size_t block_panels() const {
    const std::size_t fitting = kBlockBytes / tiles_.a_bytes();
    const std::size_t share = panels_ / (4 * thread_count(control_));
    return std::max<std::size_t>(1, std::min(fitting, std::max<std::size_t>(share, 4)));
  }

  void pack_queries() {
    Matrix<float> rows(a_rows_, dim_);
    std::vector<float> losses(a_rows_);
    for (std::size_t p = 0; p < panels_; ++p) {
      const std::size_t first = p * a_rows_;
      const std::size_t count = std::min(a_rows_, group_.queries.size() - first);
      for (std::size_t i = 0; i < count; ++i) prepare_query(first + i, rows.row(i));
      tiles_.pack_a(rows, count, packed_queries_.row(p), losses);
      for (std::size_t i = 0; tiles_.narrow() && i < count; ++i) {
        const float norm = query_terms_[first + i].width == kInfinity
                               ? 0
                               : std::sqrt(simd::norm_squared(rows.row(i), dim_));
        if (norm > 0) loss_ = std::max<double>(loss_, kRoom * losses[i] / norm);
      }
    }
    if (base_.metric == Metric::l2) spread_ = std::max(loss_, kLeastSpread);
    for (std::size_t q = 0; q < group_.queries.size(); ++q) {
      QueryTerms& terms = query_terms_[q];
      if (base_.metric == Metric::l2 && terms.width != kInfinity) {
        const double squared = terms.offset;
        const double slack = squared * (2 * error_ + (tiles_.narrow() ? query_loss() : 0));
        terms = {static_cast<float>(squared - slack), static_cast<float>(2 * slack)};
      }
      update_threshold(q);
    }
  }

  // Leaves the squared norm of l2 in `offset`: what it is off by depends on all queries.
  void prepare_query(std::size_t index, float* out) {
    const PreciseQuery& query = group_.queries[index];
    QueryTerms& terms = query_terms_[index];
    const float* q = query.values();
    terms = {0, 0};
    if (base_.metric == Metric::l2) {
      for (std::size_t j = 0; j < dim_; ++j) out[j] = q[j] - centre_[j];
      const double squared = simd::precise_kernels().dot(out, out, dim_);
      terms = {static_cast<float>(squared), 0};
      if (!(squared <= kLargestTameNorm * kLargestTameNorm)) terms = {-kInfinity, kInfinity};
      for (std::size_t j = 0; j < dim_; ++j) out[j] *= -2;
    } else {
      const auto factor = static_cast<float>(-1 / query.norm());
      for (std::size_t j = 0; j < dim_; ++j) out[j] = q[j] * factor;
    }
    if (query.is_wild()) terms = {-kInfinity, kInfinity};
    if (terms.width == kInfinity) std::fill(out, out + dim_, 0.0f);
  }

  // What a tile's value may be at most for its row to stay possible.
  void update_threshold(std::size_t index) {
    const double limit = group_.sets[index].threshold(), offset = query_terms_[index].offset;
    const double slack = 0x1p-21 * (std::abs(limit) + std::abs(offset));
    thresholds_[index] = query_terms_[index].width == kInfinity
                             ? kInfinity
                             : static_cast<float>(limit - offset + slack);
  }

  void pack_panel(std::size_t p, std::size_t first, std::size_t rows, std::size_t w) {
    Worker& worker = workers_[w];
    const std::size_t begin = p * b_rows_;
    const std::size_t count = std::min(b_rows_, rows - begin);
    for (std::size_t i = 0; i < count; ++i) {
      worker.sizes[i] = prepare_row(first + begin + i, worker.staged.row(i));
      if (!worker.sizes[i].tame) std::fill_n(worker.staged.row(i), dim_, 0.0f);
    }
    tiles_.pack_b(worker.staged, count, packed_rows_.row(p), worker.losses, w);
    for (std::size_t i = 0; i < b_rows_; ++i) {
      const RowTerms terms =
          i < count ? row_terms(worker.sizes[i], worker.losses[i]) : RowTerms{kNothing, kNothing};
      offsets_[begin + i] = terms.offset;
      widths_[begin + i] = terms.width;
    }
  }

  RowSize prepare_row(std::size_t row, float* out) const {
    const float* x = out;
    if (base_.rows.type() == ElementType::f32) {
      x = static_cast<const float*>(base_.rows.row(row));
    } else {
      simd::to_float(base_.rows.type(), base_.rows.row(row), dim_, out);
    }
    if (base_.metric == Metric::l2) {
      for (std::size_t j = 0; j < dim_; ++j) out[j] = x[j] - centre_[j];
      const float squared = simd::norm_squared(out, dim_);
      return {squared, squared <= kLargestTameNorm * kLargestTameNorm};
    }
    const float norm = base_.norms[row];
    const bool tame = norm <= kLargestTameNorm &&
                      (norm >= kSmallestTameNorm || (norm == 0 && base_.metric == Metric::ip));
    if (base_.metric == Metric::ip) {
      std::copy(x, x + dim_, out);
      return {norm, tame};
    }
    const float factor = 1 / norm;
    for (std::size_t j = 0; tame && j < dim_; ++j) out[j] = x[j] * factor;
    return {1, tame};
  }

  // Rounding, of a query q by e and of a row x by f, moves their product by at most |e| |x| +
  // (|q| + |e|) |f|. Under ip and cosine |q| is 1. Under l2 the product counts twice, and what it
  // is off by goes to q and x apart: 2 a b <= s a^2 + b^2 / s, for any s.
  double query_loss() const { return loss_ + (1 + loss_) * spread_; }

  RowTerms row_terms(RowSize row, float loss) const {
    if (!row.tame) return kWildRow;
    const bool l2 = base_.metric == Metric::l2;
    double slack = error_ * row.size * (l2 ? 2 : 1);
    if (tiles_.narrow()) {
      const double lost = kRoom * loss;
      slack += loss_ * row.size + (1 + loss_) * (l2 ? lost * lost / spread_ : lost);
    }
    if (base_.metric != Metric::cosine) slack += absolute_;
    const double middle = l2 ? row.size : 0;
    return {static_cast<float>(middle - slack), static_cast<float>(2 * slack)};
  }

  // Query panels [begin, end) against the chunk's first `panels` row panels.
  void multiply(std::size_t begin, std::size_t end, std::size_t panels, std::size_t first,
                Worker& worker) {
    const auto session = tiles_.session();
    std::vector<simd::TileHit> hits(a_rows_ * b_rows_);
    for (std::size_t b = 0; b < panels; ++b) {
      for (std::size_t a = begin; a < end; ++a) {
        const std::size_t count =
            tiles_.select(packed_queries_.row(a), packed_rows_.row(b), &offsets_[b * b_rows_],
                          &thresholds_[a * a_rows_], hits.data());
        for (std::size_t h = 0; h < count; ++h) {
          add(a * a_rows_ + hits[h].a, b * b_rows_ + hits[h].b, hits[h].value, first,
              worker.scratch);
        }
      }
    }
  }

  void add(std::size_t query, std::size_t chunk_row, float value, std::size_t first,
           CandidateScratch& scratch) {
    const QueryTerms& terms = query_terms_[query];
    const float width = terms.width + widths_[chunk_row];
    const bool wild = width == kInfinity;
    const float lower = wild ? -kInfinity : value + terms.offset;
    const auto id = static_cast<Id>(first + chunk_row);
    if (!base_.allows(id)) return;
    if (group_.sets[query].add(lower, wild ? kInfinity : lower + width, id)) {
      group_.sets[query].shrink(group_.queries[query], scratch);
      update_threshold(query);
    }
  }

  const FlatRows& base_;
  QueryGroup& group_;
  const Control& control_;
  std::size_t dim_;
  FlatTiles tiles_;
  const std::size_t a_rows_, b_rows_;
  double error_;
  float absolute_;
  double loss_ = 0;            // the most that rounding took from a query, relative to its norm
  double spread_ = 0;          // s of query_loss()
  std::vector<float> centre_;  // l2 only
  std::size_t panels_;
  Matrix<std::byte> packed_queries_;  // a row is a panel
  std::vector<float> thresholds_;
  std::vector<QueryTerms> query_terms_;
  std::size_t chunk_panels_ = 0;
  Matrix<std::byte> packed_rows_;
  std::vector<float> offsets_, widths_;
  std::vector<Worker> workers_;
};

}  // namespace

void search_as_product(const FlatRows& base, QueryGroup& group, const Control& control,
                       Progress& progress, bool narrow) {
  Product(base, group, control, narrow).run(progress);
}

}  // namespace kith
