#include "codec/rabitq.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "codec/mean.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr std::size_t kLanes = 16;

// The cosine between `sizes` (at least 0, the largest 1) and the middles of the cells that they
// fall into when multiplied by `scale`, times |sizes|.
float cosine_at(const float* sizes, std::size_t dim, float scale, int last_cell) {
  float products[kLanes] = {}, squares[kLanes] = {};
  const auto add = [&](float size, std::size_t lane) {
    const int cell = std::min(static_cast<int>(size * scale), last_cell);
    const float value = static_cast<float>(cell) + 0.5f;
    products[lane] += size * value;
    squares[lane] += value * value;
  };
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(sizes[i + lane], lane);
  }
  for (; i < dim; ++i) add(sizes[i], i % kLanes);
  float product = 0, square = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    product += products[lane];
    square += squares[lane];
  }
  return product / std::sqrt(square);
}

// The scale whose grid point has the best cosine: from where the largest component just leaves the
// last cell empty to where the grid ends at a quarter of it, in steps, then closer around the best.
float best_scale(const float* sizes, std::size_t dim, int cells) {
  if (cells == 1) return 1;  // only signs
  constexpr float kCoarse = 1.08f, kFine = 1.02f;
  constexpr int kFineSteps = 3;
  const float least = 0.8f * static_cast<float>(cells), most = 4 * static_cast<float>(cells) + 8;
  float best = least, cosine = 0;
  const auto look = [&](float scale) {
    const float here = cosine_at(sizes, dim, scale, cells - 1);
    if (here > cosine) best = scale, cosine = here;
  };
  for (float scale = least; scale < most; scale *= kCoarse) look(scale);
  float low = best, high = best;
  for (int step = 0; step < kFineSteps; ++step) {
    look(low /= kFine);
    look(high *= kFine);
  }
  return best;
}

}  // namespace

Rabitq::Rabitq(std::size_t dim, Metric metric, int bits)
    : dim_(dim),
      metric_(metric),
      mean_(dim, 0.0f),
      records_(bits, dim),
      l2_(&simd::float_query_kernels(ElementType::f32, simd::Op::l2)),
      dot_(&simd::float_query_kernels(ElementType::f32, simd::Op::dot)) {
  if (bits < 1 || bits > kMaxBits) {
    throw Error(ErrorCode::invalid_argument,
                "rabitq" + std::to_string(bits) + ": expected 1 to 8 bits");
  }
}

void Rabitq::train(MatrixView<const float> sample) { mean_ = column_means(sample); }

void Rabitq::resize(std::size_t rows) {
  size_ = rows;
  records_.resize(rows);
  errors_.resize(rows * sizeof(float));
}

// With m the mean, to which queries are relative: an estimate for origin c is
//   f <q - c, z> = f <q - m, z> - f <c - m, z>,
// and the last term is the record's, so that one packed query serves all origins.
void Rabitq::encode(Id id, const float* x, const float* origin) {
  constexpr float kSmallest = 1e-30f;  // below it, products of components vanish
  thread_local std::vector<float> rest, sizes;
  thread_local std::vector<std::uint8_t> codes;
  rest.resize(dim_);
  sizes.resize(dim_);
  codes.resize(dim_);
  float largest = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    rest[j] = x[j] - origin[j];
    largest = std::max(largest, std::abs(rest[j]));
  }
  const float inverse = largest > kSmallest ? 1 / largest : 0;
  for (std::size_t j = 0; j < dim_; ++j) sizes[j] = std::abs(rest[j]) * inverse;

  const int cells = 1 << (bits() - 1);  // on each side of zero
  const float scale = best_scale(sizes.data(), dim_, cells);
  double squares = 0, along = 0, of_origin = 0, beyond_mean = 0, magnitude = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const int cell = std::min(static_cast<int>(sizes[j] * scale), cells - 1);
    const int code = rest[j] >= 0 ? cells + cell : cells - 1 - cell;
    codes[j] = static_cast<std::uint8_t>(code);
    const double value = static_cast<float>(code) - middle(), r = rest[j];
    squares += r * r;
    along += r * value;
    of_origin += r * origin[j];
    beyond_mean += (static_cast<double>(origin[j]) - mean_[j]) * value;
    magnitude = std::max<double>(magnitude, std::abs(origin[j]));
  }
  const auto step = static_cast<float>(inverse > 0 ? squares / along : 0);

  double error = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const double left = rest[j] - static_cast<double>(step) * (codes[j] - double{middle()});
    error += left * left;
  }
  // Float rounding while encoding and decoding: some units in the last place of the largest value.
  magnitude += largest + static_cast<double>(step) * middle();
  error = std::sqrt(error) * (1 + 1e-5) +
          8 * magnitude * 0x1p-23 * std::sqrt(static_cast<double>(dim_));

  const double own = metric_ == Metric::l2 ? squares : -of_origin;
  const double weight = metric_ == Metric::l2 ? 2 : 1;
  records_.put(id, codes.data(),
               {static_cast<float>(own + weight * step * beyond_mean), -step * middle(), step});
  errors_.mutable_as<float>()[id] = static_cast<float>(error);
}

void Rabitq::decode(Id id, const float* origin, float* out) const {
  const ScaleFactors factors = records_.factors(id);
  records_.decode(id, factors.low, factors.step, origin, out);
}

void Rabitq::prepare(const float* query, Query& out) const {
  out.values.resize(dim_);
  for (std::size_t j = 0; j < dim_; ++j) out.values[j] = query[j] - mean_[j];
  const float sum = simd::sum(out.values.data(), dim_);
  const float weight = metric_ == Metric::l2 ? -2.0f : -1.0f;
  const float scale = records_.pack(out.values.data(), out.packed);
  simd::ScaledQuery& fast = out.packed.scaled;
  fast.norm_weight = 1;
  // The rounded query's own sum: <rounded q, z> stays consistent, so no error is common to all.
  fast.low_weight = weight * scale * records_.packed_sum(out.packed);
  fast.step_weight = weight * scale;
  out.best = {out.values.data(), 0, 1, weight * sum, weight};
  move_to(query, mean_.data(), out);
}

void Rabitq::move_to(const float* query, const float* origin, Query& out) const {
  float squares, product;
  l2_->many(query, origin, 0, 1, dim_, &squares);
  dot_->many(query, origin, 0, 1, dim_, &product);
  const float constant =
      metric_ == Metric::l2 ? squares : (metric_ == Metric::cosine ? 1.0f : 0.0f) - product;
  out.packed.scaled.constant = out.best.constant = constant;
  out.distance = std::sqrt(squares);
}

float Rabitq::estimate_error(const Query& query, Id id, float epsilon) const {
  const float weight = metric_ == Metric::l2 ? 2.0f : 1.0f;
  const auto free = static_cast<float>(std::max<std::size_t>(dim_ - 1, 1));
  return weight * epsilon * query.distance * error_bound(id) / std::sqrt(free);
}

ByteCounts Rabitq::bytes() const {
  return {{"mean", dim_ * sizeof(float)}, {"codes", records_.bytes()}, {"errors", errors_.size()}};
}

void Rabitq::save(KithFileWriter& writer, Meta&, const std::string& prefix) const {
  writer.add_array<float>(prefix + ".mean", mean_);
  writer.add(prefix + ".codes", records_.storage().bytes());
  writer.add(prefix + ".errors", errors_.bytes());
}

void Rabitq::load(const KithFileReader& reader, const Meta&, const std::string& prefix,
                  std::size_t rows) {
  const std::span<const float> mean = reader.array<float>(prefix + ".mean", dim_);
  mean_.assign(mean.begin(), mean.end());
  size_ = rows;
  records_.load(reader, prefix + ".codes", rows);
  errors_ = reader.storage(prefix + ".errors", rows * sizeof(float));
}

}  // namespace kith
