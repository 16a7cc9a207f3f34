// A model's queries against the codes of its documents, as what ranks candidates: what an index by
// these codes would put near a query (BiDR, Xiao et al., "Progressively optimized bi-granular
// document representation for scalable embedding based retrieval", 2022).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kith/control.h"
#include "kith/judge.h"
#include "kith/matrix.h"
#include "kith/trained_codebooks.h"

namespace kith::mine {

// What codes leave of documents: of each part the nearest codeword. Under cosine rows are made of
// length 1 first. Throws invalid_argument for rows of other dimensions, naming `what` they are of.
Matrix<float> quantised(const TrainedCodebooks& codebooks, Matrix<float> rows,
                        const std::string& what, const Control& control);

// Throws invalid_argument for codewords of metric l2, naming `what` they are of: these don't rank
// by products.
void expect_products(const TrainedCodebooks& codebooks, const std::string& what);

// Documents get one component more, so that all have one length and their order by cosine, by which
// negatives are mined, is that of the product <query, decoded document>, by which an index searches
// (Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean transformation for
// inner-product spaces", 2014). Of queries it is 0.
class CodedVectors : public Embedder {
 public:
  // `whole` must outlive this. Throws as expect_products() does.
  CodedVectors(Embedder& whole, TrainedCodebooks codebooks);
  // Of a model's folder that has its codebooks.kith beside the model. Throws as ModelVectors and
  // TrainedCodebooks::open do, too.
  static CodedVectors in_folder(const std::string& folder);

  std::string name() const override { return whole_->name() + ", by codes"; }
  // Throws what the model throws, and invalid_argument for vectors of other dimensions.
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  std::unique_ptr<Embedder> own_;  // in_folder()'s
  Embedder* whole_;
  TrainedCodebooks codebooks_;
  double most_ = 0;  // the squared length that no decoded document exceeds
};

}  // namespace kith::mine
