#include "formats/finite.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "formats/rows.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

// True for NaN and infinities: all exponent bits set.
bool row_not_finite(const float* row, std::size_t dim) {
  std::uint32_t largest = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(row[j]) & 0x7fffffffu);
  }
  return largest >= 0x7f800000u;
}

template <class T>
bool row16_not_finite(const T* row, std::size_t dim, std::uint16_t infinity) {
  std::uint16_t largest = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    largest = std::max(largest, static_cast<std::uint16_t>(row[j].bits & 0x7fffu));
  }
  return largest >= infinity;
}

bool row_not_finite(const Half* row, std::size_t dim) { return row16_not_finite(row, dim, 0x7c00); }
bool row_not_finite(const BFloat16* row, std::size_t dim) {
  return row16_not_finite(row, dim, 0x7f80);
}
bool row_not_finite(const std::int8_t*, std::size_t) { return false; }
bool row_not_finite(const std::uint8_t*, std::size_t) { return false; }

template <class T>
void check_rows(const std::string& name, MatrixView<const T> rows, const Control& control) {
  if constexpr (sizeof(T) == 1) return;
  const std::size_t bad = first_bad_row(control, rows.rows(), [&](std::size_t i) {
    return row_not_finite(rows.row(i), rows.cols());
  });
  if (bad == rows.rows()) return;
  for (std::size_t j = 0; j < rows.cols(); ++j) {
    const float value = static_cast<float>(rows(bad, j));
    if (std::isfinite(value)) continue;
    const char* text = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    throw Error(ErrorCode::corrupt, name + ": row " + std::to_string(bad) + ", column " +
                                        std::to_string(j) + ": " + text +
                                        "; expected finite numbers");
  }
}

}  // namespace

void check_finite(const std::string& name, const AnyMatrixView& rows, const Control& control) {
  std::visit([&](const auto& view) { check_rows(name, view, control); }, rows.variant());
}

}  // namespace kith::formats
