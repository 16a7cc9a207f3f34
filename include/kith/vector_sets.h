// Sets of vectors: a text as the vectors of its tokens, an image as those of its patches. Late
// interaction compares two sets by the best match of each of a query's vectors (kith/maxsim.h).
//
//   kith::VectorSets documents = kith::read_vector_sets("tokens.npz");
//   documents.sets.size();       // sets
//   documents.sets.length(7);    // vectors of set 7
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/vectors.h"

namespace kith {

// Set i is rows [offsets[i], offsets[i + 1]) of `vectors`.
struct VectorSetsView {
  std::span<const std::uint64_t> offsets;  // one more than there are sets; empty: no sets
  AnyMatrixView vectors;                   // of all sets, one after the other

  std::size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::size_t dim() const { return vectors.dim(); }
  std::size_t length(std::size_t i) const { return offsets[i + 1] - offsets[i]; }
  AnyMatrixView set(std::size_t i) const { return vectors.slice(offsets[i], length(i)); }
  // Vectors of all sets together; those of a slice only.
  std::size_t total() const { return offsets.empty() ? 0 : offsets.back() - offsets.front(); }
  // Sets [first, first + count); `vectors` stays whole, so offsets go on counting from its start.
  VectorSetsView slice(std::size_t first, std::size_t count) const {
    return {offsets.subspan(first, count + 1), vectors};
  }
};

// Owns its sets.
struct VectorSetRows {
  std::vector<std::uint64_t> offsets{0};
  Matrix<float> vectors;

  VectorSetsView view() const { return {offsets, vectors}; }
  operator VectorSetsView() const { return view(); }
};

// The sets of a file with their labels, one a set. `owner` keeps the bytes behind `sets` alive.
struct VectorSets {
  VectorSetsView sets;
  Labels labels;
  std::string format;  // "npz", "safetensors" or "jsonl"
  std::shared_ptr<const void> owner;
};

// Reads, by content, one of three forms (docs/vector-files.md):
// - .npz of numpy.savez: array `vectors` [n, dim] and either `offsets` [sets + 1] or `lengths`
//   [sets]; labels lie in the text file beside it, as with .npy;
// - .safetensors with tensors of the same names, mapped in place when aligned; labels inside;
// - JSON lines: one object a set, its member `vectors` a list of lists of numbers, its "_id" or
//   "id", where there is one, the label.
// options.dataset is another name for `vectors`; options.format overrides the content. Throws
// corrupt naming file and place for truncated files, a set without vectors, offsets that don't
// ascend from 0 to n, vectors of differing dimensions, and NaN or infinite components.
VectorSets read_vector_sets(const std::string& path, const ReadOptions& options = {});

// Writes .npz or .jsonl by the extension, else .safetensors, or what options.format says, to a
// temporary name, syncs and renames. Elements stay as they are, in JSON lines as numbers. Throws
// invalid_argument for sets that read_vector_sets would refuse.
void write_vector_sets(const std::string& path, const VectorSetsView& sets, const Labels& labels,
                       const WriteOptions& options = {});

}  // namespace kith
