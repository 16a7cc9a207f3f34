// Rows of vectors. `Matrix<T>` owns rows padded and aligned to 64 bytes; `MatrixView<T>` is what
// functions take: pointer, shape and a stride in bytes, with no promise of alignment beyond
// alignof(T), so that rows of a mapped file can be used in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

#include "kith/half.h"
#include "kith/types.h"

namespace kith {

template <class T>
class MatrixView {
 public:
  MatrixView() = default;
  // `stride_bytes` is the distance between the starts of two rows; 0 means rows touch.
  MatrixView(T* data, std::size_t rows, std::size_t cols, std::size_t stride_bytes = 0)
      : data_(data),
        rows_(rows),
        cols_(cols),
        stride_(stride_bytes != 0 ? stride_bytes : cols * sizeof(T)) {}
  // A view of mutable rows is also a view of constant ones.
  template <class U>
    requires(std::is_same_v<T, const U>)
  MatrixView(const MatrixView<U>& other)
      : data_(other.data()),
        rows_(other.rows()),
        cols_(other.cols()),
        stride_(other.stride_bytes()) {}

  T* data() const { return data_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t stride_bytes() const { return stride_; }
  bool empty() const { return rows_ == 0 || cols_ == 0; }

  T* row(std::size_t i) const {
    using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
    return reinterpret_cast<T*>(reinterpret_cast<Byte*>(data_) + i * stride_);
  }
  T& operator()(std::size_t i, std::size_t j) const { return row(i)[j]; }

  // Rows [first, first + count).
  MatrixView slice(std::size_t first, std::size_t count) const {
    return MatrixView(row(first), count, cols_, stride_);
  }

 private:
  T* data_ = nullptr;
  std::size_t rows_ = 0, cols_ = 0, stride_ = 0;
};

namespace detail {
// To be given to std::free; throws std::bad_alloc. Large blocks ask for huge pages, without which
// a scan waits for address translation.
void* allocate_rows(std::size_t alignment, std::size_t bytes);
}  // namespace detail

// Owns its rows, zero-initialised, each row padded to and aligned to 64 bytes (the padding is zero,
// so kernels may run over it). Move-only: copies of large matrices should be visible (`clone`).
template <class T>
class Matrix {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t kAlignment = 64;

  Matrix() = default;
  Matrix(std::size_t rows, std::size_t cols)
      : rows_(rows),
        cols_(cols),
        stride_((cols * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment) {
    const std::size_t bytes = rows_ * stride_;
    if (bytes == 0) return;
    data_ = static_cast<T*>(detail::allocate_rows(kAlignment, bytes));
    std::memset(static_cast<void*>(data_), 0, bytes);
  }
  Matrix(Matrix&& other) noexcept { swap(other); }
  Matrix& operator=(Matrix&& other) noexcept {
    swap(other);
    return *this;
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() { std::free(data_); }

  Matrix clone() const {
    Matrix copy(rows_, cols_);
    if (data_ != nullptr) std::memcpy(static_cast<void*>(copy.data_), data_, rows_ * stride_);
    return copy;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t stride_bytes() const { return stride_; }
  T* row(std::size_t i) { return view().row(i); }
  const T* row(std::size_t i) const { return view().row(i); }
  T& operator()(std::size_t i, std::size_t j) { return row(i)[j]; }
  const T& operator()(std::size_t i, std::size_t j) const { return row(i)[j]; }

  MatrixView<T> view() { return MatrixView<T>(data_, rows_, cols_, stride_); }
  MatrixView<const T> view() const { return MatrixView<const T>(data_, rows_, cols_, stride_); }
  operator MatrixView<T>() { return view(); }
  operator MatrixView<const T>() const { return view(); }

 private:
  void swap(Matrix& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(rows_, other.rows_);
    std::swap(cols_, other.cols_);
    std::swap(stride_, other.stride_);
  }

  T* data_ = nullptr;
  std::size_t rows_ = 0, cols_ = 0, stride_ = 0;
};

template <class T>
inline constexpr ElementType kElementType = ElementType::f32;
template <>
inline constexpr ElementType kElementType<Half> = ElementType::f16;
template <>
inline constexpr ElementType kElementType<BFloat16> = ElementType::bf16;
template <>
inline constexpr ElementType kElementType<std::int8_t> = ElementType::i8;
template <>
inline constexpr ElementType kElementType<std::uint8_t> = ElementType::u8;

// A view of vectors whose element type is known at run time only: what files hold and what the
// index and search functions take.
class AnyMatrixView {
 public:
  using Variant =
      std::variant<MatrixView<const float>, MatrixView<const Half>, MatrixView<const BFloat16>,
                   MatrixView<const std::int8_t>, MatrixView<const std::uint8_t>>;

  AnyMatrixView() = default;
  template <class T>
    requires(!std::is_const_v<T>)
  AnyMatrixView(MatrixView<T> view) : view_(MatrixView<const T>(view)) {}
  template <class T>
  AnyMatrixView(MatrixView<const T> view) : view_(view) {}
  template <class T>
  AnyMatrixView(const Matrix<T>& matrix) : view_(matrix.view()) {}

  const Variant& variant() const { return view_; }
  ElementType type() const { return static_cast<ElementType>(view_.index()); }
  std::size_t rows() const {
    return std::visit([](const auto& v) { return v.rows(); }, view_);
  }
  std::size_t dim() const {
    return std::visit([](const auto& v) { return v.cols(); }, view_);
  }
  const void* row(std::size_t i) const {
    return std::visit([i](const auto& v) -> const void* { return v.row(i); }, view_);
  }
  AnyMatrixView slice(std::size_t first, std::size_t count) const {
    return std::visit([&](const auto& v) { return AnyMatrixView(v.slice(first, count)); }, view_);
  }
  // Row i as floats into out[0, dim()).
  void copy_row(std::size_t i, float* out) const {
    std::visit(
        [&](const auto& v) {
          const auto* source = v.row(i);
          for (std::size_t j = 0; j < v.cols(); ++j) out[j] = static_cast<float>(source[j]);
        },
        view_);
  }

 private:
  Variant view_;
};

}  // namespace kith
