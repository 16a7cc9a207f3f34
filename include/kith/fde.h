// Fixed dimensional encodings (Dhulipala, Hadian, Jayaram, Lee and Mirrokni, "MUVERA: Multi-Vector
// Retrieval via Fixed Dimensional Encodings", 2024): one long vector for a set of vectors, such
// that the inner product of a query's and a document's, divided by the number of repetitions,
// estimates their MaxSim. Any index of single vectors can then find candidates under Metric::ip.
//
//   const kith::FdeEncoder encoder(documents.sets.dim(), {});
//   kith::Matrix<float> rows = encoder.encode_documents(documents.sets);
//   kith::Matrix<float> queries = encoder.encode_queries(questions.sets);
//
// Meant for vectors of length 1; encodings themselves must not be normalised. Data-oblivious:
// nothing is learned. The same numbers for any number of threads; instruction sets may round
// differently, which now and then puts a vector on the other side of a plane.
//
// Thread-safety: const functions may be called from any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/vector_sets.h"

namespace kith {

// Defaults are the paper's best of 10,240 dimensions (20 x 2^5 x 16). Many repetitions matter most.
struct FdeOptions {
  // Independent partitions and projections, whose blocks stand side by side.
  std::size_t repetitions = 20;

  // Random planes that cut space into 2^planes cells, 0 to 16 (SimHash). A vector's cell is the
  // side of each plane on which it lies. Best with at least a vector of a document for each cell.
  std::size_t planes = 5;

  // Dimensions a vector has in its cell's block, by a random projection; 0: its own, unprojected.
  std::size_t inner_dim = 16;

  // How vectors are projected: "dense", a matrix of random signs over sqrt(inner_dim), as in the
  // paper; or "sparse", each dimension added with a random sign to one random output (a count
  // sketch), as in the authors' code. Both keep inner products in expectation; dense is closer.
  std::string projection = "dense";

  // Dimensions of the whole encoding after a count sketch over it; 0: no such projection.
  std::size_t final_dim = 0;

  // An empty cell of a document takes the vector that lies on the other side of the fewest planes,
  // of several the first. Without it holds zeros. Queries are never filled.
  bool fill_empty = true;

  std::uint64_t seed = 1;
};

class FdeEncoder {
 public:
  // Of sets of `dim` dimensions. Throws invalid_argument for options out of range, or when an
  // encoding would have more than kMaxDim dimensions (2^24 before the final projection).
  FdeEncoder(std::size_t dim, const FdeOptions& options);

  std::size_t dim() const;          // of the vectors of a set
  std::size_t encoded_dim() const;  // of an encoding
  const FdeOptions& options() const;

  // One row a set. A query's block is the sum of the vectors in the cell, a document's their mean.
  // Throws invalid_argument for sets that exact_maxsim would refuse, or another dimension. One
  // matrix product of set and random directions a set, then additions.
  Matrix<float> encode_queries(const VectorSetsView& sets, const Control& control = {}) const;
  Matrix<float> encode_documents(const VectorSetsView& sets, const Control& control = {}) const;

  // All that determines an encoding but for filling: encodings of two encoders may be compared only
  // when these are equal.
  std::string identity() const;
  // Throws invalid_argument naming both when they differ.
  void require_same(std::string_view identity) const;

  struct State;  // src/index/fde.cc

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace kith
