// Vectors of texts without a transformer: the mean of their words' vectors, each weighted by how
// rare the word is, less what all texts have in common. S. Arora, Y. Liang and T. Ma, "A simple but
// tough-to-beat baseline for sentence embeddings", ICLR 2017 (SIF).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "encode/modules.h"
#include "encode/tensor_store.h"
#include "kith/control.h"
#include "kith/encoder.h"
#include "kith/matrix.h"

namespace kith::encode {

inline constexpr const char* kStaticType = "sif";                 // model_type in config.json
inline constexpr const char* kStaticTensor = "embedding.weight";  // of a StaticEmbedding

class StaticModel {
 public:
  // `weights`: one a word. `common`: orthonormal directions that are taken out of every vector.
  // `type`: what info() calls the architecture.
  StaticModel(Matrix<float> words, std::vector<float> weights, Matrix<float> common, bool normalize,
              std::string type = kStaticType);
  // Throws as Encoder::open does.
  static StaticModel open(const std::string& folder);
  // A StaticEmbedding module of sentence-transformers: every token weighs the same.
  static StaticModel open_embedding(const std::string& folder, bool normalize);
  // The same with what follows it in modules.json: named concepts, or what late interaction has.
  static StaticModel open_with_head(const Modules& modules);

  const EncoderInfo& info() const { return info_; }

  // One row a sequence. Ids from info().vocabulary - 1 on are unknown and count for nothing; a
  // sequence of nothing else gets zeros.
  Matrix<float> encode(std::span<const TokenSequence> sequences, const Control& control) const;
  // As Encoder's: one row a token, those of unknown ones zeros.
  Matrix<float> token_vectors(std::span<const TokenSequence> sequences,
                              const Control& control) const;

 private:
  void encode_one(std::span<const std::uint32_t> ids, float* out) const;

  Matrix<float> words_;
  std::vector<float> weights_;
  Matrix<float> common_;
  bool normalize_;
  std::optional<Head> head_;
  EncoderInfo info_;
};

// Tokens and components of a StaticEmbedding. Throws corrupt for anything but a table of them.
struct StaticShape {
  std::size_t tokens, width;
};
StaticShape static_shape(const TensorStore& store);

// a / (a + p): p is a word's share of all words (Arora et al., section 3).
std::vector<float> sif_weights(std::span<const double> shares, double a);

// The first `count` right singular vectors of the rows, which aren't centred, by orthogonal
// iteration on their products; at most as many as columns.
Matrix<float> common_directions(MatrixView<const float> rows, std::size_t count);

}  // namespace kith::encode
