#include "encode/distance_bias.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kith::encode {
namespace {

// Slopes for a power of two of heads fall geometrically to 1/256; others take every second one of
// the next power's, as ALiBi's authors publish it.
float slope(std::size_t head, std::size_t heads) {
  const std::size_t power = std::bit_floor(heads);
  const double step = 8.0 / static_cast<double>(power);
  const double exponent = head < power ? step * static_cast<double>(head + 1)
                                       : step / 2 * static_cast<double>(2 * (head - power) + 1);
  return static_cast<float>(std::exp2(-exponent));
}

// Half of the buckets are for tokens ahead; of each half, half stand for one distance each, the
// others for ranges that grow geometrically up to 128. In float32, as models were trained.
std::size_t bucket_of(long distance, std::size_t buckets) {
  constexpr float kFarthest = 128;
  const std::size_t half = buckets / 2, exact = half / 2;
  const std::size_t base = distance > 0 ? half : 0;
  const auto steps = static_cast<std::size_t>(std::abs(distance));
  if (steps < exact) return base + steps;
  const auto first = static_cast<float>(exact);
  const float octave = std::log(static_cast<float>(steps) / first) / std::log(kFarthest / first);
  const auto beyond = static_cast<std::size_t>(octave * static_cast<float>(half - exact));
  return base + std::min(exact + beyond, half - 1);
}

}  // namespace

Matrix<float> distance_bias(const Config& config, MatrixView<const float> bucket_bias,
                            std::size_t length) {
  if (config.distance_bias == DistanceBias::none || length == 0) return {};
  Matrix<float> bias(config.heads, 2 * length - 1);
  for (std::size_t column = 0; column < 2 * length - 1; ++column) {
    const long distance = static_cast<long>(length - 1) - static_cast<long>(column);
    const bool alibi = config.distance_bias == DistanceBias::alibi;
    const std::size_t bucket = alibi ? 0 : bucket_of(distance, config.buckets);
    for (std::size_t head = 0; head < config.heads; ++head) {
      bias(head, column) = alibi
                               ? -slope(head, config.heads) * static_cast<float>(std::abs(distance))
                               : bucket_bias(bucket, head);
    }
  }
  return bias;
}

}  // namespace kith::encode
