// Vectors and neighbour lists in and out of files, in every format kith knows. The format is found
// by content first, then by the file's extension. Files are mapped where their layout allows, so
// opening a large one is cheap. Malformed files throw Error{corrupt} naming file, position and
// reason; components that are NaN or infinite are refused. Not thread-safe per object; any number
// of files may be read at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"
#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"

namespace kith {

// The rows of a file with their labels. `owner` keeps the bytes behind `rows` alive.
struct Vectors {
  AnyMatrixView rows;
  Labels labels;
  std::string format;  // "fvecs", "npy", "word2vec-text" ...
  std::shared_ptr<const void> owner;
};

struct ReadOptions {
  std::string format;   // overrides detection, e.g. "word2vec-binary"
  std::string dataset;  // which array of an HDF5 or safetensors file; empty: the only or usual one
  bool check_finite = true;  // refuse NaN and infinities (one pass over the data)
  Control control;
};

struct WriteOptions {
  std::string format;   // overrides the extension
  std::string dataset;  // the array's name in an HDF5 ("train") or safetensors ("vectors") file
  Control control;
};

Vectors read_vectors(const std::string& path, const ReadOptions& options = {});

// Writes to a temporary name beside `path`, syncs and renames: `path` is whole or untouched.
// Throws unsupported when the format can't hold the element type or the labels.
void write_vectors(const std::string& path, const AnyMatrixView& rows, const Labels& labels,
                   const WriteOptions& options = {});

// Neighbour lists: .ivecs (ids), .ibin (ids, or big-ann truth: ids then distances), .npy (ids),
// HDF5 in the ann-benchmarks layout (neighbors and distances). Distances, where the format has
// them, are the metric's customary values.
Neighbours read_neighbours(const std::string& path, const ReadOptions& options = {});
void write_neighbours(const std::string& path, const Neighbours& neighbours,
                      const WriteOptions& options = {});

// Names of the formats, for help texts: reading and writing.
std::vector<std::string> readable_formats();
std::vector<std::string> writable_formats();

}  // namespace kith
