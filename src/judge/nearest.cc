#include "judge/nearest.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/copy_rows.h"
#include "base/nonzero_rows.h"
#include "kith/exact.h"
#include "kith/types.h"

namespace kith::judge {

Neighbours nearest_by_cosine(const Matrix<float>& base, const Matrix<float>& queries, std::size_t k,
                             const Control& control) {
  ExactOptions options;
  options.k = k;
  options.metric = Metric::cosine;
  options.control = control;
  const std::vector<Id> rows = nonzero_rows(base), asked = nonzero_rows(queries);
  if (rows.size() == base.rows() && asked.size() == queries.rows()) {
    return exact_search(base, queries, options);
  }
  Neighbours result(queries.rows(), k);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    std::fill_n(result.ids.row(q), k, kNoId);
    std::fill_n(result.distances.row(q), k, std::numeric_limits<float>::infinity());
  }
  if (rows.empty() || asked.empty()) return result;
  const Neighbours found = exact_search(copy_rows(base, rows), copy_rows(queries, asked), options);
  for (std::size_t q = 0; q < asked.size(); ++q) {
    for (std::size_t i = 0; i < k && i < found.k() && found.ids(q, i) != kNoId; ++i) {
      result.ids(asked[q], i) = rows[found.ids(q, i)];
      result.distances(asked[q], i) = found.distances(q, i);
    }
  }
  return result;
}

}  // namespace kith::judge
