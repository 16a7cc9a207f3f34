// Codewords of a product code (Jegou, Douze and Schmid, "Product quantization for nearest neighbor
// search", 2011) of any number of bits a part: a vector's dimensions are cut into parts, and each
// part is replaced by the nearest of 2^bits codewords, learned by k-means or elsewhere
// (learn/codec/codebook_trainer.h). Where 16 codewords a part are enough, product.h is quicker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/kith_file.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// What a folder that has trained codewords calls their file.
inline constexpr char kCodebooksFile[] = "codebooks.kith";

// Immutable once they are learned; const functions are thread-safe.
class Codebooks {
 public:
  static constexpr int kMostBits = 16;

  Codebooks() = default;
  // Without codewords yet. Parts are as even as can be. Throws invalid_argument unless there are 1
  // to `dim` of them and 1 to kMostBits bits.
  Codebooks(std::size_t dim, std::size_t parts, int bits);

  // k-means of each part; where there are fewer rows than codewords, some are equal.
  void learn(MatrixView<const float> sample, std::uint64_t seed, const Control& control);
  // Component j of codeword w of j's part is at [j * words() + w]. Throws invalid_argument for
  // another size.
  void set(std::vector<float> values);
  std::span<const float> values() const { return values_; }
  bool empty() const { return values_.empty(); }

  std::size_t dim() const { return dim_; }
  std::size_t parts() const { return parts_; }
  int bits() const { return bits_; }
  std::size_t words() const { return std::size_t{1} << bits_; }
  std::size_t begin(std::size_t part) const { return part * dim_ / parts_; }  // its first component
  // Bytes of a code: one number a part, the first in the lowest bits.
  std::size_t code_bytes() const { return (parts_ * static_cast<std::size_t>(bits_) + 7) / 8; }

  // The number of the nearest codeword of each part, the first of equally near ones. Returns the
  // squared distance.
  double encode(const float* x, std::uint32_t* code) const;
  void decode(const std::uint32_t* code, float* out) const;

  // For each codeword of each part, [part * words() + w]: the squared distance between it and the
  // query's part, or their product.
  void distances(const float* query, float* out) const;
  void products(const float* query, float* out) const;

  std::size_t bytes() const { return values_.size() * sizeof(float); }
  void save(KithFileWriter& writer, const std::string& prefix) const;
  // Throws corrupt. Of a codec whose name tells parts and bits.
  void load(const KithFileReader& reader, const std::string& prefix);

 private:
  void part_distances(const float* query, std::size_t part, float* out) const;

  std::size_t dim_ = 0, parts_ = 1;
  int bits_ = 1;
  std::vector<float> values_;
};

// What a TrainedCodebooks file holds (kith/trained_codebooks.h).
struct CodebooksContent {
  Metric metric = Metric::l2;  // under cosine they are of vectors of length 1
  Codebooks codebooks;
};

// Throws corrupt where the file holds none.
CodebooksContent read_codebooks(const KithFileReader& reader);

}  // namespace kith
