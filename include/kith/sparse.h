// Sparse vectors: few of very many components are above zero, such as the weights of a text's words
// (BM25, TF-IDF) or of a learned sparse encoder (SPLADE). An inverted index over them finds the
// largest inner products exactly.
//
//   kith::SparseVectors documents = kith::read_sparse("documents.csr");
//   kith::SparseIndex index = kith::SparseIndex::build(documents.rows, {});
//   kith::Neighbours hits = index.search(queries, 10);
//
// Thread-safety: any number of threads may call const functions at once; add needs the index for
// itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kith/control.h"
#include "kith/index.h"
#include "kith/labels.h"
#include "kith/neighbours.h"

namespace kith {

using Term = std::uint32_t;                                     // a component's number
inline constexpr std::size_t kMaxTerms = std::size_t{1} << 26;  // terms are below it

// Rows of (term, weight) pairs in compressed form: row i is [offsets[i], offsets[i + 1]) of terms
// and weights. Terms of a row may come in any order, each once. Weights are finite and not
// negative; zeros are left out.
struct SparseView {
  std::span<const std::uint64_t> offsets;  // one more than there are rows, from 0; empty: no rows
  std::span<const Term> terms;
  std::span<const float> weights;

  std::size_t rows() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  // Rows [first, first + count); terms and weights stay whole, so offsets go on counting from 0.
  SparseView slice(std::size_t first, std::size_t count) const {
    return {offsets.subspan(first, count + 1), terms, weights};
  }
};

// Owns its rows.
struct SparseRows {
  std::vector<std::uint64_t> offsets{0};
  std::vector<Term> terms;
  std::vector<float> weights;

  void add(Term term, float weight) {  // to the row that end_row will end
    terms.push_back(term);
    weights.push_back(weight);
  }
  void end_row() { offsets.push_back(terms.size()); }
  std::size_t rows() const { return offsets.size() - 1; }
  SparseView view() const { return {offsets, terms, weights}; }
  operator SparseView() const { return view(); }
};

// The rows of a file; `owner` keeps the bytes behind them alive.
struct SparseVectors {
  SparseView rows;
  std::shared_ptr<const void> owner;
};

// A .csr file of the big-ann sparse track (docs/vector-files.md), mapped. Throws corrupt naming
// file, position and reason.
SparseVectors read_sparse(const std::string& path);
void write_sparse(const std::string& path, const SparseView& rows);

struct SparseOptions {
  // How weights are stored: "f32" as they are, "f16" within 0.05 % of each, "u8" within 0.2 % of
  // the term's largest.
  std::string weights = "f32";
  Control control = {};
};

struct SparseSearchOptions {
  // Score every posting of the query's terms instead of skipping what can't be among the best. The
  // result is the same; for measuring what skipping saves.
  bool exhaustive = false;
  Control control = {};
};

// What `kith info` prints about an inverted index.
struct SparseInfo {
  std::string weights;  // "f32", "f16", "u8", or "counts" for BM25
  std::size_t rows = 0, terms = 0, postings = 0;
  Labels::Kind labels = Labels::Kind::none;
  std::uint64_t file_version = 0;
  std::vector<std::pair<std::string, std::size_t>> bytes;  // by part
};

class SparseIndex {
 public:
  // Throws invalid_argument for no rows, a weight that is negative or not finite, a term from
  // kMaxTerms on or twice in one row, labels that don't match, or an unknown kind of weights.
  // Takes some 20 bytes a posting while it runs.
  static SparseIndex build(const SparseView& rows, const Labels& labels,
                           const SparseOptions& options = {});

  // Opens a file, by default mapped read-only. Throws corrupt, or unsupported for a newer version.
  static SparseIndex open(const std::string& path, const OpenOptions& options = {});

  SparseIndex(SparseIndex&&) noexcept;
  SparseIndex& operator=(SparseIndex&&) noexcept;
  ~SparseIndex();

  // The k rows with the largest inner product with each query, ties by id; only rows above zero, so
  // there may be fewer: the rest is padded. Distances are negated inner products, summed in whole
  // numbers: apart from float rounding, within 2^-30 x terms of the query's largest possible one.
  // Terms that the index lacks are passed over. Throws invalid_argument for k = 0 and for queries
  // that build would refuse.
  Neighbours search(const SparseView& queries, std::size_t k,
                    const SparseSearchOptions& options = {}) const;

  // Adds rows after the last one and then answers as an index built of all would (weights stored as
  // u8 may differ by another half step, where a term's largest grows). Writes all lists anew: add
  // many rows at once.
  void add(const SparseView& rows, const Labels& labels, const Control& control = {});

  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path, const Control& control = {}) const;

  std::size_t size() const;
  const Labels& labels() const;
  SparseInfo info() const;

 private:
  class Implementation;
  explicit SparseIndex(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kith
