// Exact nearest neighbours without an index, and recall against them.
#pragma once

#include <cstddef>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/types.h"

namespace kith {

struct ExactOptions {
  std::size_t k = 100;
  Metric metric = Metric::l2;
  Control control;
};

// The k nearest rows of `base` for each row of `queries`, ties broken by id. Distances are computed
// in double precision and rounded to float32 (so byte vectors give exact integers up to 2^24), and
// two rows tie when the rounded distances are equal; cosine distance is 1 - similarity, with the
// similarity rounded. The result is the same for any number of threads, any instruction set and any
// grouping of the queries. O(queries * rows * dim), run as blocked matrix products that
// discard only what provably isn't among the k nearest: in float32, or where the processor has tile
// registers (AMX) in bfloat16, for which Linux is asked once for the whole process (arch_prctl(2)).
// Throws invalid_argument when dimensions
// differ, k = 0, the base is empty, a component isn't finite, or a vector is zero under cosine.
// When k exceeds the base's rows, result rows are padded.
Neighbours exact_search(const AnyMatrixView& base, const AnyMatrixView& queries,
                        const ExactOptions& options);

// recall@k of `found` against `truth`, averaged over queries and counted tie-aware: a returned id
// is right when the truth lists it at a distance no larger than that of the k-th true neighbour
// (relative tolerance 1e-5; truth that lies in files as similarities is judged by those), so
// vectors that tie for the last place are all accepted. Truth without distances falls back to
// comparing the first k ids. `among` counts what is right among so many found, as candidates for
// something better to rank; 0: among k. Throws when shapes don't fit.
double recall_at(const Neighbours& found, const Neighbours& truth, std::size_t k,
                 std::size_t among = 0);

}  // namespace kith
