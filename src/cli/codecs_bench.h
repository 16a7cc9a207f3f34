// Every codec on one collection: what its codes find, what they take, how fast they are searched.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kith/index.h"
#include "kith/neighbours.h"

namespace kith::cli {

struct CodecResult {
  std::string codec, family;  // family: what is drawn as one line
  std::string held;   // how vectors were found: "scan", "scan of lists", "lists", "scan, re-ranked"
  double bytes = 0;   // a vector, of all that a search reads
  double recall = 0;  // recall@10 of the ten found
  double among_100 = 0;  // of the ten nearest, among the first hundred by codes; 0: not asked
  double single = 0, batched = 0;  // queries a second of processor time
  double build_cpu_seconds = 0;
};

struct CodecsBench {
  AnyMatrixView base, queries;
  Metric metric = Metric::cosine;
  Neighbours truth;  // exact, 100 a query; cosines as similarities (ties.h)
  std::size_t rounds = 3;
  double seconds = 0.3;  // of single queries, a round
  std::uint64_t seed = 1;
  Control control;
};

// Codecs that suit vectors of this type, dimension and metric, by family, small codes first.
std::vector<std::string> codecs_to_try(const AnyMatrixView& base, Metric metric);

// Throws invalid_argument for what is no codec.
void check_codec(const std::string& codec);

// Builds over the base and searches with all queries: "pqN" scans all lists by their codes alone,
// "pqN+X" is an inverted file as people build it, searched at its default beam; all others are
// scanned whole, by their codes unless X re-ranks. `trained` has what was learned elsewhere for
// that codec, if anything was. Throws invalid_argument for a codec that can't hold these vectors.
CodecResult measure_codec(const CodecsBench& bench, const std::string& codec,
                          const BuildOptions& trained = {});

}  // namespace kith::cli
