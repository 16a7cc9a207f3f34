// What the fuzz targets share: any bytes given to a format's readers must end in a result, all of
// which can be read, or in a kith::Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/format.h"
#include "kith/error.h"

namespace kith::formats {

inline Input fuzz_input(const std::uint8_t* data, std::size_t size) {
  Input in;
  in.name = "fuzz";
  in.bytes = {reinterpret_cast<const std::byte*>(data), size};
  in.control.threads = 1;
  return in;
}

// Touches every component and label, so that a view beyond the bytes is noticed.
inline void read_whole(const Vectors& vectors) {
  std::vector<float> row(vectors.rows.dim());
  volatile float sum = 0;
  for (std::size_t i = 0; i < vectors.rows.rows(); ++i) {
    vectors.rows.copy_row(i, row.data());
    for (const float value : row) sum = sum + value;
  }
  volatile std::size_t characters = 0;
  for (std::size_t i = 0; i < vectors.labels.size(); ++i) {
    for (const char c : vectors.labels.text(i)) characters = characters + (c != 0);
  }
}

inline void fuzz_format(const Format& format, const std::uint8_t* data, std::size_t size) {
  const Input in = fuzz_input(data, size);
  format.inspect(in);
  try {
    if (format.read_vectors != nullptr) read_whole(format.read_vectors(in));
  } catch (const Error&) {
  }
  try {
    if (format.read_neighbours != nullptr) format.read_neighbours(in);
  } catch (const Error&) {
  }
}

}  // namespace kith::formats
