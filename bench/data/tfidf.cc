#include "bench/data/tfidf.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace kith::bench {
namespace {

struct Term {
  std::uint32_t documents = 0;  // that contain it
  std::uint32_t last = 0;       // number + 1 of the last one seen
  std::uint32_t column = 0;
};

using Terms = std::unordered_map<std::uint64_t, Term>;

Terms count_documents(const std::vector<std::vector<std::uint64_t>>& documents) {
  Terms found;
  for (std::uint32_t d = 0; d < documents.size(); ++d) {
    for (const std::uint64_t term : documents[d]) {
      Term& entry = found[term];
      if (entry.last == d + 1) continue;
      entry.last = d + 1;
      ++entry.documents;
    }
  }
  return found;
}

// Columns in the order of hashes, which doesn't depend on the standard library's hash table.
std::size_t number_columns(Terms& found, std::size_t min_documents) {
  std::vector<std::uint64_t> kept;
  for (const auto& [term, entry] : found) {
    if (entry.documents >= min_documents) kept.push_back(term);
  }
  std::sort(kept.begin(), kept.end());
  for (std::uint32_t i = 0; i < kept.size(); ++i) found[kept[i]].column = i;
  return kept.size();
}

void scale_to_unit(std::vector<std::pair<std::uint32_t, float>>& row) {
  double squares = 0;
  for (const auto& entry : row) squares += static_cast<double>(entry.second) * entry.second;
  const auto scale = squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0.0f;
  for (auto& entry : row) entry.second *= scale;
}

}  // namespace

Sparse tf_idf(const std::vector<std::vector<std::uint64_t>>& documents, std::size_t min_documents) {
  Terms found = count_documents(documents);
  Sparse matrix;
  matrix.cols = number_columns(found, min_documents);
  const auto total = static_cast<double>(documents.size());
  std::vector<std::uint64_t> sorted;
  std::vector<std::pair<std::uint32_t, float>> row;
  for (const auto& document : documents) {
    sorted = document;
    std::sort(sorted.begin(), sorted.end());
    row.clear();
    for (std::size_t i = 0, next; i < sorted.size(); i = next) {
      next = i + 1;
      while (next < sorted.size() && sorted[next] == sorted[i]) ++next;
      const Term& term = found.at(sorted[i]);
      if (term.documents < min_documents) continue;
      const double idf = 1 + std::log((1 + total) / (1 + term.documents));
      const double tf = 1 + std::log(static_cast<double>(next - i));
      row.emplace_back(term.column, static_cast<float>(tf * idf));
    }
    scale_to_unit(row);
    for (const auto& [column, value] : row) {
      matrix.columns.push_back(column);
      matrix.values.push_back(value);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

}  // namespace kith::bench
