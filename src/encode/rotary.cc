#include "encode/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kith::encode {
namespace {

using std::numbers::pi;

std::vector<double> plain_frequencies(double theta, std::size_t dims) {
  std::vector<double> frequencies(dims / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(dims));
  }
  return frequencies;
}

// A larger base for longer sequences ("NTK-aware" scaling, as Peng et al., 2023, describe it).
double dynamic_theta(const Rotary& rotary, std::size_t length) {
  const auto dims = static_cast<double>(rotary.dims);
  const double longer = static_cast<double>(length) / static_cast<double>(rotary.trained);
  return rotary.theta * std::pow(rotary.factor * longer - (rotary.factor - 1), dims / (dims - 2));
}

// The dimension that turns `rotations` times over the trained positions.
double dimension_of(const Rotary& rotary, double rotations) {
  return static_cast<double>(rotary.dims) *
         std::log(static_cast<double>(rotary.trained) / (rotations * 2 * pi)) /
         (2 * std::log(rotary.theta));
}

// YaRN (Peng et al., 2023): quick dimensions stay, slow ones are interpolated, a ramp between.
void scale_by_parts(const Rotary& rotary, std::vector<double>& frequencies) {
  double low = dimension_of(rotary, rotary.fast), high = dimension_of(rotary, rotary.slow);
  if (rotary.whole) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(rotary.dims) - 1);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double slow = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= slow / rotary.factor + (1 - slow);
  }
}

// Llama 3's variant: the ramp runs over rotations.
void scale_by_wavelength(const Rotary& rotary, std::vector<double>& frequencies) {
  for (double& frequency : frequencies) {
    const double rotations = static_cast<double>(rotary.trained) * frequency / (2 * pi);
    const double quick =
        std::clamp((rotations - rotary.low) / (rotary.high - rotary.low), 0.0, 1.0);
    frequency *= quick + (1 - quick) / rotary.factor;
  }
}

std::vector<double> frequencies_of(const Rotary& rotary, std::size_t length) {
  if (depends_on_length(rotary, length)) {
    return plain_frequencies(dynamic_theta(rotary, length), rotary.dims);
  }
  std::vector<double> frequencies = plain_frequencies(rotary.theta, rotary.dims);
  if (rotary.scaling == RotaryScaling::linear) {
    for (double& frequency : frequencies) frequency /= rotary.factor;
  }
  if (rotary.scaling == RotaryScaling::yarn) scale_by_parts(rotary, frequencies);
  if (rotary.scaling == RotaryScaling::llama3) scale_by_wavelength(rotary, frequencies);
  return frequencies;
}

}  // namespace

bool depends_on_length(const Rotary& rotary, std::size_t length) {
  return rotary.scaling == RotaryScaling::dynamic && length > rotary.trained;
}

RotaryTable rotary_table(const Rotary& rotary, std::size_t length) {
  const std::vector<double> frequencies = frequencies_of(rotary, length);
  RotaryTable table{Matrix<float>(length, frequencies.size()),
                    Matrix<float>(length, frequencies.size())};
  for (std::size_t p = 0; p < length; ++p) {
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      const double angle = static_cast<double>(p) * frequencies[i];
      table.cosines(p, i) = static_cast<float>(rotary.attention_factor * std::cos(angle));
      table.sines(p, i) = static_cast<float>(rotary.attention_factor * std::sin(angle));
    }
  }
  return table;
}

}  // namespace kith::encode
