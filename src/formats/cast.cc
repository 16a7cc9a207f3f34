#include "formats/cast.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "formats/numbers.h"
#include "formats/rows.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

// False where the value doesn't fit.
template <class To>
bool cast_value(float value, To& out) {
  if constexpr (std::is_integral_v<To>) {
    const float rounded = std::nearbyint(value);
    const bool fits = rounded >= std::numeric_limits<To>::min() &&
                      rounded <= std::numeric_limits<To>::max();  // false for NaN
    if (fits) out = static_cast<To>(rounded);
    return fits;
  } else {
    out = static_cast<To>(value);
    return std::isfinite(static_cast<float>(out)) || !std::isfinite(value);
  }
}

[[noreturn]] void refuse(const std::string& name, std::size_t row, std::size_t col, float value,
                         ElementType type) {
  char text[kFloatText];
  throw Error(ErrorCode::invalid_argument, name + ": row " + std::to_string(row) + ", column " +
                                               std::to_string(col) + ": " +
                                               std::string(text, print_float(value, text)) +
                                               " doesn't fit " + std::string(kith::name(type)));
}

template <class To, class From>
Vectors cast_to(MatrixView<const From> rows, const std::string& name, const Control& control) {
  Matrix<To> out(rows.rows(), rows.cols());
  const auto cast_row = [&](std::size_t i, std::size_t& j) {
    for (j = 0; j < rows.cols(); ++j) {
      if (!cast_value(static_cast<float>(rows(i, j)), out(i, j))) return false;
    }
    return true;
  };
  const std::size_t bad = first_bad_row(control, rows.rows(), [&](std::size_t i) {
    std::size_t col = 0;
    return !cast_row(i, col);
  });
  if (bad != rows.rows()) {
    std::size_t col = 0;
    cast_row(bad, col);
    refuse(name, bad, col, static_cast<float>(rows(bad, col)), kElementType<To>);
  }
  return owned_rows("", std::move(out));
}

template <class From>
Vectors cast_from(MatrixView<const From> rows, ElementType type, const std::string& name,
                  const Control& control) {
  switch (type) {
    case ElementType::f32:
      return cast_to<float>(rows, name, control);
    case ElementType::f16:
      return cast_to<Half>(rows, name, control);
    case ElementType::bf16:
      return cast_to<BFloat16>(rows, name, control);
    case ElementType::i8:
      return cast_to<std::int8_t>(rows, name, control);
    case ElementType::u8:
      return cast_to<std::uint8_t>(rows, name, control);
  }
  throw Error(ErrorCode::invalid_argument, name + ": unknown element type");
}

}  // namespace

Vectors cast_rows(const Vectors& vectors, ElementType type, const std::string& name,
                  const Control& control) {
  if (vectors.rows.type() == type) return vectors;
  Vectors result =
      std::visit([&](const auto& rows) { return cast_from(rows, type, name, control); },
                 vectors.rows.variant());
  result.labels = vectors.labels;
  result.format = vectors.format;
  return result;
}

}  // namespace kith::formats
