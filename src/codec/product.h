// Product quantisation with 4-bit codes (Jegou, Douze and Schmid, "Product quantization for nearest
// neighbor search", 2011): a vector's dimensions are cut into parts, and each part is replaced by
// the nearest of 16 codewords learned by k-means. Searches add up, part by part, entries of a table
// that a query makes once, in blocks of 32 codes (simd/kernels.h). With a learned rotation before
// it (learned_rotation.h), of which callers see nothing, the parts' errors are smaller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/kith_file.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "simd/kernels.h"

namespace kith {

class ProductQuantiser {
 public:
  static constexpr std::size_t kWords = 16;

  ProductQuantiser() = default;
  enum class Turn : std::uint8_t { none, learned };
  // `parts` is at most `dim`; they are as even as can be. Throws invalid_argument.
  ProductQuantiser(std::size_t dim, std::size_t parts, Turn turn = Turn::none);

  // k-means of each part. A few thousand rows are enough for 16 codewords. A rotation is learned by
  // turns: codewords for it, then the rotation that brings rows nearest to what they decode to.
  void train(MatrixView<const float> sample, std::uint64_t seed, const Control& control);

  std::size_t dim() const { return dim_; }
  std::size_t parts() const { return parts_; }
  Turn turn() const { return rotation_ == nullptr ? Turn::none : Turn::learned; }
  // Component j of codeword w of j's part, behind the rotation: [j * 16 + w].
  std::span<const float> words() const { return words_; }
  // As many; throws invalid_argument for others.
  void set_words(std::vector<float> words);
  const Matrix<float>* rotation() const { return rotation_.get(); }           // null: none
  std::size_t begin(std::size_t part) const { return part * dim_ / parts_; }  // its first component
  // What blocks hold: a multiple of four.
  std::size_t padded_parts() const { return (parts_ + 3) / 4 * 4; }

  // One codeword's number a part.
  void encode(const float* x, std::uint8_t* code) const;
  void decode(const std::uint8_t* code, float* out) const;

  // Puts a code into place `slot` of the block, which starts out as zeros.
  void put(const std::uint8_t* code, std::size_t slot, std::uint8_t* block) const;
  void get(const std::uint8_t* block, std::size_t slot, std::uint8_t* code) const;

  // A query's tables: estimates are of weight * <query, x>, up to the tables' rounding.
  class Tables {
   public:
    simd::BlockQuery query;

   private:
    friend class ProductQuantiser;
    std::vector<std::uint8_t> buffer_;
    std::vector<float> entries_, turned_;
  };
  void prepare(const float* query, float weight, Tables& tables) const;

  std::size_t bytes() const {
    return (words_.size() + (rotation_ == nullptr ? 0 : dim_ * dim_)) * sizeof(float);
  }
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  void load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
            std::size_t dim);

 private:
  void train_words(MatrixView<const float> sample, std::size_t iterations, std::uint64_t seed,
                   const Control& control);
  void encode_turned(const float* x, std::uint8_t* code) const;
  void decode_turned(const std::uint8_t* code, float* out) const;
  void apply_rotation(const float* x, float* out) const;

  std::size_t dim_ = 0, parts_ = 0;
  std::shared_ptr<const Matrix<float>> rotation_;  // dim x dim; null: none
  std::vector<float> words_;  // dimension j of codeword w of j's part: [j * 16 + w]
};

}  // namespace kith
