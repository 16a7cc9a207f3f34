// Vectors on disk that judge an index's candidates, of another model than the index's: a small
// model's codes in memory find candidates, a better one's vectors, of which only the candidates'
// are read, rank them. BiDR (Xiao et al., "Progressively Optimized Bi-Granular Document
// Representation for Scalable Embedding Based Retrieval", 2022) trains two such models; where both
// tiers are of one model, BuildOptions::disk is simpler.
//
//   kith::Index index = kith::Index::build(small, labels, {.codec = "pq16"});
//   kith::Verifier verifier =
//       kith::Verifier::build(large, {.metric = kith::Metric::ip, .file = "x.kith.verify"});
//   index.save("x.kith");
//   verifier.save();
//   kith::Neighbours candidates = index.search(small_queries, 1000);
//   kith::Neighbours hits = verifier.rerank(large_queries, candidates, 10);
//
// Thread-safety: any number of threads may call const functions at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kith/control.h"
#include "kith/index.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/types.h"

namespace kith {

struct VerifierOptions {
  Metric metric = Metric::l2;

  // How vectors are stored: a codec whose vectors are records of their own, as for
  // BuildOptions::disk: "f32", "f16", "lvq8", "rot-lvq8" ... (docs/codecs.md).
  std::string codec = "f16";

  // The file to write. The vectors go to a second one, `disk_file`, or if that is empty to this
  // name with ".disk" behind it.
  std::string file = "";
  std::string disk_file = "";

  std::uint64_t seed = 1;
  Control control = {};
};

struct RerankOptions {
  // Adds so many times the candidate's own similarity to the verifier's: 0 in the paper, 0.3 in the
  // authors' program. Not for l2.
  float candidate_weight = 0;

  Control control = {};
};

// What `kith info` prints.
struct VerifierInfo {
  std::string codec;
  Metric metric = Metric::l2;
  ElementType element = ElementType::f32;  // what it was built from
  std::size_t vectors = 0, dim = 0;
  std::uint64_t file_version = 0;
  std::size_t bytes = 0;  // in memory, beside the cache
  DiskInfo disk;          // where the vectors are, and what was read of them so far
};

class Verifier {
 public:
  // Row i judges the index's vector i. Rows are read once, front to back; all is written, under
  // temporary names, when it returns. Throws invalid_argument for no rows, a component that isn't
  // finite, a zero vector under cosine, a codec without records and no file; io.
  static Verifier build(const AnyMatrixView& rows, const VerifierOptions& options);

  // Of `options` what says how vectors on disk are read counts (the names with "disk" in them), and
  // `verify`. Throws not_found, corrupt, or unsupported for a newer version: also where the file of
  // the vectors is missing, cut off or another verifier's.
  static Verifier open(const std::string& path, const OpenOptions& options = {});

  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;
  ~Verifier();

  // Gives what build() wrote its names; without it the files go when the verifier does. Where both
  // names were taken, a crash between them leaves a pair that open() refuses.
  void save();

  // Of each query's candidates the k nearest by the vectors here, nearest first, ties by id; rows
  // are padded where candidates are fewer. Row q of `candidates` belongs to query q and is what
  // Index::search returned (any order, padding skipped); its distances count, and must be there,
  // only with a candidate_weight w. Then they must be distances of this metric, ip or cosine, and
  // hits are ranked by, and have as their customary value, similarity + w * candidate's similarity.
  // Reads the records of all candidates, those of 16 queries together: O(queries * candidates).
  // Throws invalid_argument when shapes don't fit, k = 0, a component isn't finite, a query is zero
  // under cosine, or candidates are beyond the vectors, given twice, or without a finite distance
  // that counts; io or corrupt, naming file and offset, for what can't be read.
  Neighbours rerank(const AnyMatrixView& queries, const Neighbours& candidates, std::size_t k,
                    const RerankOptions& options = {}) const;

  // Throws invalid_argument unless the index has as many ids as there are vectors here.
  void check_fits(const Index& index) const;

  // The stored vector, decoded, dim() floats into `out`. Throws invalid_argument for an id beyond
  // the vectors, and what reading throws.
  void vector(Id id, float* out) const;

  std::size_t size() const;
  std::size_t dim() const;
  Metric metric() const;
  VerifierInfo info() const;

 private:
  class Implementation;
  explicit Verifier(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kith
