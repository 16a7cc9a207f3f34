// A head whose outputs have names: one activation, never negative, for every concept of a list,
// such as the tags of a collection. What two texts share can then be said in words. After
// Bogdanova and Yazdani, "SESA: Supervised Explicit Semantic Analysis", 2017, which extends E.
// Gabrilovich and S. Markovitch, "Computing semantic relatedness using Wikipedia-based explicit
// semantic analysis", IJCAI 2007. The form of the head is ours, as is the folder's.
//
// Of a pooled vector t, concept j has the log-odds  z_j = (U t + c)_j + p_j,  where p_j are those
// of a text of which nothing is known. Its activation is how far the text says more than that,
//
//   relu:     s_j = max(0, z_j - p_j)
//   sigmoid:  s_j = max(0, sigmoid(z_j) - sigmoid(p_j))
//
// and the vector is x_j = sqrt(w_j) s_j with the importance w_j = softplus(v_j), so that a plain
// inner product of two vectors is  sum over j of w_j s_j s'_j.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/parallel.h"
#include "encode/module_tensors.h"
#include "json/json.h"
#include "kith/matrix.h"
#include "simd/dense.h"

namespace kith::encode {

inline constexpr const char* kConcepts = "Concepts";  // in modules.json, behind "kith.models."
inline constexpr const char* kConceptsFile = "concepts.json";
inline constexpr std::size_t kMostConcepts = 65'535;

struct NamedConcept {
  std::string name;
  double share = 0;  // of the examples that it was learned from, above 0 and below 1

  bool operator==(const NamedConcept&) const = default;
};

// Takes names one by one and says why one can't be in the list: empty, there already, one too many.
class ConceptNames {
 public:
  // "" for a name that was taken.
  std::string refusal(const std::string& name);

 private:
  std::unordered_set<std::string> taken_;
};

enum class ConceptActivation : std::uint8_t { relu, sigmoid };
inline constexpr const char* kConceptActivations[] = {"relu", "sigmoid"};

struct ConceptSettings {
  ConceptActivation activation = ConceptActivation::relu;
  std::size_t top = 0;  // a vector keeps so many of its largest components; 0: all
  // Of training: what a concept counts that a text's list lacks, since lists are incomplete, and
  // what one that it has counts at most, who are rarer.
  double absent_weight = 0.3, positive_weight = 10;
};

// What an activation is where no concept is above its prior: of the one that is nearest to it, so
// that no vector is zero.
inline constexpr float kLeastActivation = 0.01F;

// What a given concept counts in training: (1 - share) / share, at most `positive_weight`.
double positive_weight(double share, const ConceptSettings& settings);
// The log-odds that a text gets of which nothing is known, as the weights make them.
double prior_log_odds(double share, const ConceptSettings& settings);

// config.json without the numbers of inputs and outputs, and concepts.json, which has their order.
// Throw corrupt for settings out of range, and for names that are empty, stand there twice, are
// none or more than kMostConcepts.
ConceptSettings read_concept_settings(const Json& json);
std::vector<NamedConcept> read_concept_names(const Json& json);

struct ConceptsFile {
  std::vector<NamedConcept> concepts;
  ConceptSettings settings;
  Matrix<float> rows, bias, prior, importance;  // U, c, p and v
};
// Throws what the readers do, and corrupt where the module's number of inputs isn't `inputs`.
ConceptsFile read_concepts(const std::string& folder, std::size_t inputs);

class ConceptsModule {
 public:
  explicit ConceptsModule(const ConceptsFile& file);

  std::size_t outputs() const { return scale_.size(); }
  std::size_t parameters() const { return outputs() * (weights_.inputs() + 3); }
  std::string description() const;

  Matrix<float> apply(WorkerTeam& team, const Matrix<float>& pooled,
                      simd::DenseScratch& scratch) const;

 private:
  // From (U t + c) to the vector, in place.
  void finish(float* row, std::vector<std::uint32_t>& order) const;

  simd::PackedWeights weights_;
  ConceptSettings settings_;
  std::vector<float> prior_, prior_share_, scale_;
};

}  // namespace kith::encode
