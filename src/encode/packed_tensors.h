// Weight matrices in fewer bytes than their values take, as `kith model compress` writes them to
// model.kith beside a folder's other tensors, and how they become whole again when a model is
// opened.
//
//   codes     each row is cut into sub-vectors of m values, and each of these is C[a] B: the
//             code a chooses one of K centres of d numbers, which the expansion B, d x m, takes to
//             m values (LR2VQ: Zhu et al., "Learning low-rank representations for model
//             compression", 2022); without an expansion the centres have m values themselves
//   low_rank  the product of two thin matrices
//   int8      each row's values are whole numbers from -127 to 127 times the row's scale
//
// Centres, expansions and thin matrices are binary16.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/kith_file.h"
#include "kith/matrix.h"

namespace kith::encode {

inline constexpr char kPackedFile[] = "model.kith";

enum class Packing : std::uint8_t { codes, low_rank, int8 };

struct PackedTensor {
  static constexpr std::size_t kMostSub = 256, kMostWords = 1 << 16;

  std::string name;
  std::size_t rows = 0, cols = 0;
  Packing packing = Packing::codes;
  std::size_t sub = 0;               // codes: m, which divides cols
  std::vector<std::uint32_t> codes;  // one a sub-vector, row after row
  Matrix<float> centres;             // codes: K x d; low_rank: rows x rank
  Matrix<float> expansion;           // codes: d x m, or no rows; low_rank: rank x cols
  std::vector<std::int8_t> values;   // int8: rows x cols
  std::vector<float> scales;         // int8: one a row

  PackedTensor clone() const;
  std::size_t words() const { return centres.rows(); }
  std::size_t dim() const { return centres.cols(); }
  // The centres as sub-vectors, K x m.
  Matrix<float> codebook() const;
  // The whole matrix, rows x cols.
  Matrix<float> decode() const;
  // What its content takes in a file.
  std::size_t bytes() const;
};

// Bits of a code of one of so many centres.
int code_bits(std::size_t words);
// Rounds every value to binary16, as files keep them. Throws invalid_argument, naming the tensor,
// where one is too large for that.
void round_to_half(Matrix<float>& values, const std::string& tensor);

// Names must be without line breaks. Throws io.
void write_packed(const std::string& path, const std::vector<PackedTensor>& tensors);
// Throws corrupt for anything but such a file: sizes that don't fit each other, codes of no centre,
// values that aren't finite, names that occur twice.
std::vector<PackedTensor> read_packed(const KithFileReader& reader);

}  // namespace kith::encode
