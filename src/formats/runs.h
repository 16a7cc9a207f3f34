// Ranked lists as TREC runs: a line a hit, "QUERY Q0 DOCUMENT RANK SCORE TAG", fields apart by
// spaces or tabs. Hits count by descending score, equal ones in the order of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "formats/format.h"

namespace kith::formats {

struct RunHit {
  std::string_view document;
  double score;
};

struct RunQuery {
  std::string_view query;
  std::vector<RunHit> hits;
};

// Queries in the order in which they first stand there; views into the input. Throws corrupt.
std::vector<RunQuery> parse_run(const Input& in);

// Throws unsupported for names that are empty or hold white space.
void write_run_hit(AtomicFile& file, std::string_view query, std::string_view document,
                   std::size_t rank, double score);

}  // namespace kith::formats
