// Binary codes of vectors by a network: Y. Gan et al., "Binary embedding-based retrieval at
// Tencent", KDD 2023, whose recurrent binarisation is that of Y. Shan et al., "Recurrent binary
// embedding for GPU-enabled exhaustive retrieval from billion-scale semantic vectors", KDD 2018.
// With W and R blocks, f a vector of length 1, and sgn(x) = 1 where x >= 0, else -1:
//
//   b_0 = sgn(W_0(f)),   b_i = b_{i-1} + 2^-i sgn(W_i(f - R_{i-1}(b_{i-1}) / |R_{i-1}(b_{i-1})|))
//
// A dimension of b_u is an odd number times 2^-u, of u + 1 bits, the first sign the highest:
// b_u = 2^-u (2 c - K) with K = 2^(u+1) - 1 and c the bits as a number (simd/odd_codes.h).
//
// A block is W(x) = S x + c + B max(0, A x + a), its batch normalisation multiplied into A and a.
// One of the two ways may be missing. Random signs and ITQ are binarisers of S and c alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/kith_file.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

struct BinariserBlock {
  Matrix<float> skip;              // S, outputs x inputs; none: 0 rows
  std::vector<float> bias;         // c
  Matrix<float> hidden;            // A, hidden x inputs; none: 0 rows
  std::vector<float> hidden_bias;  // a
  Matrix<float> out;               // B, outputs x hidden

  // Of an input's floats to `bias.size()` floats. Sums are in double and in one order, so that
  // every instruction set gives the same.
  void apply(const float* x, float* y) const;
};

// Immutable when filled; const functions are thread-safe.
struct Binariser {
  std::size_t dim = 0;                      // of vectors
  std::size_t dims = 0;                     // of codes
  int bits = 1;                             // a dimension of these, 1 to 4: loops and one
  std::vector<BinariserBlock> binarise;     // W, `bits` of them
  std::vector<BinariserBlock> reconstruct;  // R, one fewer
  std::uint64_t version = 0;                // a checksum of shape and weights; see seal()
  std::uint64_t compatible = 0;  // the version whose codes it was trained to search, too; or 0

  // `codes`: dims numbers below 2^bits. `x` of length 1.
  void encode(const float* x, std::uint8_t* codes) const;
  // Once all is filled in: the version.
  void seal();
  std::size_t bytes() const;

  // Names begin with `prefix`, such as "primary.".
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  // Throws corrupt for what is missing or doesn't fit; dim, dims and bits are given.
  static Binariser load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                        std::size_t dim, std::size_t dims, int bits);
};

// Signs of products with random directions, orthogonal to each other as far as there are as many
// dimensions (Charikar, "Similarity estimation techniques from rounding algorithms", 2002).
Binariser random_signs(std::size_t dim, std::size_t dims, std::uint64_t seed);

// ITQ (Gong and Lazebnik, "Iterative quantization: a Procrustean approach to learning binary
// codes", 2011): the mean is removed, `dims` principal directions stay, and a rotation of these is
// learned that brings them near their signs. Throws invalid_argument for more dims than dim, and
// fewer rows than dims.
Binariser learn_itq(MatrixView<const float> rows, std::size_t dims, std::uint64_t seed);

// `count` rows of length 1; each dim that follow one another are orthogonal.
Matrix<float> random_directions(std::size_t count, std::size_t dim, std::uint64_t seed);

// What `kith train codec` with kind = "bebr" writes: kind=binariser. Throws corrupt.
Binariser read_binariser(const KithFileReader& reader);

}  // namespace kith
