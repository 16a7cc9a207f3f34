// What every kind of index has: its facts, its labels, its stored vectors, its file.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/id_set.h"
#include "base/row_loader.h"
#include "base/shared_mutex.h"
#include "base/topk.h"
#include "codec/spec.h"
#include "codec/stage.h"
#include "formats/kith_file.h"
#include "index/allowed.h"
#include "index/default_beam.h"
#include "index/tier_name.h"
#include "kith/index.h"

namespace kith {

// Vectors on their way into an index: row i is load(i). Those of another index are its `ids`.
struct Incoming {
  std::size_t count = 0;
  RowLoader load;
  const Index::Implementation* from = nullptr;
  std::span<const Id> ids = {};
};

class Index::Implementation {
 public:
  Implementation(Metric metric, std::size_t dim, ElementType element, const CodecSpec& codec,
                 std::uint64_t seed);
  virtual ~Implementation() = default;

  virtual std::string kind() const = 0;
  // Queries have been checked.
  virtual Neighbours search(const AnyMatrixView& queries, std::size_t k,
                            const SearchOptions& options) const = 0;
  // `radius` is a distance.
  virtual RangeNeighbours range(const AnyMatrixView& queries, float radius,
                                const SearchOptions& options) const = 0;
  virtual IndexInfo info() const;
  // Adds the parts of this kind to the file; the base's are there already.
  virtual void save_parts(KithFileWriter& writer, Meta& meta) const = 0;
  // Of the file, where all vectors are in it.
  virtual std::uint32_t plain_version() const;

  // Changes while searches run, asked for by one thread at a time (see Index). Rows are checked.
  std::vector<Id> add(const Incoming& rows, const Labels& tail, const Control& control);
  void remove(std::span<const Id> ids, const Control& control);
  // Room for others where vectors were removed.
  void clear_removed(const Control& control) {
    if (!linked_.empty()) unlink(true, control);
  }

  void save(const std::string& path, const Control& control) const;
  // All parts but the section "meta". The bytes are borrowed: nothing may change until they are
  // written.
  void save_all(KithFileWriter& writer, Meta& meta) const;
  static std::unique_ptr<Implementation> load(const KithFileReader& reader) {
    return load(reader, reader.meta());
  }
  static std::unique_ptr<Implementation> load(const KithFileReader& reader, const Meta& meta);

  // All ids are below it; some may be removed.
  std::size_t size() const { return primary_.size(); }
  std::size_t present() const { return size() - removed_.size(); }
  bool contains(Id id) const { return id < size() && !removed_.contains(id); }
  // The first vector present with the label.
  std::optional<Id> find(std::string_view label) const;
  // Dimensions of the queries that search() and range() get.
  std::size_t query_dim() const { return primary_.query_dim(); }
  // Throws invalid_argument where they can't be read otherwise.
  virtual void read_queries_by(std::shared_ptr<const Binariser> binariser);
  // The stage whose vectors are closest to what was put in; the one that may be on disk.
  const Stage& best() const { return rerank_ ? *rerank_ : primary_; }
  // Throws unsupported, saying that `change` needs vectors in memory, where they are on disk.
  void refuse_on_disk(const char* change) const;
  // Of an index that was loaded from `path`: where its vectors are, if they are on disk.
  void open_tier(const std::string& path, const OpenOptions& options);

  Metric metric;
  std::size_t dim;
  ElementType element;
  Labels labels;
  std::size_t default_beam = 0;
  double tuned_recall = 0;
  std::uint64_t file_version = kPlainFileVersion;

  // What searches read changes only under this lock; they hold it to read, a query or a few at a
  // time.
  mutable SharedMutex mutex;

 protected:
  // For loading.
  Implementation(const KithFileReader& reader, const Meta& meta);
  // What both stages learn from rows (and options.train_queries).
  void train(const AnyMatrixView& rows, const BuildOptions& options);
  // Stores all rows as ids 0, 1 ...
  void store_all(const AnyMatrixView& rows, const Control& control);

  // Makes stored vectors findable. Until add() is done they count as removed.
  virtual void link(std::span<const Id> ids, const Incoming& rows, const Control& control) = 0;
  // Takes the ids of linked_ out of all that searches meet, and erases them from it. May wait until
  // they are many enough to be worth it, unless it is to be `now`.
  virtual void unlink(bool now, const Control& control) = 0;

  // What searches may return, by the options' filter; to be made while the lock is held.
  Allowed allowed(const Filter& filter) const {
    return Allowed(filter, removed_, size(), linked_.size());
  }
  CodecSpec codec_spec() const;
  // What margins and the default beam are measured with: training queries where there are some, for
  // they are like those to come; else the `held` rows, which search() doesn't find yet.
  Matrix<float> measuring_queries(const AnyMatrixView& rows, std::span<const Id> held,
                                  const BuildOptions& options) const;
  // What the default beam is measured with, while search() doesn't find the `held` rows.
  BeamTrial beam_trial(const AnyMatrixView& rows, std::span<const Id> held,
                       const BuildOptions& options) const;
  SearchWithBeam trial_search(const Control& control) const;
  // The default beam for options.recall.
  DefaultBeam measure_beam(const BeamTrial& trial, const BuildOptions& options) const;
  // Stores all rows anew in primary_, as codec `name`. The codes before go first: to encode them
  // once more, should they be wanted again, costs little beside room for both.
  void recode(const std::string& name, const AnyMatrixView& rows, const BuildOptions& options);
  // Where primary_ is lvq4x8 and codec `name` would reach the recall as well, by a beam not much
  // wider than `finer`, it takes its place: what finds candidates stays the same.
  DefaultBeam try_smaller_codes(const std::string& name, const AnyMatrixView& rows,
                                const BeamTrial& trial, const BuildOptions& options,
                                const DefaultBeam& finer);

  Stage primary_;
  std::optional<Stage> rerank_;
  TierName tier_name_;  // until open_tier()
  IdSet removed_;       // no search returns them
  IdSet linked_;  // of these, those that searches may still meet; the others can be used again

 private:
  std::vector<Id> claim(std::size_t count);
  void store(const RowLoader& load, std::span<const Id> ids, const Control& control);
};

// What Index::build does.
std::unique_ptr<Index::Implementation> build_index(const AnyMatrixView& rows, const Labels& labels,
                                                   const BuildOptions& options);

// "graph", "flat" and "ivf" build from checked rows; options are resolved ("auto" and 0 are gone).
// `choose_codec`: nobody asked for the codec, a smaller one may take its place. `keys` are
// order_keys().
std::unique_ptr<Index::Implementation> build_flat(const AnyMatrixView& rows,
                                                  const BuildOptions& options);
std::unique_ptr<Index::Implementation> build_graph(const AnyMatrixView& rows,
                                                   std::span<const double> keys,
                                                   const BuildOptions& options, bool choose_codec);
std::unique_ptr<Index::Implementation> build_ivf(const AnyMatrixView& rows,
                                                 const BuildOptions& options, bool choose_codec);
std::unique_ptr<Index::Implementation> load_ivf(const KithFileReader& reader, const Meta& meta);
std::unique_ptr<Index::Implementation> load_flat(const KithFileReader& reader, const Meta& meta);
std::unique_ptr<Index::Implementation> load_graph(const KithFileReader& reader, const Meta& meta);

// Fills in what BuildOptions leaves to choose: index, codec, degree, lists, build_beam.
BuildOptions resolve(const BuildOptions& options, const AnyMatrixView& rows);

// Writes hits (ascending) into row `query`, padding what is left.
void put_hits(std::span<const Hit> hits, std::size_t query, Neighbours& result);
RangeNeighbours range_neighbours(std::span<const std::vector<Hit>> hits);

}  // namespace kith
