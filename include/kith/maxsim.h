// Late interaction: sets of vectors compared by MaxSim, also called Chamfer similarity (Khattab and
// Zaharia, "ColBERT", 2020). Each vector of the query finds its largest inner product with a vector
// of the document; their sum is the similarity. It isn't symmetric.
//
//   kith::Neighbours truth = kith::exact_maxsim(documents.sets, queries.sets, {.k = 100});
//
// Thread-safety: these functions may be called from any number of threads.
#pragma once

#include <cstddef>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/vector_sets.h"

namespace kith {

// sum over rows q of `query` of max over rows p of `document` of <q, p>. Products are summed in
// float32, in order of the dimensions; their sum over the query in double. Throws invalid_argument
// where one has no rows or their dimensions differ.
float maxsim(const AnyMatrixView& query, const AnyMatrixView& document);

struct MaxSimOptions {
  std::size_t k = 100;
  Control control = {};
};

// The k sets of `base` with the largest MaxSim for each set of `queries`, ties by id. Distances are
// negated similarities, as of Metric::ip. The same for any number of threads and any grouping of
// the queries. O(query vectors * base vectors * dim). Throws invalid_argument for k = 0, an empty
// base or set, offsets that don't fit, dimensions that differ, or a component that isn't finite.
// When k exceeds the base's sets, result rows are padded.
Neighbours exact_maxsim(const VectorSetsView& base, const VectorSetsView& queries,
                        const MaxSimOptions& options = {});

// Ball carving (Dhulipala et al., "MUVERA: Multi-Vector Retrieval via Fixed Dimensional Encodings",
// 2024, C.3): fewer vectors a query, for a cheaper and slightly different MaxSim. The first vector
// left over takes with it all left over whose inner product with it is at least `threshold`, and
// the group becomes its sum; until none is left. Meant for vectors of length 1; the paper uses 0.7.
// Throws as exact_maxsim does, and for a threshold that is NaN.
VectorSetRows carve(const VectorSetsView& queries, float threshold);

}  // namespace kith
