// An index: vectors, the codes they are stored as, and the structure that finds neighbours.
//
//   kith::Vectors words = kith::read_vectors("words.fvecs");
//   kith::Index index = kith::Index::build(words.rows, words.labels, {.metric = Metric::cosine});
//   kith::Neighbours hits = index.search(queries, 10);
//   index.save("words.kith");
//
// Thread-safety: any number of threads may call any function at once, moving aside. Searches run
// while one call changes the index; calls that change it wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"
#include "kith/filter.h"
#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/trained_binariser.h"
#include "kith/trained_codebooks.h"
#include "kith/trained_lists.h"
#include "kith/types.h"

namespace kith {

struct BuildOptions {
  Metric metric = Metric::l2;

  // "graph", "flat" (exact), "ivf" (inverted file: quick to build, small, best in batches), or
  // "auto": flat below kFlatBelow vectors, else the quicker to search of a graph and an inverted
  // file, by a trial on a few vectors. What asks for one of them decides first: lists or a product
  // codec for ivf; a degree, a build beam, an order, byte elements or another codec for a graph.
  std::string index = "auto";

  // A codec's name, e.g. "f32", "lvq8", "lvq4x8", "rot-lvq4+f16"; see docs/codecs.md. "auto"
  // chooses from the element type, dimension and a sample.
  std::string codec = "auto";

  // Not empty: in two tiers, for collections larger than memory. Candidates are found by `codec`,
  // which is without '+' and in memory, and judged by vectors on disk in this codec ("f16", "lvq8"
  // ...: one whose vectors are records), which are written to `disk_file` as they are read. That
  // file gets its name when the index is saved.
  std::string disk = "";
  std::string disk_file = "";

  // Out-edges of a node in the graph; 0 chooses 32, 48 or 64 by the intrinsic dimension of a
  // sample. An edge takes as many bits as the number of vectors has.
  std::size_t degree = 0;

  // Lists of an inverted file; 0 chooses about twice the square root of the number of vectors.
  std::size_t lists = 0;

  // Lists of an inverted file have at most so many times their mean length, as far as centres that
  // move from short lists to long ones can bring it about; 0: lists as k-means leaves them.
  // From 1.2 on; 2 is a good choice. Even lists bound how long the slowest queries take;
  // docs/guide.md says what else they change.
  double balance = 0;

  // Candidates kept while a node searches for its neighbours; 0 chooses from the degree. More is
  // slower to build and gives a better graph.
  std::size_t build_beam = 0;

  // In which order a graph takes its vectors in: "random"; "given", the rows' order; "by-label",
  // category by category as they first come up (a category is a label up to its first '/', or a
  // number), each in random order; "lid-ascending" or "lid-descending", by local intrinsic
  // dimension (kith/lid.h; among a sample of 20,000, which takes rows * 20000 * dim), equal ones
  // in random order and those without a LID last. Ids are the rows' numbers in every order. Any
  // but "random" needs a graph; docs/guide.md says what it changes.
  std::string order = "random";

  // Recall@10 that the stored default beam aims for, measured on vectors held out of the build.
  double recall = 0.95;

  // Of a codec "leanvecN-...": queries like those to come, from which, too, the reduction is
  // learned (about 10,000 are enough; keep them apart from what recall is measured with), and how:
  // "id" from the vectors alone, "es" or, not for l2, "fw" or "es+fw" from both
  // (src/codec/leanvec.h); "auto": es where there are queries, else id. The default beam
  // and how much is re-scored are then measured with them.
  AnyMatrixView train_queries = {};
  std::string leanvec = "auto";

  // Of an inverted file: centres and codewords that were learned elsewhere, of this dimension and
  // metric. They say how many lists there are and which product code.
  std::shared_ptr<const TrainedLists> trained = {};

  // Of codecs bitsMxN: what makes the codes, of this dimension and of those numbers. Without a
  // codec's name it is the codec, in an inverted file that of the lists.
  std::shared_ptr<const TrainedBinariser> binariser = {};

  // Of codecs vqMxN: codewords in place of those of k-means, of this dimension and metric and of
  // those numbers. Without a codec's name it is the codec, in an inverted file the one that
  // re-ranks.
  std::shared_ptr<const TrainedCodebooks> codebooks = {};

  std::uint64_t seed = 1;
  Control control = {};
};

struct SearchOptions {
  // Breadth of the search, about as many nodes of a graph or lists of an inverted file: larger
  // finds more and costs more. 0 is the index's default.
  std::size_t beam = 0;

  // Candidates re-scored by the best codes. 0: as many as can still matter, of a graph at most
  // four times the beam.
  std::size_t rerank = 0;

  Control control;

  // What may be returned; by default everything.
  Filter filter = {};
};

struct MergeOptions {
  // Of vectors with equal labels in several indexes the last index's is kept; otherwise they are an
  // error.
  bool replace = false;

  // The vectors themselves, for codes that lose less: none, or one view for each of the others,
  // whose row i is the vector of id i there.
  std::vector<AnyMatrixView> vectors = {};

  Control control = {};
};

struct OpenOptions {
  // Check every section's checksum before its content is used; otherwise only the small ones.
  bool verify = true;

  // Read the file into memory, on huge pages where the system grants them, instead of mapping it:
  // opening then takes as long as reading, and searches get some 10 % faster.
  bool in_memory = false;

  // Of an index in two tiers. Where its vectors are, if elsewhere than the file says; whether to
  // read past the system's page cache; bytes of memory for vectors that come up again; "io_uring",
  // "threads", or "auto", also if empty: io_uring where the system grants it (an empty one goes by
  // the environment variable KITH_DISK_READER, too); whether to read and check all of that file
  // before anything else (`verify` doesn't: each vector is checked when it is read).
  std::string disk_file = "";
  bool disk_direct = false;
  std::size_t disk_cache = 0;
  std::string disk_reader = "";
  bool verify_disk = false;
};

// The vectors on disk of an index in two tiers, and what was read of them since it was opened.
struct DiskInfo {
  std::string file, codec, reader;      // empty: there are none; "io_uring" or "threads"
  std::size_t bytes = 0;                // of the file
  std::size_t vectors = 0, cached = 0;  // wanted; of these, found in the cache
  std::size_t reads = 0, read_bytes = 0;
};

// What `kith info` prints.
struct IndexInfo {
  std::string kind;   // "graph", "flat" or "ivf"
  std::string codec;  // full name, e.g. "rot-lvq4x8"
  Metric metric = Metric::l2;
  ElementType element = ElementType::f32;  // what it was built from
  std::size_t vectors = 0, removed = 0, dim = 0, degree = 0, lists = 0, default_beam = 0;
  double longest_list = 0;  // of an inverted file, as a multiple of the mean length
  Labels::Kind labels = Labels::Kind::none;
  double tuned_recall = 0;  // recall@10 the default beam was tuned for; 0: never tuned
  std::uint64_t file_version = 0;
  // Bytes by part (codes, neighbour lists, labels ...), in file order; their sum is the index.
  std::vector<std::pair<std::string, std::size_t>> bytes;
  DiskInfo disk;
};

class Index {
 public:
  static constexpr std::size_t kFlatBelow = 2000;

  // Builds over `rows`. The same seed gives the same index for any number of threads. Throws
  // invalid_argument for an empty base, a component that isn't finite, a zero vector under cosine,
  // an unknown codec, index or order, or labels that don't match the rows.
  static Index build(const AnyMatrixView& rows, const Labels& labels, const BuildOptions& options);

  // Opens a file, by default mapped read-only. Throws corrupt, or unsupported for a newer version.
  // Where vectors are on disk, opening throws too when their file is missing or another index's,
  // and searches throw io or corrupt when they meet what can't be read.
  static Index open(const std::string& path, const OpenOptions& options = {});

  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

  // The k nearest of each query. Rows are padded when the index holds fewer than k vectors.
  // Throws invalid_argument when dimensions differ, k = 0, a component isn't finite, or a query is
  // zero under cosine.
  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options = {}) const;

  // All vectors found within `radius` of each query, nearest first. The radius is a customary
  // value: at most this squared distance for l2, at least this similarity for ip and cosine.
  // Exact for flat; for a graph the walk goes on while it meets vectors inside the radius.
  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options = {}) const;

  // From now on queries are vectors of another model, of binariser.dim() dimensions, whose
  // binariser was trained to search the codes that are here (kith train codec, compatible_with):
  // vectors need not be coded again. Vectors that are added still are of the old model. Throws
  // invalid_argument for another binariser, and where vectors have other codes, too.
  void read_queries_by(const TrainedBinariser& binariser);
  // Dimensions of queries: dim() but for read_queries_by().
  std::size_t query_dim() const;

  // Adds rows; returns their ids: those of removed vectors that are free again, lowest first, then
  // new ones after the last. Searches find all of the rows or none; when add throws, none. The
  // first change to an opened index copies what it must change into memory; the file is untouched
  // until save. A graph takes in few rows where it stands, many (a hundredth of what it has) in a
  // copy of its edges that then takes their place. Throws unsupported where vectors are on disk; so
  // does merge.
  std::vector<Id> add(const AnyMatrixView& rows, const Labels& labels, const Control& control = {});

  // Takes in what the others hold, built apart, of any kind, codec and element type but of this
  // index's metric and dimension. Ids, codes and settings here stay; the others' vectors come in
  // their order, under the ids that add() would give. They are encoded as this index encodes, from
  // options.vectors or else from the best codes they have. A graph that meets a graph joins its
  // edges. What comes in costs about what adding it does: let the largest be first. Labels travel;
  // vectors without, where others have some, get their ids. Throws invalid_argument, with this
  // index unchanged, when the others don't fit or share labels; cancelled, it may hold some of the
  // others. They may be searched meanwhile but not changed.
  void merge(std::span<const Index* const> others, const MergeOptions& options = {});

  // No search that starts after this returns has any of the ids. Their room is used again: in a
  // flat index at once; in others once a tenth of the vectors is removed, when what led to them is
  // led past them, which takes time in proportion to the index. Throws invalid_argument, removing
  // none, for an id that isn't there, is removed already or is given twice.
  void remove(std::span<const Id> ids, const Control& control = {});

  // Whether the id is one of a vector that isn't removed.
  bool contains(Id id) const;
  // A vector with that label; O(size()).
  std::optional<Id> find(std::string_view label) const;

  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path, const Control& control = {}) const;

  // The stored vector (decoded from the best codes there are), dim() floats into `out`.
  void vector(Id id, float* out) const;

  std::size_t size() const;      // vectors, without removed ones
  std::size_t id_limit() const;  // all ids are below it
  std::size_t dim() const;
  Metric metric() const;
  Labels labels() const;  // of the ids below id_limit()
  IndexInfo info() const;

  // The beam that a search with beam = 0 uses, and the recall it was tuned for.
  void set_default_beam(std::size_t beam, double recall);

  class Implementation;  // src/index/implementation.h

 private:
  explicit Index(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
  std::unique_ptr<std::mutex> change_ = std::make_unique<std::mutex>();
};

// Forecast for an index that isn't built yet: bytes by part, and seconds (measured on a sample of
// `rows`, extrapolated).
struct BuildPlan {
  std::string kind, codec;
  std::size_t degree = 0, build_beam = 0;  // of a graph
  std::size_t lists = 0;                   // of an inverted file
  std::vector<std::pair<std::string, std::size_t>> bytes;
  std::size_t disk_bytes = 0;         // of the file of vectors on disk
  std::size_t peak_memory_bytes = 0;  // while building, beside the mapped input
  double build_cpu_seconds = 0;
};
BuildPlan plan_build(const AnyMatrixView& rows, const Labels& labels, const BuildOptions& options);

}  // namespace kith
