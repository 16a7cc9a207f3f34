// Opening what verbs are given, with checks whose messages name the files.
#pragma once

#include <string>
#include <string_view>

#include "kith/error.h"
#include "kith/index.h"
#include "kith/neighbours.h"
#include "kith/vectors.h"

namespace kith::cli {

// Throws unless the file's vectors have the index's dimension.
void check_dimension(const std::string& index_path, const Index& index, const std::string& path,
                     const AnyMatrixView& rows);

// What the library calls "base row 3" is "words.txt: row 3" to the person who gave the file: does
// `work`, and renames an error that begins with `role` and a space.
template <class Work>
auto naming(std::string_view role, const std::string& path, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    const std::string message = error.what();
    if (!message.starts_with(std::string(role) + " ")) throw;
    throw Error(error.code(), path + ": " + message.substr(role.size() + 1));
  }
}

// Throws when writing `output` would overwrite the file `input`.
void check_distinct(const std::string& output, const std::string& input);

// The truth for `queries` queries with at least k neighbours each, all of them rows of an index of
// `size` vectors. Distances come back ascending, whatever convention the file follows.
Neighbours read_truth(const std::string& path, std::size_t queries, std::size_t k, std::size_t size,
                      const Control& control);

// Distances <-> the metric's customary values, in place. Padding stays padding.
void swap_customary(Neighbours& neighbours, Metric metric);

// "graph, lvq8, 331,479 vectors of dimension 100, cosine"
std::string summary(const IndexInfo& info);

}  // namespace kith::cli
