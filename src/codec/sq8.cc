#include "codec/sq8.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codec/step.h"

namespace kith {

Sq8::Sq8(std::size_t dim, Metric metric)
    : dim_(dim), metric_(metric), middle_(dim, 0.0f), step_(dim, 0.0f), records_(8, dim) {}

void Sq8::train(MatrixView<const float> sample) {
  std::vector<float> low(dim_, std::numeric_limits<float>::infinity());
  std::vector<float> high(dim_, -std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < sample.rows(); ++i) {
    const float* x = sample.row(i);
    for (std::size_t j = 0; j < dim_; ++j) {
      low[j] = std::min(low[j], x[j]);
      high[j] = std::max(high[j], x[j]);
    }
  }
  for (std::size_t j = 0; j < dim_; ++j) {
    middle_[j] = sample.rows() == 0 ? 0 : low[j] / 2 + high[j] / 2;
    step_[j] = sample.rows() == 0 ? 0 : high[j] / 255 - low[j] / 255;
  }
}

void Sq8::resize(std::size_t rows) {
  size_ = rows;
  records_.resize(rows);
}

void Sq8::encode(Id id, const float* x) {
  thread_local std::vector<std::uint8_t> codes;
  codes.resize(dim_);
  double norm = 0, overshoot = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const float inverse = inverse_of(step_[j]);
    const float level = std::nearbyint((x[j] - middle_[j]) * inverse + kMiddle);
    const float code = std::clamp(level, 0.0f, 255.0f);
    codes[j] = static_cast<std::uint8_t>(code);
    const double value = static_cast<double>(step_[j]) * (code - kMiddle);
    norm += value * value;
    const double beyond =
        std::max(0.0, std::abs(static_cast<double>(x[j]) - middle_[j]) - step_[j] * kMiddle);
    overshoot += beyond * beyond;
  }
  records_.put(id, codes.data(),
               {static_cast<float>(norm), static_cast<float>(std::sqrt(overshoot)), 1.0f});
}

void Sq8::decode(Id id, float* out) const {
  thread_local std::vector<std::uint8_t> codes;
  codes.resize(dim_);
  records_.codes(id, codes.data());
  for (std::size_t j = 0; j < dim_; ++j) {
    out[j] = middle_[j] + step_[j] * (static_cast<float>(codes[j]) - kMiddle);
  }
}

float Sq8::error_bound(Id id) const {
  double sum = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const double range = std::abs(middle_[j]) + step_[j] * kMiddle;
    const double error = step_[j] / 2 * (1 + 1e-5) + 8 * range * 0x1p-23;
    sum += error * error;
  }
  return static_cast<float>((std::sqrt(sum) + records_.factors(id).low) * (1 + 1e-5));
}

void Sq8::prepare(const float* query, Query& out) const {
  out.values.resize(dim_);
  const bool l2 = metric_ == Metric::l2;
  double offset = 0, sum = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const float value = l2 ? query[j] - middle_[j] : query[j];
    offset += static_cast<double>(value) * (l2 ? value : middle_[j]);
    out.values[j] = value * step_[j];
    sum += out.values[j];
  }
  const double constant = l2 ? offset : (metric_ == Metric::cosine ? 1 : 0) - offset;
  const float weight = l2 ? -2.0f : -1.0f;
  const float norm_weight = l2 ? 1.0f : 0.0f;

  const float scale = records_.pack(out.values.data(), out.packed);
  simd::ScaledQuery& fast = out.packed.scaled;
  fast.constant = static_cast<float>(constant - static_cast<double>(weight) * kMiddle * scale *
                                                    records_.packed_sum(out.packed));
  fast.norm_weight = norm_weight;
  fast.low_weight = 0;
  fast.step_weight = weight * scale;
  out.best = {out.values.data(),
              static_cast<float>(constant - static_cast<double>(weight) * kMiddle * sum),
              norm_weight, 0, weight};
}

ByteCounts Sq8::bytes() const {
  return {{"ranges", 2 * dim_ * sizeof(float)}, {"codes", records_.bytes()}};
}

void Sq8::save(KithFileWriter& writer, Meta&, const std::string& prefix) const {
  writer.add_array<float>(prefix + ".middle", middle_);
  writer.add_array<float>(prefix + ".step", step_);
  writer.add(prefix + ".codes", records_.storage().bytes());
}

void Sq8::load(const KithFileReader& reader, const Meta&, const std::string& prefix,
               std::size_t rows) {
  const auto middle = reader.array<float>(prefix + ".middle", dim_);
  const auto step = reader.array<float>(prefix + ".step", dim_);
  middle_.assign(middle.begin(), middle.end());
  step_.assign(step.begin(), step.end());
  size_ = rows;
  records_.load(reader, prefix + ".codes", rows);
}

}  // namespace kith
