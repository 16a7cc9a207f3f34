// An index over sets of vectors, in one file: fixed dimensional encodings of the sets (kith/fde.h)
// under any codec and kind of index find candidates, and MaxSim with the stored vectors ranks them
// (kith/maxsim.h).
//
//   kith::VectorSets documents = kith::read_vector_sets("tokens.npz");
//   kith::SetIndex index = kith::SetIndex::build(documents.sets, documents.labels, {});
//   kith::Neighbours hits = index.search(queries.sets, 10, {.candidates = 200});
//   index.save("tokens.kith");
//
// Thread-safety: any number of threads may call const functions at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kith/control.h"
#include "kith/fde.h"
#include "kith/index.h"
#include "kith/labels.h"
#include "kith/neighbours.h"
#include "kith/vector_sets.h"

namespace kith {

struct SetBuildOptions {
  // How sets are encoded; the seed is the one below. A query is encoded alike, so that the two
  // can't differ. An inner dimension above that of the vectors means theirs.
  FdeOptions fde = {};

  // Overrides fde.fill_empty; by default empty cells are filled where sets have on average at least
  // as many vectors as an encoding has cells. With fewer, copies would make up most of it.
  std::optional<bool> fill = {};

  // How encodings are stored and found: index, codec, degree, lists, recall ... Metric, seed and
  // control are set from here.
  BuildOptions candidates = {};

  // How vectors are stored: "f32", "f16", "lvq8", "lvq4", or the nearest of many centroids and
  // what is left in 4 or 2 bits a dimension, "residual4", "residual2" (docs/codecs.md).
  std::string tokens = "f16";

  // Of residual codes; 0 chooses about four times the square root of the number of vectors.
  std::size_t centroids = 0;

  std::uint64_t seed = 1;
  Control control = {};
};

struct SetSearchOptions {
  // Sets that MaxSim ranks: more find more and cost more. 0: ten times k, at least 100.
  std::size_t candidates = 0;

  // Breadth of the search for candidates, as SearchOptions::beam.
  std::size_t beam = 0;

  // Ranks by fewer vectors a query, those that carve() leaves at this threshold (0.7 in the paper):
  // quicker, and slightly different similarities.
  std::optional<float> carve = {};

  Control control = {};
};

// What `kith info` prints.
struct SetInfo {
  std::size_t sets = 0, vectors = 0, dim = 0;
  std::string tokens;    // the vectors' codec
  std::string encoding;  // FdeEncoder::identity()
  bool fill = false;
  IndexInfo candidates;  // of the encodings
  Labels::Kind labels = Labels::Kind::none;
  std::uint64_t file_version = 0;
  std::vector<std::pair<std::string, std::size_t>> bytes;  // by part
};

class SetIndex {
 public:
  static constexpr std::size_t kLeastCandidates = 100, kCandidatesPerHit = 10;

  // The same seed gives the same index for any number of threads. Beside the sets it takes four
  // bytes a set and dimension of the encoding while it runs. Throws invalid_argument for an empty
  // base, sets that exact_maxsim would refuse, labels that don't match, or options that FdeEncoder
  // or Index::build would refuse.
  static SetIndex build(const VectorSetsView& sets, const Labels& labels,
                        const SetBuildOptions& options = {});

  // Opens a file, by default mapped read-only. Throws corrupt, or unsupported for a newer version
  // or other encodings than this version makes.
  static SetIndex open(const std::string& path, const OpenOptions& options = {});

  SetIndex(SetIndex&&) noexcept;
  SetIndex& operator=(SetIndex&&) noexcept;
  ~SetIndex();

  // Of each query's candidates the k with the largest MaxSim, ties by id; rows are padded when
  // there are fewer than k. Distances are negated MaxSim, exact in what is stored. Throws
  // invalid_argument for k = 0 and for queries that exact_maxsim would refuse.
  Neighbours search(const VectorSetsView& queries, std::size_t k,
                    const SetSearchOptions& options = {}) const;

  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path, const Control& control = {}) const;

  std::size_t size() const;  // sets
  std::size_t dim() const;   // of their vectors
  const Labels& labels() const;
  const FdeEncoder& encoder() const;
  SetInfo info() const;

  class Implementation;

 private:
  explicit SetIndex(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kith
