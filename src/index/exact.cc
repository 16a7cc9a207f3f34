#include "kith/exact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/topk.h"
#include "kith/error.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check_row(const char* what, std::size_t row, const float* x, std::size_t dim, Metric metric) {
  bool zero = true;
  for (std::size_t j = 0; j < dim; ++j) {
    if (!std::isfinite(x[j])) {
      refuse(std::string(what) + " row " + std::to_string(row) + ", column " + std::to_string(j) +
             ": " + std::to_string(x[j]) + ", expected a finite number");
    }
    zero = zero && x[j] == 0;
  }
  if (zero && metric == Metric::cosine) {
    refuse(std::string(what) + " row " + std::to_string(row) +
           ": a zero vector, but cosine needs a direction");
  }
}

void check_rows(const char* what, const AnyMatrixView& rows, Metric metric,
                const Control& control) {
  parallel_for(control, rows.rows(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> x(rows.dim());
    for (std::size_t i = begin; i < end; ++i) {
      rows.copy_row(i, x.data());
      check_row(what, i, x.data(), x.size(), metric);
    }
  });
}

void check_input(const AnyMatrixView& base, const AnyMatrixView& queries,
                 const ExactOptions& options) {
  if (options.k == 0) refuse("k = 0: expected at least 1");
  if (base.rows() == 0) refuse("the base is empty: expected at least one row");
  if (base.rows() > kMaxVectors) {
    refuse("the base has " + std::to_string(base.rows()) + " rows, at most " +
           std::to_string(kMaxVectors) + " are possible");
  }
  if (base.dim() == 0) refuse("the base has 0 dimensions: expected at least 1");
  if (queries.rows() != 0 && queries.dim() != base.dim()) {
    refuse("the queries have " + std::to_string(queries.dim()) + " dimensions, but the base has " +
           std::to_string(base.dim()));
  }
  check_rows("base", base, options.metric, options.control);
  check_rows("query", queries, options.metric, options.control);
}

float distance(Metric metric, const float* q, const float* x, std::size_t dim) {
  double sum = 0, qq = 0, xx = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    const double a = q[j], b = x[j];
    if (metric == Metric::l2) {
      sum += (a - b) * (a - b);
    } else {
      sum += a * b, qq += a * a, xx += b * b;
    }
  }
  switch (metric) {
    case Metric::l2:
      return static_cast<float>(sum);
    case Metric::ip:
      return -static_cast<float>(sum);
    case Metric::cosine:
      return 1.0f - static_cast<float>(sum / std::sqrt(qq * xx));
  }
  return 0;
}

}  // namespace

Neighbours exact_search(const AnyMatrixView& base, const AnyMatrixView& queries,
                        const ExactOptions& options) {
  check_input(base, queries, options);
  const std::size_t dim = base.dim(), count = queries.rows();
  Neighbours result(count, options.k);
  Progress progress(options.control, "exact", count);
  constexpr std::size_t kQueries = 16;
  parallel_for(options.control, count, kQueries,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 Matrix<float> q(end - begin, dim);
                 std::vector<TopK> tops(end - begin, TopK(options.k));
                 for (std::size_t i = begin; i < end; ++i) queries.copy_row(i, q.row(i - begin));
                 std::vector<float> x(dim);
                 for (std::size_t row = 0; row < base.rows(); ++row) {
                   if (row % 1024 == 0) throw_if_cancelled(options.control);
                   base.copy_row(row, x.data());
                   for (std::size_t i = begin; i < end; ++i) {
                     tops[i - begin].push(distance(options.metric, q.row(i - begin), x.data(), dim),
                                          static_cast<Id>(row));
                   }
                 }
                 for (std::size_t i = begin; i < end; ++i) {
                   const std::vector<Hit> hits = tops[i - begin].take_sorted();
                   for (std::size_t j = 0; j < options.k; ++j) {
                     const bool there = j < hits.size();
                     result.ids(i, j) = there ? hits[j].id : kNoId;
                     result.distances(i, j) =
                         there ? hits[j].distance : std::numeric_limits<float>::infinity();
                   }
                 }
                 progress.add(end - begin);
               });
  return result;
}

}  // namespace kith
