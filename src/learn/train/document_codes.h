// Product codes of documents that are learned with the model which makes their vectors, so that
// candidates are found by codes as well as can be: the first stage of BiDR (S. Xiao et al.,
// "Progressively optimized bi-granular document representation for scalable embedding based
// retrieval", WWW 2022).
//
// A document becomes of each part the nearest codeword, a query stays whole:
//
//   L = dense_weight InfoNCE(<q, d>) + weight InfoNCE(<q, code(d)>) + reconstruction |d -
//   code(d)|^2
//
// both over the same candidates at the same temperature. Weights of 1, 1 and 0 are those of the
// authors' code; the paper has the second term alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>

#include "kith/control.h"
#include "kith/trained_codebooks.h"
#include "learn/loss/embedded.h"
#include "learn/loss/info_nce.h"
#include "learn/nn/product_code.h"

namespace kith::learn {

struct CodeOptions {
  std::size_t parts = 16;
  int bits = 8;                  // of each: 2^bits codewords
  double weight = 1;             // of the loss by codes
  double dense_weight = 1;       // of the loss by whole vectors
  double reconstruction = 0;     // of the squared distance between documents and their codes
  std::int64_t sample = 20'000;  // documents at most, by which codewords begin
  bool alone = false;            // codewords are trained, the model stays as it is
};

class DocumentCodes {
 public:
  // Codewords begin as k-means of `vectors` [n, dim], documents' as the model gives them. Throws
  // invalid_argument for more parts than dimensions, bits other than 1 to 16, and where neither
  // weight nor reconstruction is above 0.
  DocumentCodes(const CodeOptions& options, Similarity similarity, const at::Tensor& vectors,
                std::uint64_t seed, const Control& control);

  const CodeOptions& options() const { return options_; }
  // "words" (ProductCode::parameters).
  Parameters parameters() const { return code_.parameters(); }

  // What products compare: queries, of length 1 under cosine, and documents by codes. `learns`:
  // whether codewords get gradients.
  Embedded coded(const Embedded& whole, double temperature, bool learns) const;
  // The same of documents [n, dim] alone.
  at::Tensor coded(const at::Tensor& documents) const;
  // Mean of |d - code(d)|^2 over the positives, and of the negatives likewise, added.
  at::Tensor error(const Embedded& whole, const Embedded& coded) const;

  // As they are now. `metric`: that vectors are indexed by.
  TrainedCodebooks codebooks(Metric metric) const;
  Similarity similarity() const { return similarity_; }

 private:
  at::Tensor scaled(const at::Tensor& x) const;

  CodeOptions options_;
  Similarity similarity_;
  ProductCode code_;
};

}  // namespace kith::learn
