#include "index/count_rows.h"

#include <algorithm>
#include <optional>

#include "base/parallel.h"
#include "base/progress.h"
#include "text/analyser.h"

namespace kith {
namespace {

constexpr std::size_t kChunk = 2048;  // texts that one thread counts by a dictionary of its own

struct Chunk {
  text::Dictionary dictionary;
  CountRows counted;
};

// Sorts a text's terms and appends each with its count.
void append_row(std::vector<Term>& terms, CountRows& to) {
  to.lengths.push_back(static_cast<std::uint32_t>(terms.size()));
  std::sort(terms.begin(), terms.end());
  for (std::size_t i = 0; i < terms.size();) {
    std::size_t end = i;
    while (end < terms.size() && terms[end] == terms[i]) ++end;
    to.rows.add(terms[i], static_cast<float>(std::min(end - i, kMostCount)));
    i = end;
  }
  to.rows.end_row();
}

void count_chunk(std::span<const std::string_view> texts, const AnalyserOptions& options,
                 Chunk& chunk) {
  text::Analyser analyser(options);
  std::vector<Term> terms;
  for (const std::string_view text : texts) {
    terms.clear();
    analyser.terms(text,
                   [&](std::string_view term) { terms.push_back(chunk.dictionary.add(term)); });
    append_row(terms, chunk.counted);
  }
}

void append_chunk(Chunk& chunk, text::Dictionary& dictionary, CountRows& all) {
  std::vector<Term> global(chunk.dictionary.size());
  for (std::size_t t = 0; t < global.size(); ++t) {
    global[t] = dictionary.add(chunk.dictionary[static_cast<Term>(t)]);
  }
  const std::uint64_t before = all.rows.terms.size();
  const SparseRows& rows = chunk.counted.rows;
  for (const Term term : rows.terms) all.rows.terms.push_back(global[term]);
  all.rows.weights.insert(all.rows.weights.end(), rows.weights.begin(), rows.weights.end());
  for (std::size_t i = 1; i < rows.offsets.size(); ++i) {
    all.rows.offsets.push_back(before + rows.offsets[i]);
  }
  all.lengths.insert(all.lengths.end(), chunk.counted.lengths.begin(), chunk.counted.lengths.end());
}

}  // namespace

CountRows count_terms(std::span<const std::string_view> texts, const AnalyserOptions& options,
                      text::Dictionary& dictionary, const Control& control) {
  const std::size_t count = (texts.size() + kChunk - 1) / kChunk;
  std::vector<std::optional<Chunk>> chunks(count);
  Progress progress(control, "words", texts.size());
  parallel_for(control, count, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t c = begin; c < end; ++c) {
      const std::size_t first = c * kChunk, size = std::min(kChunk, texts.size() - first);
      count_chunk(texts.subspan(first, size), options, chunks[c].emplace());
      progress.add(size);
    }
  });
  CountRows all;
  for (std::optional<Chunk>& chunk : chunks) {
    append_chunk(*chunk, dictionary, all);
    chunk.reset();
  }
  return all;
}

}  // namespace kith
