#include "cli/sample_rows.h"

#include <cstring>
#include <memory>
#include <utility>
#include <variant>

#include "base/random.h"

namespace kith::cli {

SampledRows sample_rows(std::size_t rows, std::size_t wanted, std::uint64_t seed) {
  SampledRows result;
  result.sample = random_sample(rows, wanted, seed);
  result.rest.reserve(rows - result.sample.size());
  auto sampled = result.sample.begin();
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (sampled != result.sample.end() && *sampled == row) {
      ++sampled;
    } else {
      result.rest.push_back(row);
    }
  }
  return result;
}

Vectors select_rows(const Vectors& from, std::span<const std::uint32_t> rows) {
  Vectors result;
  result.format = from.format;
  if (from.labels.kind() != Labels::Kind::none) result.labels = from.labels.select(rows);
  std::visit(
      [&]<class T>(const MatrixView<const T>& source) {
        auto copy = std::make_shared<Matrix<T>>(rows.size(), source.cols());
        for (std::size_t i = 0; i < rows.size(); ++i) {
          std::memcpy(copy->row(i), source.row(rows[i]), source.cols() * sizeof(T));
        }
        result.rows = std::as_const(*copy).view();
        result.owner = std::move(copy);
      },
      from.rows.variant());
  return result;
}

}  // namespace kith::cli
