// A set of points that rows are assigned to: the nearest one, or the few nearest, under squared
// Euclidean distance, by blocked matrix products. k-means and inverted files share it.
//
// Distances are computed in float as |x|^2 - 2 <x, c> + |c|^2, so assignment between centres that
// are equally near up to rounding is arbitrary, but the same for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/lvq.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

class Centres {
 public:
  Centres() = default;
  explicit Centres(Matrix<float> centres);

  enum class By : std::uint8_t { distance, product };

  // Keeps a copy in bytes beside the centres: single rows then find their few nearest, by one of
  // the two, with a quarter of the memory read. The scores given are as exact as without.
  void keep_rough_copy(By by);
  const Lvq<8>& rough() const { return *rough_; }  // only when there is a copy
  By by() const { return by_; }                    // what it tells

  std::size_t size() const { return centres_.rows(); }
  std::size_t dim() const { return centres_.cols(); }
  const Matrix<float>& matrix() const { return centres_; }
  float norm(std::size_t centre) const { return norms_[centre]; }  // squared

  // The nearest centre of each row and, unless `distances` is empty, the squared distance to it.
  void nearest(MatrixView<const float> rows, const Control& control, std::span<std::uint32_t> ids,
               std::span<float> distances = {}) const;

  // The `count` (at most size()) nearest centres of each row, nearest first, equal ones by id: row
  // i's at [i * count, (i + 1) * count). `scores` are |x - c|^2 - |x|^2, or -2 <x, c> by product.
  void nearest_few(MatrixView<const float> rows, std::size_t count, By by, const Control& control,
                   std::span<std::uint32_t> ids, std::span<float> scores) const;
  // The same of one row, among `some` centres (at least `count`), by what the rough copy tells.
  void nearest_of(std::span<const Id> some, const float* row, std::size_t count, std::uint32_t* ids,
                  float* scores) const;

 private:
  // The `count` of all that seem nearest by the rough copy, and some more.
  std::span<const Id> seem_nearest(const float* row, std::size_t count) const;
  void few_of_one(const float* row, std::size_t count, By by, std::uint32_t* ids,
                  float* scores) const;

  Matrix<float> centres_;
  Matrix<float> panels_;  // -2 c, packed: a row is a panel
  std::optional<Lvq<8>> rough_;
  By by_ = By::distance;
  std::vector<float> norms_, none_;  // |c|^2 and 0; infinite where a panel has no centre
};

}  // namespace kith
