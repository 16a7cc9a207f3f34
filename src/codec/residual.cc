#include "codec/residual.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/centres.h"
#include "codec/kmeans.h"

namespace kith {
namespace {

constexpr std::size_t kMostCentroids = 65536;
constexpr std::size_t kRowsPerCentroid = 32;        // that k-means sees
constexpr std::size_t kBucketComponents = 1 << 22;  // of residuals that quantiles are taken of
constexpr std::size_t kRowsAtOnce = 4096;

// The value below which `part` of the ascending values lie.
float quantile(const std::vector<float>& ascending, double part) {
  const auto last = static_cast<double>(ascending.size() - 1);
  return ascending[static_cast<std::size_t>(std::llround(part * last))];
}

// x - its centroid, in place.
void subtract_centroids(Matrix<float>& rows, const Centres& centres, const Control& control) {
  std::vector<std::uint32_t> ids(rows.rows());
  centres.nearest(rows, control, ids);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const float* centroid = centres.matrix().row(ids[i]);
    for (std::size_t j = 0; j < rows.cols(); ++j) rows(i, j) -= centroid[j];
  }
}

}  // namespace

Residual::Residual(std::size_t dim, int bits) : dim_(dim), bits_(bits) {}

std::size_t Residual::default_centroids(std::size_t rows) {
  const auto wanted = static_cast<std::size_t>(4 * std::sqrt(static_cast<double>(rows)));
  return std::min({std::bit_floor(std::max<std::size_t>(wanted, 1)), rows, kMostCentroids});
}

void Residual::learn_buckets(const Matrix<float>& sample, const Control& control) {
  const std::size_t rows = std::clamp<std::size_t>(kBucketComponents / dim_, 1, sample.rows());
  Matrix<float> residuals(rows, dim_);
  for (std::size_t i = 0; i < rows; ++i) std::copy_n(sample.row(i), dim_, residuals.row(i));
  subtract_centroids(residuals, Centres(centroids_.clone()), control);
  std::vector<float> all;
  all.reserve(rows * dim_);
  for (std::size_t i = 0; i < rows; ++i) {
    all.insert(all.end(), residuals.row(i), residuals.row(i) + dim_);
  }
  std::sort(all.begin(), all.end());
  const int buckets = 1 << bits_;
  cutoffs_.clear();
  values_.clear();
  for (int b = 0; b < buckets; ++b) {
    if (b > 0) cutoffs_.push_back(quantile(all, static_cast<double>(b) / buckets));
    values_.push_back(quantile(all, (b + 0.5) / buckets));
  }
  make_table();
}

void Residual::make_table() {
  const std::size_t each = per_byte();
  const unsigned mask = (1u << bits_) - 1;
  table_.resize(256 * each);
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t i = 0; i < each; ++i) {
      table_[byte * each + i] = values_[byte >> (i * static_cast<std::size_t>(bits_)) & mask];
    }
  }
}

void Residual::encode(const float* row, std::size_t to) {
  const float* centroid = centroids_.row(centroid_of(to));
  auto* codes = reinterpret_cast<std::uint8_t*>(codes_.mutable_data()) + to * code_bytes();
  std::fill_n(codes, code_bytes(), std::uint8_t{0});
  const std::size_t each = per_byte();
  for (std::size_t j = 0; j < dim_; ++j) {
    const auto above = std::upper_bound(cutoffs_.begin(), cutoffs_.end(), row[j] - centroid[j]);
    const auto bucket = static_cast<unsigned>(above - cutoffs_.begin());
    codes[j / each] |=
        static_cast<std::uint8_t>(bucket << (j % each * static_cast<unsigned>(bits_)));
  }
}

void Residual::build(const AnyMatrixView& rows, const ResidualTraining& training) {
  KMeansOptions options;
  options.clusters = training.centroids != 0 ? training.centroids : default_centroids(rows.rows());
  options.rows_per_cluster = kRowsPerCentroid;
  options.seed = training.seed;
  options.control = training.control;
  const std::size_t sampled =
      std::max<std::size_t>(options.clusters * kRowsPerCentroid, kBucketComponents / dim_ + 1);
  const std::vector<std::uint32_t> chosen = random_sample(rows.rows(), sampled, training.seed);
  const Matrix<float> sample = copy_rows(rows, chosen);
  centroids_ = kmeans(sample, options);
  learn_buckets(sample, without_progress(training.control));

  size_ = rows.rows();
  ids_.resize(size_ * sizeof(std::uint32_t));
  codes_.resize(size_ * code_bytes());
  auto* ids = ids_.mutable_as<std::uint32_t>();
  codes_.mutable_data();
  const Centres centres(centroids_.clone());
  const Control quiet = without_progress(training.control);
  Progress progress(training.control, "tokens", size_);
  for (std::size_t first = 0; first < size_; first += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, size_ - first);
    Matrix<float> some(count, dim_);
    for (std::size_t i = 0; i < count; ++i) rows.copy_row(first + i, some.row(i));
    centres.nearest(some, quiet, {ids + first, count});
    parallel_for(quiet, count, 64, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) encode(some.row(i), first + i);
    });
    progress.add(count);
  }
}

void Residual::decode(std::size_t row, float* out) const {
  const float* centroid = centroids_.row(centroid_of(row));
  const auto* codes = codes_.as<std::uint8_t>() + row * code_bytes();
  const auto add = [&]<std::size_t kEach>() {
    std::size_t j = 0;
    for (; j + kEach <= dim_; j += kEach) {
      const float* values = table_.data() + kEach * *codes++;
      for (std::size_t i = 0; i < kEach; ++i) out[j + i] = centroid[j + i] + values[i];
    }
    for (std::size_t i = 0; j < dim_; ++i, ++j) {
      out[j] = centroid[j] + table_[kEach * *codes + i];
    }
  };
  bits_ == 2 ? add.operator()<4>() : add.operator()<2>();
}

ByteCounts Residual::bytes() const {
  return {{"centroids", centroids_.rows() * dim_ * sizeof(float)},
          {"values", values_.size() * sizeof(float)},
          {"ids", ids_.size()},
          {"codes", codes_.size()}};
}

void Residual::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  meta.set(prefix + ".centroids", std::uint64_t{centroids_.rows()});
  writer.add_rows(prefix + ".centroids", centroids_);
  writer.add_copy<float>(prefix + ".values", values_);
  writer.add(prefix + ".ids", ids_.bytes());
  writer.add(prefix + ".codes", codes_.bytes());
}

void Residual::load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                    std::size_t rows) {
  const std::size_t centroids = meta.number(prefix + ".centroids", kMaxVectors);
  centroids_ = reader.rows(prefix + ".centroids", centroids, dim_);
  const auto values = reader.array<float>(prefix + ".values", std::size_t{1} << bits_);
  values_.assign(values.begin(), values.end());
  make_table();
  size_ = rows;
  const auto ids = reader.array<std::uint32_t>(prefix + ".ids", rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (ids[i] < centroids) continue;
    reader.fail("section " + prefix + ".ids: vector " + std::to_string(i) + " has centroid " +
                std::to_string(ids[i]) + " of " + std::to_string(centroids));
  }
  ids_ = reader.storage(prefix + ".ids", rows * sizeof(std::uint32_t));
  codes_ = reader.storage(prefix + ".codes", rows * code_bytes());
}

}  // namespace kith
