// LeanVec (Tepper et al., "LeanVec: searching vectors faster by making them fit", 2024): vectors
// are reduced by a linear map learned from them, or from them and queries, so that a walk reads
// fewer dimensions; the full vectors re-rank. With rows X, training queries Q, both as matrices
// whose rows are vectors, and D x d matrices A and B, products are kept as well as can be:
//
//   minimise |Q A B' X' - Q X'|^2,   so that   <q, x>  is about  <A' q, B' x>.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formats/kith_file.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

enum class LeanVecMethod : std::uint8_t {
  id,     // in distribution: A = B, the directions of largest second moment of the rows
  es,     // eigenvector search: A = B, those of a mixture of the rows' and the queries' moments
  fw,     // Frank-Wolfe from id: A and B differ; not for l2, whose distances need one map
  es_fw,  // Frank-Wolfe from es
};

// "id", "es", "fw" or "es+fw"; throws invalid_argument naming them.
LeanVecMethod parse_leanvec(std::string_view name);

class LeanVec {
 public:
  LeanVec() = default;
  // Throws invalid_argument unless 1 <= reduced <= dim.
  LeanVec(std::size_t dim, std::size_t reduced, Metric metric);

  // `rows` and `queries` as they will be reduced: of length 1 under cosine. Without queries only
  // `id` can be learned. Under l2 the rows' mean is removed from both. Throws invalid_argument for
  // fewer queries than reduced dimensions, rows or queries that lie in fewer dimensions than that,
  // and fw under l2. A few eigenvalue problems of dim x dim (0.1 s at 256, 2 s at 768), es about
  // ten.
  void train(MatrixView<const float> rows, MatrixView<const float> queries, LeanVecMethod method,
             const Control& control);

  // Of D floats to the first d. Thread-safe.
  void reduce(float* row) const { apply(rows_, row_offset_, row); }
  void reduce_query(float* query) const { apply(queries_, query_offset_, query); }

  std::size_t dim() const { return dim_; }
  std::size_t reduced() const { return reduced_; }
  // What was minimised, as a share of |Q X'|^2; of the rows by themselves without queries.
  double loss() const { return loss_; }
  const Matrix<float>& rows() const { return rows_; }        // transpose of B: d x D
  const Matrix<float>& queries() const { return queries_; }  // of A

  std::size_t bytes() const;
  void save(KithFileWriter& writer, const std::string& prefix) const;
  void load(const KithFileReader& reader, const std::string& prefix);

 private:
  void apply(const Matrix<float>& map, const std::vector<float>& offset, float* x) const;
  void set_offsets();

  std::size_t dim_ = 0, reduced_ = 0;
  Metric metric_ = Metric::l2;
  std::vector<float> mean_;  // zeros but under l2
  Matrix<float> rows_, queries_;
  std::vector<float> row_offset_, query_offset_;  // the maps of the mean
  double loss_ = 0;
};

}  // namespace kith
