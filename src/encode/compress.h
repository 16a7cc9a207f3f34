// Makes the weight matrices of a model's folder smaller (packed_tensors.h), without data. LR2VQ
// clusters low-rank representations of sub-vectors instead of these themselves:
//
//   S, G x m, the matrix cut into sub-vectors;  V, the first d right singular vectors of S
//   Z = S V;  C, a = k-means of Z's rows;  B = V^T;  each sub-vector becomes C[a] B
//
// B's rows are orthonormal, so that distances between rows of Z are those of what they stand for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "encode/packed_tensors.h"
#include "encode/tensor_store.h"
#include "kith/control.h"

namespace kith::encode {

struct CompressOptions {
  std::string method = "lr2vq";      // vq, lowrank or int8
  std::size_t sub = 8;               // m, values of a sub-vector: lr2vq, vq
  std::size_t words = 256;           // K: lr2vq, vq
  std::size_t dim = 0;               // d of lr2vq, the rank of lowrank; 0: chosen
  std::vector<std::string> tensors;  // which; none: all matrices large enough for K centres
  std::uint64_t seed = 1;
  Control control = {};
};

// What d numbers of a sub-vector lose, as shares of its squares: by leaving the other directions
// out, and by choosing one of K centres. The sum is what a choice of d is made by before any
// fine-tuning.
struct DimensionError {
  std::size_t dim = 0;
  double low_rank = 0, clustering = 0;
};

struct CompressedTensor {
  std::string name;
  std::size_t rows = 0, cols = 0, dim = 0;
  std::size_t before = 0, after = 0;  // bytes: as float32, and packed
  double error = 0;                   // of squares, as a share
};

struct CompressSummary {
  std::vector<CompressedTensor> tensors;
  std::vector<DimensionError> dims;   // of lr2vq where d was chosen, over all tensors
  std::size_t dim = 0;                // of lr2vq: the one taken
  std::size_t before = 0, after = 0;  // bytes of the two folders' weights
};

// Writes the folder OUT with all that FROM holds but for logs of a training. d is the least whose
// error is within a twentieth of the least error. Throws invalid_argument for an unknown method,
// d above m, and naming the tensor for one that there isn't, that m doesn't divide or that has
// fewer sub-vectors than centres; and what reading a model does. Nothing is left of a folder that
// wasn't finished.
CompressSummary compress_model(const std::string& from, const std::string& out,
                               const CompressOptions& options);

// What compress_model() takes where it isn't told: all matrices of four sub-vectors a centre and
// more, of lowrank and int8 all of 4,096 values. Throws invalid_argument where there are none.
std::vector<std::string> large_matrices(const TensorStore& store, const CompressOptions& options);
// One matrix; with dim 0 of lr2vq as of vq. Throws as compress_model does.
PackedTensor pack_tensor(const std::string& name, const Matrix<float>& values,
                         const CompressOptions& options);
// The best approximation of a matrix' sub-vectors of M values in `dim` directions: a centre for
// each, and orthonormal rows as the expansion, in float32. Throws invalid_argument, naming the
// tensor.
PackedTensor representations_of(const std::string& name, const Matrix<float>& values,
                                std::size_t sub, std::size_t dim, const Control& control = {});
// E(d) of one matrix for d = 1 to m, on at most 65,536 of its sub-vectors, times `squares`, the sum
// of these squares; `progress` gets a step for each d.
std::vector<DimensionError> dimension_errors(const Matrix<float>& values,
                                             const CompressOptions& options, double* squares,
                                             Progress* progress = nullptr);

// The folder OUT with what FROM holds, these tensors packed in place of FROM's of the same names;
// logs of a training where `with_logs`.
void write_packed_model(const std::string& from, const std::string& out,
                        const std::vector<PackedTensor>& tensors, bool with_logs = false);

}  // namespace kith::encode
