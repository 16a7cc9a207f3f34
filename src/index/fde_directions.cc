#include "index/fde_directions.h"

#include <cmath>

#include "base/random.h"

namespace kith {
namespace {

// Streams of the seed, two a repetition; 0 is left.
std::uint64_t planes_stream(std::size_t repetition) { return 2 * repetition + 1; }
std::uint64_t projection_stream(std::size_t repetition) { return 2 * repetition + 2; }

void fill_signs(Matrix<float>& rows, std::size_t first, std::size_t count, std::uint64_t seed,
                std::uint64_t stream) {
  Random random(seed, stream);
  const float size = 1 / std::sqrt(static_cast<float>(count));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      rows(first + i, j) = random.below(2) == 0 ? size : -size;
    }
  }
}

}  // namespace

Matrix<float> fde_directions(std::size_t dim, const FdeOptions& options) {
  const std::size_t width = options.planes + options.inner_dim;
  Matrix<float> rows(options.repetitions * width, dim);
  for (std::size_t r = 0; r < options.repetitions; ++r) {
    Random random(options.seed, planes_stream(r));
    for (std::size_t i = 0; i < options.planes; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        rows(r * width + i, j) = static_cast<float>(random.normal());
      }
    }
    const std::size_t first = r * width + options.planes;
    if (options.projection == "dense") {
      fill_signs(rows, first, options.inner_dim, options.seed, projection_stream(r));
      continue;
    }
    if (options.inner_dim == 0) continue;
    const auto sketch = count_sketch(dim, options.inner_dim, options.seed, projection_stream(r));
    for (std::size_t j = 0; j < dim; ++j) rows(first + sketch[j].target, j) = sketch[j].sign;
  }
  return rows;
}

std::vector<SketchEntry> count_sketch(std::size_t inputs, std::size_t outputs, std::uint64_t seed,
                                      std::uint64_t stream) {
  Random random(seed, stream);
  std::vector<SketchEntry> entries(inputs);
  for (SketchEntry& entry : entries) {
    entry.target = static_cast<std::uint32_t>(random.below(outputs));
    entry.sign = random.below(2) == 0 ? 1.0f : -1.0f;
  }
  return entries;
}

}  // namespace kith
