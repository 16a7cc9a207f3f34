// fbin, u8bin, i8bin and ibin (big-ann-benchmarks): uint32 rows, uint32 dimension, then the rows.
// ibin holds neighbour lists; a truth file holds all ids and then, as float32, all distances.
#include <cstring>

#include "formats/rows.h"

namespace kith::formats {
namespace {

constexpr std::size_t kHeader = 2 * sizeof(std::uint32_t);

struct BinShape {
  std::size_t rows, dim;
  std::size_t bytes(std::size_t item) const { return kHeader + rows * dim * item; }
};

BinShape read_header(const Input& in) {
  const auto rows = read_at<std::uint32_t>(in, 0, "the number of rows");
  const auto dim = read_at<std::uint32_t>(in, 4, "the dimension");
  check_shape(in, 0, rows, dim);
  return {rows, dim};
}

[[noreturn]] void wrong_size(const Input& in, const BinShape& shape, const std::string& expected) {
  corrupt_at(in, 0,
             "the header says " + std::to_string(shape.rows) + " rows of " +
                 std::to_string(shape.dim) + ", which takes " + expected +
                 " bytes, but the file has " + std::to_string(in.bytes.size()));
}

bool plausible_header(const Input& in, BinShape& shape) {
  if (in.bytes.size() < kHeader) return false;
  shape = {load<std::uint32_t>(in.bytes.data()), load<std::uint32_t>(in.bytes.data() + 4)};
  return shape.rows > 0 && shape.rows <= kMaxVectors && shape.dim > 0 && shape.dim <= kMaxDim;
}

template <class T>
Evidence inspect_bin(const Input& in) {
  BinShape shape{};
  const bool fits = plausible_header(in, shape) && shape.bytes(sizeof(T)) == in.bytes.size();
  return fits ? Evidence::fits : Evidence::none;
}

Evidence inspect_ibin(const Input& in) {
  BinShape shape{};
  const bool fits = plausible_header(in, shape) &&
                    (shape.bytes(4) == in.bytes.size() || shape.bytes(8) == in.bytes.size());
  return fits ? Evidence::fits : Evidence::none;
}

template <class T>
constexpr const char* bin_name() {
  if (std::is_same_v<T, std::uint8_t>) return "u8bin";
  return std::is_same_v<T, std::int8_t> ? "i8bin" : "fbin";
}

template <class T>
Vectors read_bin(const Input& in) {
  const BinShape shape = read_header(in);
  if (shape.bytes(sizeof(T)) != in.bytes.size()) {
    wrong_size(in, shape, std::to_string(shape.bytes(sizeof(T))));
  }
  return rows_in_place<T>(in, bin_name<T>(), kHeader, shape.rows, shape.dim, shape.dim * sizeof(T));
}

void write_header(AtomicFile& file, std::size_t rows, std::size_t dim) {
  const std::uint32_t header[2] = {static_cast<std::uint32_t>(rows),
                                   static_cast<std::uint32_t>(dim)};
  file.write(header, sizeof header);
}

void write_bin(AtomicFile& file, const VectorsOutput& out) {
  write_header(file, out.rows.rows(), out.rows.dim());
  const std::size_t bytes = out.rows.dim() * size_of(out.rows.type());
  for (std::size_t i = 0; i < out.rows.rows(); ++i) {
    throw_if_cancelled(out.control);
    file.write(out.rows.row(i), bytes);
  }
}

Neighbours read_ibin(const Input& in) {
  const BinShape shape = read_header(in);
  const std::size_t ids_end = shape.bytes(sizeof(Id));
  const std::size_t with_distances = shape.bytes(sizeof(Id) + sizeof(float));
  if (in.bytes.size() != ids_end && in.bytes.size() != with_distances) {
    wrong_size(in, shape,
               std::to_string(ids_end) + " (ids) or " + std::to_string(with_distances) +
                   " (ids and distances)");
  }
  Neighbours result;
  result.ids = read_ids<std::int32_t>(in, kHeader, shape.rows, shape.dim, shape.dim * sizeof(Id));
  if (in.bytes.size() == with_distances) {
    result.distances = Matrix<float>(shape.rows, shape.dim);
    for (std::size_t i = 0; i < shape.rows; ++i) {
      std::memcpy(result.distances.row(i),
                  in.bytes.data() + ids_end + i * shape.dim * sizeof(float),
                  shape.dim * sizeof(float));
    }
  }
  return result;
}

void write_ibin(AtomicFile& file, const Neighbours& found) {
  write_header(file, found.queries(), found.k());
  for (std::size_t i = 0; i < found.queries(); ++i) {
    file.write(found.ids.row(i), found.k() * sizeof(Id));
  }
  for (std::size_t i = 0; i < found.distances.rows(); ++i) {
    file.write(found.distances.row(i), found.k() * sizeof(float));
  }
}

}  // namespace

constexpr Format kFbin{.name = "fbin",
                       .extensions = {".fbin"},
                       .inspect = inspect_bin<float>,
                       .read_vectors = read_bin<float>,
                       .write_vectors = write_bin,
                       .elements = bit(ElementType::f32)};

constexpr Format kU8bin{.name = "u8bin",
                        .extensions = {".u8bin"},
                        .inspect = inspect_bin<std::uint8_t>,
                        .read_vectors = read_bin<std::uint8_t>,
                        .write_vectors = write_bin,
                        .elements = bit(ElementType::u8)};

constexpr Format kI8bin{.name = "i8bin",
                        .extensions = {".i8bin"},
                        .inspect = inspect_bin<std::int8_t>,
                        .read_vectors = read_bin<std::int8_t>,
                        .write_vectors = write_bin,
                        .elements = bit(ElementType::i8)};

constexpr Format kIbin{.name = "ibin",
                       .extensions = {".ibin"},
                       .inspect = inspect_ibin,
                       .read_neighbours = read_ibin,
                       .write_neighbours = write_ibin};

}  // namespace kith::formats
