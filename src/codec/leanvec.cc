#include "codec/leanvec.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "codec/dense.h"
#include "codec/mean.h"
#include "codec/products.h"
#include "kith/error.h"
#include "simd/kernels.h"

namespace kith {
namespace {

[[noreturn]] void refuse(std::size_t reduced, const std::string& reason) {
  throw Error(ErrorCode::invalid_argument, "leanvec" + std::to_string(reduced) + ": " + reason);
}

// Second moments of rows and queries, over their number.
struct Moments {
  Dense rows, queries;
};

struct Maps {
  Dense a, b;  // D x d: of queries, of rows
};

// tr(B A' Kq A B' Kx) - 2 tr(Kq A B' Kx) + tr(Kq Kx), as a share of the last.
double loss_of(const Maps& maps, const Moments& k) {
  const Dense inner_a = maps.a.transpose() * k.queries * maps.a;
  const Dense inner_b = maps.b.transpose() * k.rows * maps.b;
  const Dense mixed = (k.queries * maps.a).transpose() * (k.rows * maps.b);
  const double all = k.queries.cwiseProduct(k.rows).sum();
  return (inner_a.cwiseProduct(inner_b).sum() - 2 * mixed.trace() + all) / all;
}

Dense top_eigenvectors(const Dense& moments, Eigen::Index count) {
  const Eigen::SelfAdjointEigenSolver<Dense> solver(moments);
  return solver.eigenvectors().rightCols(count);
}

// The eigenvectors of beta Kq + (1 - beta) Kx, both of trace 1, with the beta of least loss: a
// golden-section search, for an evaluation is an eigenvalue problem and has no derivative.
Maps search_eigenvectors(const Moments& k, Eigen::Index reduced, const Control& control) {
  constexpr double kGolden = 0.6180339887498949, kTolerance = 0.01;
  const Dense rows = k.rows / k.rows.trace(), queries = k.queries / k.queries.trace();
  Maps best;
  double least = 0;
  const auto look = [&](double beta) {
    throw_if_cancelled(control);
    const Dense p = top_eigenvectors(beta * queries + (1 - beta) * rows, reduced);
    const double loss = loss_of({p, p}, k);
    if (best.a.size() == 0 || loss < least) best = {p, p}, least = loss;
    return loss;
  };
  double low = 0, high = 1;
  double left = high - kGolden * (high - low), right = low + kGolden * (high - low);
  double at_left = look(left), at_right = look(right);
  while (high - low > kTolerance) {
    if (at_left < at_right) {
      high = right, right = left, at_right = at_left;
      left = high - kGolden * (high - low);
      at_left = look(left);
    } else {
      low = left, left = right, at_left = at_right;
      right = low + kGolden * (high - low);
      at_right = look(right);
    }
  }
  return best;
}

// U V' of the singular value decomposition U S V' of a tall matrix, from the eigenvectors of its
// small Gram matrix. Directions it has none of are left out: any choice there is as good.
Dense polar_factor(const Dense& m) {
  constexpr double kNothing = 1e-14;
  const Eigen::SelfAdjointEigenSolver<Dense> solver(m.transpose() * m);
  const double least = solver.eigenvalues().maxCoeff() * kNothing;
  const Eigen::VectorXd inverse = solver.eigenvalues().unaryExpr(
      [&](double value) { return value > least ? 1 / std::sqrt(value) : 0.0; });
  return m * (solver.eigenvectors() * inverse.asDiagonal() * solver.eigenvectors().transpose());
}

// Block-coordinate Frank-Wolfe over matrices of spectral norm at most 1, the convex hull of those
// with orthonormal columns: a step towards the point of it that goes furthest down the gradient.
Maps frank_wolfe(Maps maps, const Moments& k, const Control& control) {
  constexpr int kMostSteps = 500;
  constexpr double kTolerance = 1e-3;
  const Dense queries_rows = k.queries * k.rows, rows_queries = queries_rows.transpose();
  double before = loss_of(maps, k);
  for (int step = 0; step < kMostSteps; ++step) {
    throw_if_cancelled(control);
    const double size = std::pow(step + 2, -0.999);
    const Dense down_a =
        queries_rows * maps.b - k.queries * maps.a * (maps.b.transpose() * k.rows * maps.b);
    maps.a += size * (polar_factor(down_a) - maps.a);
    const Dense down_b =
        rows_queries * maps.a - k.rows * maps.b * (maps.a.transpose() * k.queries * maps.a);
    maps.b += size * (polar_factor(down_b) - maps.b);
    const double now = loss_of(maps, k);
    if (step > 1 && std::abs(now - before) < kTolerance * before) break;
    before = now;
  }
  return maps;
}

// Less a mean, of a number of rows; and that they span `reduced` dimensions.
Dense moments_of(const char* what, MatrixView<const float> x, const std::vector<float>& mean,
                 std::size_t reduced, const Control& control) {
  Matrix<float> centred(x.rows(), x.cols());
  for (std::size_t i = 0; i < x.rows(); ++i) {
    for (std::size_t j = 0; j < x.cols(); ++j) centred(i, j) = x(i, j) - mean[j];
  }
  if (x.rows() < reduced) {
    refuse(reduced, std::to_string(x.rows()) + " " + what + " to learn from, expected at least " +
                        std::to_string(reduced));
  }
  return to_dense(sum_of_products(centred, centred, control)) / static_cast<double>(x.rows());
}

void check_rank(const char* what, const Dense& moments, std::size_t reduced) {
  constexpr double kNothing = 1e-10;  // float sums leave about as much
  const Eigen::SelfAdjointEigenSolver<Dense> solver(moments, Eigen::EigenvaluesOnly);
  const double least = solver.eigenvalues().maxCoeff() * kNothing;
  const auto rank = static_cast<std::size_t>((solver.eigenvalues().array() > least).count());
  if (rank < reduced) {
    refuse(reduced, std::string(what) + " span " + std::to_string(rank) +
                        " dimensions, expected at least " + std::to_string(reduced));
  }
}

}  // namespace

LeanVecMethod parse_leanvec(std::string_view name) {
  if (name == "id") return LeanVecMethod::id;
  if (name == "es") return LeanVecMethod::es;
  if (name == "fw") return LeanVecMethod::fw;
  if (name == "es+fw") return LeanVecMethod::es_fw;
  throw Error(ErrorCode::invalid_argument,
              "leanvec '" + std::string(name) + "', expected id, es, fw or es+fw");
}

LeanVec::LeanVec(std::size_t dim, std::size_t reduced, Metric metric)
    : dim_(dim), reduced_(reduced), metric_(metric), mean_(dim, 0.0f) {
  if (reduced == 0 || reduced > dim) {
    refuse(reduced, "the vectors have " + std::to_string(dim) + " dimensions, expected 1 to " +
                        std::to_string(dim));
  }
  rows_ = Matrix<float>(reduced, dim);
  queries_ = Matrix<float>(reduced, dim);
  set_offsets();
}

void LeanVec::train(MatrixView<const float> rows, MatrixView<const float> queries,
                    LeanVecMethod method, const Control& control) {
  const bool given = queries.rows() != 0;
  if (!given && method != LeanVecMethod::id) {
    refuse(reduced_, "es and fw learn from queries, but there are none to train on");
  }
  const bool differ = method == LeanVecMethod::fw || method == LeanVecMethod::es_fw;
  if (metric_ == Metric::l2 && differ) {
    refuse(reduced_,
           "fw reduces queries and vectors differently, which l2 can't measure: expected "
           "id or es");
  }
  mean_ = metric_ == Metric::l2 ? column_means(rows) : std::vector<float>(dim_, 0.0f);
  Moments k{moments_of("vectors", rows, mean_, reduced_, control), {}};
  check_rank("the vectors", k.rows, reduced_);
  k.queries = k.rows;
  if (given) {
    k.queries = moments_of("training queries", queries, mean_, reduced_, control);
    check_rank("the training queries", k.queries, reduced_);
  }
  const auto count = static_cast<Eigen::Index>(reduced_);
  Maps maps;
  if (method == LeanVecMethod::id || method == LeanVecMethod::fw) {
    maps.a = maps.b = top_eigenvectors(k.rows, count);
  } else {
    maps = search_eigenvectors(k, count, control);
  }
  if (differ) maps = frank_wolfe(std::move(maps), k, control);
  loss_ = loss_of(maps, k);
  queries_ = to_floats(maps.a.transpose());
  rows_ = to_floats(maps.b.transpose());
  set_offsets();
}

void LeanVec::set_offsets() {
  row_offset_.assign(reduced_, 0.0f);
  query_offset_.assign(reduced_, 0.0f);
  const simd::RowKernels& dot = simd::float_query_kernels(ElementType::f32, simd::Op::dot);
  dot.many(mean_.data(), rows_.data(), rows_.stride_bytes(), reduced_, dim_, row_offset_.data());
  dot.many(mean_.data(), queries_.data(), queries_.stride_bytes(), reduced_, dim_,
           query_offset_.data());
}

void LeanVec::apply(const Matrix<float>& map, const std::vector<float>& offset, float* x) const {
  thread_local std::vector<float> out;
  out.resize(reduced_);
  simd::float_query_kernels(ElementType::f32, simd::Op::dot)
      .many(x, map.data(), map.stride_bytes(), reduced_, dim_, out.data());
  for (std::size_t i = 0; i < reduced_; ++i) x[i] = out[i] - offset[i];
}

std::size_t LeanVec::bytes() const { return (2 * reduced_ + 1) * dim_ * sizeof(float); }

void LeanVec::save(KithFileWriter& writer, const std::string& prefix) const {
  writer.add_array<float>(prefix + ".reduction.mean", mean_);
  for (const auto& [name, map] :
       {std::pair{".reduction.rows", &rows_}, std::pair{".reduction.queries", &queries_}}) {
    writer.add_rows(prefix + name, *map);
  }
}

void LeanVec::load(const KithFileReader& reader, const std::string& prefix) {
  const Matrix<float> mean = reader.rows(prefix + ".reduction.mean", 1, dim_);
  mean_.assign(mean.row(0), mean.row(0) + dim_);
  rows_ = reader.rows(prefix + ".reduction.rows", reduced_, dim_);
  queries_ = reader.rows(prefix + ".reduction.queries", reduced_, dim_);
  set_offsets();
}

}  // namespace kith
