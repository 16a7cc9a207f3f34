// Residual codes of token vectors (Santhanam et al., "ColBERTv2", 2022): the nearest of many
// centroids, and of what is left each dimension in 2 or 4 bits. A bit pattern stands for one of
// 2^bits buckets that hold equally many of a sample's components; it is decoded to the bucket's
// median. As in ColBERTv2 cut-offs and values are the same for all dimensions; unlike there,
// decoded vectors aren't made of length 1 again, so that vectors of any length can be stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/storage.h"
#include "codec/codec.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

struct ResidualTraining {
  std::size_t centroids = 0;  // 0: Residual::default_centroids
  std::uint64_t seed = 1;
  Control control = {};
};

class Residual {
 public:
  // `bits` is 2 or 4.
  Residual(std::size_t dim, int bits);

  // A power of two, about four times the square root of `rows`, at most 65,536; ColBERTv2 has
  // sixteen times, which takes k-means four times as long and gives little more.
  static std::size_t default_centroids(std::size_t rows);

  // Learns centroids and buckets from a sample of the rows, then stores all of them. The same for
  // any number of threads.
  void build(const AnyMatrixView& rows, const ResidualTraining& training);

  void decode(std::size_t row, float* out) const;
  std::uint32_t centroid_of(std::size_t row) const { return ids_.as<std::uint32_t>()[row]; }

  int bits() const { return bits_; }
  std::size_t size() const { return size_; }
  std::size_t dim() const { return dim_; }
  const Matrix<float>& centroids() const { return centroids_; }
  ByteCounts bytes() const;

  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t rows);

 private:
  std::size_t code_bytes() const { return (dim_ * static_cast<std::size_t>(bits_) + 7) / 8; }
  std::size_t per_byte() const { return 8 / static_cast<std::size_t>(bits_); }
  void learn_buckets(const Matrix<float>& sample, const Control& control);
  void encode(const float* row, std::size_t to);
  void make_table();

  std::size_t dim_, size_ = 0;
  int bits_;
  Matrix<float> centroids_;
  std::vector<float> cutoffs_;  // between buckets; of no use once rows are stored
  std::vector<float> values_;   // what a bucket is decoded to
  std::vector<float> table_;    // the values of a byte's components, for each byte
  Storage ids_, codes_;
};

}  // namespace kith
