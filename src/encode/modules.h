// What follows the transformer in a sentence-transformers folder, as modules.json lists it: a
// pooling, perhaps behind a weighting of layers, then dense layers, named concepts and
// normalisation. In place of transformer, pooling and dense layers there may be a StaticEmbedding:
// the mean of tokens' vectors.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "encode/concepts.h"
#include "encode/pooling_step.h"
#include "kith/encoder.h"
#include "simd/activations.h"
#include "simd/dense.h"

namespace kith::encode {

struct DenseModule {
  simd::PackedWeights weights;
  simd::Activation activation = simd::Activation::identity;
};
struct NormalizeModule {};  // to unit length
// Whether a module of this type stands behind the pooling.
bool is_head(const std::string& kind);
// What it does to a row; zeros stay zeros.
void normalize(float* row, std::size_t n);

// Throws unsupported for a model that has no vectors but tokens'.
void expect_whole_vectors(const EncoderInfo& info);

struct Modules {
  std::string transformer;                // the folder with config.json and weights
  bool is_static = false;                 // that has a table of tokens' vectors instead
  bool by_token = false;                  // late interaction: what follows is of each token
  std::optional<std::size_t> max_tokens;  // of sentence_bert_config.json
  std::vector<std::pair<std::string, std::string>> ahead;  // type and folder of what follows it

  // The folder of the module of this type; empty: there is none.
  std::string place_of(const std::string& kind) const;
};

inline constexpr const char* kStaticEmbedding = "StaticEmbedding";

// Reads modules.json, if there is one. Throws unsupported for other modules or another order. A
// late-interaction model (late_interaction.h) has no pooling.
Modules find_modules(const std::string& folder);
// The same, of a model that must have a transformer; throws unsupported where it has none.
Modules find_transformer(const std::string& folder);

// A Dense module's file.
struct DenseFile {
  Matrix<float> rows, bias;
  simd::Activation activation = simd::Activation::identity;
  bool has_bias = true;  // else `bias` is zeros
};
// `inputs`: of the vectors that go in. Throws corrupt when the file says another number.
DenseFile read_dense(const std::string& folder, std::size_t inputs);

// The pooling that the modules name, else by mean.
PoolingStep pooling_of(const Modules& modules, const PooledModel& model);

class Head {
 public:
  // Reads the modules behind this transformer; without any, pools by mean.
  Head(const Modules& modules, const PooledModel& model);

  const PoolingStep& pooling() const { return pooling_; }
  std::size_t dim() const { return dim_; }
  std::vector<std::string> descriptions() const;
  std::size_t parameters() const { return parameters_; }

  // From pooled vectors to final ones, or where modules are by_token from tokens' states. A row's
  // result depends on that row alone.
  Matrix<float> apply(const Control& control, Matrix<float> pooled) const;

 private:
  void add_dense(const std::string& folder);
  void add_concepts(const std::string& folder);

  PoolingStep pooling_;
  bool by_token_;
  std::size_t dim_ = 0, parameters_ = 0;
  std::vector<std::variant<DenseModule, ConceptsModule, NormalizeModule>> steps_;
};

}  // namespace kith::encode
