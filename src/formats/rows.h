// From checked bytes to the rows that readers return: in place where they are aligned for their
// type, else copied. And row-wise work in parallel with errors that don't depend on threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "formats/bytes.h"
#include "formats/format.h"

namespace kith::formats {

// Vectors that own their matrix.
template <class T>
Vectors owned_rows(std::string format, Matrix<T> matrix) {
  auto owner = std::make_shared<Matrix<T>>(std::move(matrix));
  return {AnyMatrixView(owner->view()), Labels(), std::move(format), owner};
}

// Rows `stride` bytes apart from byte `offset` on, which the caller has checked to lie inside.
template <class T>
Vectors rows_in_place(const Input& in, std::string format, std::size_t offset, std::size_t rows,
                      std::size_t dim, std::size_t stride) {
  const std::byte* start = in.bytes.data() + offset;
  if (reinterpret_cast<std::uintptr_t>(start) % alignof(T) == 0 && stride % alignof(T) == 0) {
    MatrixView<const T> view(reinterpret_cast<const T*>(start), rows, dim, stride);
    return {AnyMatrixView(view), Labels(), std::move(format), in.owner};
  }
  Matrix<T> copy(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    std::memcpy(static_cast<void*>(copy.row(i)), start + i * stride, dim * sizeof(T));
  }
  return owned_rows(std::move(format), std::move(copy));
}

// The first row below `rows` for which `bad(row)` holds, or `rows`; the same for any number of
// threads.
template <class Predicate>
std::size_t first_bad_row(const Control& control, std::size_t rows, const Predicate& bad) {
  constexpr std::size_t kGrain = 1024;
  std::atomic<std::size_t> first{rows};
  parallel_for(control, rows, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end && i < first.load(std::memory_order_relaxed); ++i) {
      if (!bad(i)) continue;
      std::size_t seen = first.load();
      while (i < seen && !first.compare_exchange_weak(seen, i)) {
      }
      return;
    }
  });
  return first.load();
}

// The double at (i, j) as a float; throws corrupt when it is finite but too large.
inline float narrow_double(const Input& in, double x, std::size_t i, std::size_t j) {
  const float value = static_cast<float>(x);
  if (std::isinf(value) && !std::isinf(x)) {
    throw Error(ErrorCode::corrupt, in.name + ": row " + std::to_string(i) + ", column " +
                                        std::to_string(j) + ": " + std::to_string(x) +
                                        " is too large for float32");
  }
  return value;
}

// A neighbour's id as files store it: -1 (or all bits set) pads short rows.
inline bool valid_id(std::int64_t value) {
  return value == -1 || (value >= 0 && value < static_cast<std::int64_t>(kMaxVectors));
}

// Ids of type T, `stride` bytes from row to row from byte `offset` on; checks each.
template <class T>
Matrix<Id> read_ids(const Input& in, std::size_t offset, std::size_t rows, std::size_t k,
                    std::size_t row_stride, std::size_t id_stride = sizeof(T)) {
  Matrix<Id> ids(rows, k);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      const std::size_t byte = offset + i * row_stride + j * id_stride;
      const T raw = load<T>(in.bytes.data() + byte);
      const bool pad = sizeof(T) == 4 ? static_cast<std::uint32_t>(raw) == kNoId
                                      : static_cast<std::uint64_t>(raw) == ~std::uint64_t{0};
      const std::int64_t id = pad ? -1 : static_cast<std::int64_t>(raw);
      if (!valid_id(id)) {
        corrupt_at(in, byte,
                   "row " + std::to_string(i) + ", place " + std::to_string(j) + ": " +
                       std::to_string(raw) + " is no row number (0 to " +
                       std::to_string(kMaxVectors - 1) + ", or -1 for none)");
      }
      ids(i, j) = static_cast<Id>(id);
    }
  }
  return ids;
}

}  // namespace kith::formats
