// fvecs, bvecs and ivecs (TEXMEX): every row is an int32 dimension followed by its components
// (float32, uint8, int32). ivecs holds neighbour lists.
#include <cstring>

#include "formats/rows.h"

namespace kith::formats {
namespace {

constexpr std::size_t kCount = sizeof(std::int32_t);

struct VecsShape {
  std::size_t rows, dim, stride;
};

template <class T>
VecsShape check_vecs(const Input& in) {
  const auto dim = read_at<std::int32_t>(in, 0, "the first row's dimension");
  check_shape(in, 0, 1, dim < 0 ? 0 : static_cast<std::uint64_t>(dim));
  const std::size_t stride = kCount + static_cast<std::size_t>(dim) * sizeof(T);
  const std::size_t rows = in.bytes.size() / stride;
  const auto dim_of = [&](std::size_t row) {
    return load<std::int32_t>(in.bytes.data() + row * stride);
  };
  const std::size_t ragged =
      first_bad_row(in.control, rows, [&](std::size_t row) { return dim_of(row) != dim; });
  if (ragged != rows) {
    corrupt_at(in, ragged * stride,
               "row " + std::to_string(ragged) + " has dimension " +
                   std::to_string(dim_of(ragged)) + ", but row 0 has " + std::to_string(dim));
  }
  const std::size_t rest = in.bytes.size() - rows * stride;
  if (rest != 0) {
    corrupt_at(in, in.bytes.size(),
               "row " + std::to_string(rows) + " is cut off: " + std::to_string(rest) +
                   " bytes, expected " + std::to_string(stride));
  }
  check_shape(in, 0, rows, static_cast<std::uint64_t>(dim));
  return {rows, static_cast<std::size_t>(dim), stride};
}

// The first and last row agree and the size is a multiple of a row's.
template <class T>
Evidence inspect_vecs(const Input& in) {
  if (in.bytes.size() < kCount) return Evidence::none;
  const auto dim = load<std::int32_t>(in.bytes.data());
  if (dim < 1 || static_cast<std::size_t>(dim) > kMaxDim) return Evidence::none;
  const std::size_t stride = kCount + static_cast<std::size_t>(dim) * sizeof(T);
  if (in.bytes.size() < stride || in.bytes.size() % stride != 0) return Evidence::none;
  const auto last = load<std::int32_t>(in.bytes.data() + in.bytes.size() - stride);
  return last == dim ? Evidence::fits : Evidence::none;
}

template <class T>
Vectors read_vecs(const Input& in) {
  const VecsShape shape = check_vecs<T>(in);
  return rows_in_place<T>(in, sizeof(T) == 1 ? "bvecs" : "fvecs", kCount, shape.rows, shape.dim,
                          shape.stride);
}

void write_row(AtomicFile& file, const void* row, std::size_t dim, std::size_t bytes) {
  const auto count = static_cast<std::int32_t>(dim);
  file.write(&count, sizeof count);
  file.write(row, bytes);
}

void write_vecs(AtomicFile& file, const VectorsOutput& out) {
  const std::size_t dim = out.rows.dim();
  for (std::size_t i = 0; i < out.rows.rows(); ++i) {
    throw_if_cancelled(out.control);
    write_row(file, out.rows.row(i), dim, dim * size_of(out.rows.type()));
  }
}

Neighbours read_ivecs(const Input& in) {
  const VecsShape shape = check_vecs<std::int32_t>(in);
  Neighbours result;
  result.ids = read_ids<std::int32_t>(in, kCount, shape.rows, shape.dim, shape.stride);
  return result;
}

void write_ivecs(AtomicFile& file, const Neighbours& found) {
  for (std::size_t i = 0; i < found.queries(); ++i) {
    write_row(file, found.ids.row(i), found.k(), found.k() * sizeof(Id));
  }
}

}  // namespace

constexpr Format kFvecs{.name = "fvecs",
                        .extensions = {".fvecs"},
                        .inspect = inspect_vecs<float>,
                        .read_vectors = read_vecs<float>,
                        .write_vectors = write_vecs,
                        .elements = bit(ElementType::f32)};

constexpr Format kBvecs{.name = "bvecs",
                        .extensions = {".bvecs"},
                        .inspect = inspect_vecs<std::uint8_t>,
                        .read_vectors = read_vecs<std::uint8_t>,
                        .write_vectors = write_vecs,
                        .elements = bit(ElementType::u8)};

constexpr Format kIvecs{.name = "ivecs",
                        .extensions = {".ivecs"},
                        .inspect = inspect_vecs<std::int32_t>,
                        .read_neighbours = read_ivecs,
                        .write_neighbours = write_ivecs};

}  // namespace kith::formats
