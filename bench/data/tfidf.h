// TF-IDF (Sparck Jones, 1972): a document's row holds (1 + log tf) * idf for each of its terms,
// with idf = 1 + log((1 + documents) / (1 + df)), scaled to norm 1. Terms of fewer than
// `min_documents` documents are dropped; a document that keeps none has an empty row.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/data/sparse.h"

namespace kith::bench {

Sparse tf_idf(const std::vector<std::vector<std::uint64_t>>& documents, std::size_t min_documents);

}  // namespace kith::bench
