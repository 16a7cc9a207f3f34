// What the verbs do with sets of vectors and indexes of them (kind sets).
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "cli/cli.h"
#include "cli/table.h"
#include "kith/set_index.h"
#include "kith/vectors.h"

namespace kith::cli {

// ---- kith build ---------------------------------------------------------------------------------
struct MultiChoices {
  bool multi = false;
  std::string fde = "20,5,16", fill = "auto";
  SetBuildOptions options;
};

// --multi, --fde, --fde-projection, --fde-final, --fill, --tokens, --centroids.
void add_multi_choices(CLI::App& verb, MultiChoices& choices);
// Throws when options of sets were given without --multi, or others with it.
void check_multi_choices(const CLI::App& verb, const MultiChoices& choices,
                         const std::string& index);
void build_sets(const std::string& input, const std::string& output, const BuildOptions& candidates,
                const MultiChoices& choices, const ReadOptions& read, const CommonOptions& common);

// ---- kith search, kith eval ---------------------------------------------------------------------
struct SetQuery {
  std::string index, queries, output;
  std::size_t k = 10, candidates = 0, beam = 0;
  std::optional<float> carve;
  ReadOptions read;
};
void search_sets(const SetQuery& query, const CommonOptions& common);

// Sets to search for, of the index's dimension.
VectorSets read_query_sets(const std::string& path, const SetIndex& index,
                           const std::string& index_path, const ReadOptions& read,
                           const Control& control);

// "8,000 sets of 600,123 vectors of dimension 128, lvq8; graph, lvq8, of encodings of dimension
// 5120".
std::string summary(const SetInfo& info);

// ---- kith info ----------------------------------------------------------------------------------
Record sets_record(const std::string& path);
// Of a file of sets.
Record set_file_record(const std::string& path, const ReadOptions& read);

}  // namespace kith::cli
