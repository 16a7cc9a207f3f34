// What the verbs do with inverted indexes: of texts (kind bm25) and of sparse vectors (kind
// sparse). Verbs look at the kind and come here.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/table.h"
#include "kith/text_index.h"

namespace kith::cli {

enum class IndexKind { vectors, sets, sparse, texts };

// Of an index file; throws as opening it would.
IndexKind kind_of_index(const std::string& path);

// ---- kith build ---------------------------------------------------------------------------------
struct InvertedChoices {
  TextOptions text;
  std::string weights = "f32";
};

// --stop-words, --stem, --k1, --b, --keep-text, --weights.
void add_inverted_choices(CLI::App& verb, InvertedChoices& choices);
// Throws when options were given that the index named (one of the inverted ones or any other)
// doesn't take.
void check_choices(const CLI::App& verb, const std::string& index);
void build_texts(const std::string& input, const std::string& output, const std::string& format,
                 const InvertedChoices& choices, const CommonOptions& common);
void build_sparse(const std::string& input, const std::string& output,
                  const InvertedChoices& choices, const CommonOptions& common);

// ---- kith search --------------------------------------------------------------------------------
struct InvertedQuery {
  std::string index, queries, output, format;
  std::vector<std::string> typed;  // --query
  std::size_t k = 10;
};
void search_texts(const InvertedQuery& query, const CommonOptions& common);
void search_sparse(const InvertedQuery& query, const CommonOptions& common);

// ---- kith info, kith add ------------------------------------------------------------------------
Record texts_record(const std::string& path);
Record sparse_record(const std::string& path);
void add_texts(const std::string& index, const std::string& input, const std::string& output,
               const std::string& format, const CommonOptions& common);
void add_sparse(const std::string& index, const std::string& input, const std::string& output,
                const CommonOptions& common);

// A text on one line of at most `columns`, cut with "..." where it is longer.
std::string snippet(std::string_view text, std::size_t columns);

}  // namespace kith::cli
