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
#include <vector>

#include "base/parallel.h"
#include "encode/concept_names.h"
#include "encode/module_tensors.h"
#include "kith/matrix.h"
#include "simd/dense.h"

namespace kith::encode {

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
