// Text search: documents ranked by BM25 (Robertson, Walker, Jones, Hancock-Beaulieu and Gatford,
// "Okapi at TREC-3", 1995) in the form that Lucene uses,
//
//   sum over the query's words of  idf * count / (count + k1 * (1 - b + b * length / mean length)),
//   idf = ln(1 + (documents - holding + 0.5) / (holding + 0.5)),
//
// where `count` is how often the document holds the word (255 at most), `holding` how many
// documents hold it, and a word that stands twice in the query counts twice. All scores are above
// zero.
//
//   kith::TextIndex index = kith::TextIndex::build(texts, {}, {.analyser = {.stem = true}});
//   kith::Neighbours hits = index.search(queries, 10);
//
// Thread-safety: any number of threads may call const functions at once; add needs the index for
// itself.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kith/control.h"
#include "kith/index.h"
#include "kith/labels.h"
#include "kith/neighbours.h"
#include "kith/sparse.h"

namespace kith {

// How a text becomes words (src/text/analyser.h): split at what is neither letter nor digit, in
// lower case. An index keeps this, so that queries are analysed as its texts were.
struct AnalyserOptions {
  bool stop_words = false;  // leave out 33 frequent English words: the, and, of ...
  bool stem = false;        // cut English suffixes (Porter, 1980)
};

struct TextOptions {
  AnalyserOptions analyser = {};
  // How soon repeats of a word stop counting, 0 and above, and how much long documents are held
  // back, from 0 to 1. The defaults are Lucene's; Anserini ranks passages with 0.9 and 0.4.
  double k1 = 1.2, b = 0.75;
  bool keep_text = false;  // store the texts, for text()
  Control control = {};
};

class TextIndex {
 public:
  // Throws invalid_argument for no texts, labels that don't match, or k1 or b out of range. A text
  // may be empty. Texts are bytes, taken as UTF-8.
  static TextIndex build(std::span<const std::string_view> texts, const Labels& labels,
                         const TextOptions& options = {});

  // Opens a file, by default mapped read-only. Throws corrupt, or unsupported for a newer version.
  static TextIndex open(const std::string& path, const OpenOptions& options = {});

  TextIndex(TextIndex&&) noexcept;
  TextIndex& operator=(TextIndex&&) noexcept;
  ~TextIndex();

  // The k documents that score most for each query, ties by id; only those that hold one of its
  // words, so there may be fewer: the rest is padded. Distances are negated scores.
  Neighbours search(std::span<const std::string_view> queries, std::size_t k,
                    const SparseSearchOptions& options = {}) const;

  // Adds texts after the last one and then answers exactly as an index built of all would. Writes
  // all lists anew: add many texts at once.
  void add(std::span<const std::string_view> texts, const Labels& labels,
           const Control& control = {});

  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path, const Control& control = {}) const;

  std::size_t size() const;
  const Labels& labels() const;
  TextOptions options() const;                        // but for control
  std::optional<std::string_view> text(Id id) const;  // none unless texts were kept
  double mean_length() const;                         // words a text
  SparseInfo info() const;

 private:
  class Implementation;
  explicit TextIndex(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kith
