// The graph index: a navigable graph over the primary codes, searched best-first, the candidates
// re-scored by the best codes.
#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "index/beam_search.h"
#include "index/duplicates.h"
#include "index/graph_builder.h"
#include "index/implementation.h"
#include "index/margin.h"
#include "index/packed_graph.h"

namespace kith {
namespace {

constexpr std::size_t kMaxDegree = 1024;

// Scratch for searches, handed out and taken back so that a search allocates nothing after the
// first few.
class ScratchPool {
 public:
  std::unique_ptr<BeamScratch> take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<BeamScratch>();
    std::unique_ptr<BeamScratch> scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give(std::unique_ptr<BeamScratch> scratch) {
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<BeamScratch>> free_;
};

class GraphIndex : public Index::Implementation {
 public:
  GraphIndex(const AnyMatrixView& rows, const BuildOptions& options, bool choose_codec);
  GraphIndex(const KithFileReader& reader, const Meta& meta);

  std::string kind() const override { return "graph"; }
  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options) const override;
  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options) const override;
  void add(const AnyMatrixView& rows, const Control& control) override;
  IndexInfo info() const override;
  void save_parts(KithFileWriter& writer, Meta& meta) const override;

 private:
  // A query while it is searched: its floats for the primary and for the best codec.
  struct QueryVectors {
    std::vector<float> primary, best;
  };

  GraphParameters parameters(std::size_t degree) const;
  void choose_entries(std::span<const Id> nodes, const Control& control);
  std::size_t resolve_beam(std::size_t beam, std::size_t k) const;
  template <class Codec, class Emit>
  void search_all(const Codec& codec, const AnyMatrixView& queries, const Control& control,
                  const Emit& emit) const;
  void load_query(const AnyMatrixView& queries, std::size_t row, QueryVectors& vectors) const;
  void collect(std::span<const BeamKey> keys, std::size_t most, std::vector<Hit>& hits) const;
  void rescore(const QueryVectors& vectors, std::size_t k, float margin,
               std::vector<Hit>& hits) const;
  void measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                      const BuildOptions& options);

  std::size_t build_beam_;
  std::uint64_t seed_;
  // Of those truly among the nearest, nearly all (margin.h) seem at most this much farther to the
  // walk than they are. Files from before it was measured have none: all candidates are re-scored.
  float margin_ = kNoMargin;
  PackedGraph graph_;
  std::vector<Id> entries_;
  Duplicates duplicates_;
  mutable ScratchPool scratch_;
};

// Inner products can be negative, where scaling a distance turns the comparison around.
GraphParameters GraphIndex::parameters(std::size_t degree) const {
  GraphParameters parameters;
  parameters.degree = degree;
  parameters.build_beam = build_beam_;
  if (metric == Metric::ip) parameters.alpha = 1.0f;
  return parameters;
}

GraphIndex::GraphIndex(const AnyMatrixView& rows, const BuildOptions& options, bool choose_codec)
    : Implementation(options.metric, rows.dim(), rows.type(), CodecSpec::parse(options.codec),
                     options.seed),
      build_beam_(options.build_beam),
      seed_(options.seed) {
  const Control& control = options.control;
  train(rows, options);
  append(rows, control);
  Graph graph(slots_to_build(options.degree));
  graph.resize(rows.rows());
  const std::vector<Id> nodes = std::visit(
      [&](const auto& codec) {
        return duplicates_.absorb(0, rows.rows(), {}, [&](Id id) { return codec.code(id); });
      },
      primary_.codec());
  choose_entries(nodes, control);

  std::vector<Id> order = random_permutation(nodes.size(), options.seed);
  for (Id& place : order) place = nodes[place];
  std::stable_partition(order.begin(), order.end(), [&](Id id) {
    return std::find(entries_.begin(), entries_.end(), id) != entries_.end();
  });
  // The last vectors wait outside while they serve as queries to choose the default beam.
  const std::size_t held = std::min<std::size_t>(kBeamQueries, (nodes.size() - 1) / 20);
  const std::span<const Id> early = std::span(order).first(order.size() - held);
  const std::span<const Id> late = std::span(order).last(held);
  const auto extend = [&](std::span<const Id> fresh, std::size_t present) {
    std::visit(
        [&](const auto& codec) {
          GraphBuilder builder(codec, graph, entries_, parameters(options.degree), control);
          builder.insert(fresh, present);
          const std::span<const Id> all = std::span(order).first(present + fresh.size());
          builder.trim(all);
          builder.balance(all);
          builder.connect(all);
        },
        primary_.codec());
    graph_ = PackedGraph(graph, options.degree);
  };
  extend(early, 0);
  measure_margin(rows, late, options);
  DefaultBeam chosen = measure_beam(rows, late, options);
  // The second level of lvq4x8 is twice as large as that of lvq4x4, which only re-scoring sees: the
  // graph over the first is the same.
  if (choose_codec && !rerank_) {
    chosen = try_smaller_codes("lvq4x4", rows, late, options, chosen);
  }
  default_beam = chosen.beam;
  tuned_recall = chosen.recall;
  extend(late, early.size());
}

// Searches start at the node nearest the middle of the collection and at some random ones.
void GraphIndex::choose_entries(std::span<const Id> nodes, const Control& control) {
  constexpr std::size_t kSample = 1000;
  constexpr std::size_t kRandomEntries = 31;
  const std::vector<std::uint32_t> sample = random_sample(nodes.size(), kSample, seed_);
  std::visit(
      [&](const auto& codec) {
        std::vector<float> middle(dim, 0.0f), x(dim);
        for (std::uint32_t place : sample) {
          codec.decode(nodes[place], x.data());
          for (std::size_t j = 0; j < dim; ++j) {
            middle[j] += x[j] / static_cast<float>(sample.size());
          }
        }
        typename std::decay_t<decltype(codec)>::Query query;
        codec.prepare(middle.data(), query);
        std::vector<float> distances(nodes.size());
        parallel_for(control, nodes.size(), 4096,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       codec.score(query, nodes.data() + begin, end - begin, &distances[begin]);
                     });
        const auto nearest = std::min_element(distances.begin(), distances.end());
        entries_ = {nodes[static_cast<std::size_t>(nearest - distances.begin())]};
      },
      primary_.codec());
  for (std::uint32_t place : random_sample(nodes.size(), kRandomEntries, seed_ + 1)) {
    if (nodes[place] != entries_.front()) entries_.push_back(nodes[place]);
  }
}

GraphIndex::GraphIndex(const KithFileReader& reader, const Meta& meta)
    : Implementation(reader, meta),
      build_beam_(meta.number("build_beam", kMaxVectors)),
      seed_(meta.number("seed")),
      margin_(meta.has("margin") ? static_cast<float>(meta.real("margin")) : kNoMargin) {
  const std::size_t degree = meta.number("degree", kMaxDegree);
  if (degree < 2) reader.fail("section meta: degree=" + std::to_string(degree));
  const auto check = [&](std::span<const Id> ids, const char* section, Id gap = kNoId) {
    bool good = true;
    const Id limit = static_cast<Id>(size());
    for (Id id : ids) good &= id < limit || id == gap;
    if (!good) reader.fail(std::string("section ") + section + ": an id beyond the vectors");
  };
  // Version 1 had whole ids.
  const auto bits = reader.version() < 2 ? 32 : static_cast<int>(meta.number("edge_bits", 32));
  if (bits < PackedGraph::bits_for(size())) {
    reader.fail("section meta: edge_bits=" + std::to_string(bits) + ", too few for " +
                std::to_string(size()) + " vectors");
  }
  graph_ =
      PackedGraph(degree, size(), bits,
                  reader.storage("graph.edges", size() * PackedGraph::row_bytes(degree, bits)));
  if (reader.verified()) {
    std::vector<Id> room(degree);
    for (Id node = 0; node < graph_.size(); ++node) {
      check(graph_.slots(node, room.data()), "graph.edges", graph_.empty_slot());
    }
  }

  const std::size_t entries = meta.number("entries", size());
  const std::span<const Id> ids = reader.array<Id>("graph.entries", entries);
  check(ids, "graph.entries");
  if (ids.empty()) reader.fail("section graph.entries is empty");
  entries_.assign(ids.begin(), ids.end());

  const std::size_t pairs = meta.number("duplicates", size());
  const std::span<const Id> members = reader.array<Id>("graph.duplicates", 2 * pairs);
  check(members, "graph.duplicates");
  std::vector<Duplicate> list(pairs);
  for (std::size_t i = 0; i < pairs; ++i) list[i] = {members[2 * i], members[2 * i + 1]};
  if (!std::is_sorted(list.begin(), list.end()))
    reader.fail("section graph.duplicates: not sorted");
  duplicates_ = Duplicates(std::move(list));
}

void GraphIndex::save_parts(KithFileWriter& writer, Meta& meta) const {
  meta.set("degree", std::uint64_t{graph_.degree()});
  meta.set("edge_bits", static_cast<std::uint64_t>(graph_.bits()));
  meta.set("build_beam", std::uint64_t{build_beam_});
  meta.set("seed", seed_);
  meta.set("margin", double{margin_});
  meta.set("entries", std::uint64_t{entries_.size()});
  meta.set("duplicates", std::uint64_t{duplicates_.list().size()});
  writer.add("graph.edges", graph_.storage().bytes());
  writer.add_array<Id>("graph.entries", entries_);
  writer.add("graph.duplicates", std::as_bytes(duplicates_.list()));
}

IndexInfo GraphIndex::info() const {
  IndexInfo info = Implementation::info();
  info.degree = graph_.degree();
  info.bytes.emplace_back("graph", graph_.storage().size() + entries_.size() * sizeof(Id) +
                                       duplicates_.list().size_bytes());
  return info;
}

void GraphIndex::add(const AnyMatrixView& rows, const Control& control) {
  const std::size_t before = size();
  std::vector<bool> is_member(before + rows.rows(), false);
  for (const Duplicate& pair : duplicates_.list()) is_member[pair.member] = true;
  std::vector<Id> nodes;
  for (Id id = 0; id < before; ++id) {
    if (!is_member[id]) nodes.push_back(id);
  }
  append(rows, control);
  const std::size_t degree = graph_.degree();
  Graph graph = graph_.unpacked(slots_to_build(degree));
  graph.resize(size());
  std::visit(
      [&](const auto& codec) {
        const std::vector<Id> fresh = duplicates_.absorb(
            static_cast<Id>(before), rows.rows(), nodes, [&](Id id) { return codec.code(id); });
        GraphBuilder builder(codec, graph, entries_, parameters(degree), control);
        builder.insert(fresh, nodes.size());
        nodes.insert(nodes.end(), fresh.begin(), fresh.end());
        builder.trim(nodes);
        builder.balance(nodes);
        builder.connect(nodes);
      },
      primary_.codec());
  graph_ = PackedGraph(graph, degree);
}

std::size_t GraphIndex::resolve_beam(std::size_t beam, std::size_t k) const {
  return std::min(std::max({beam != 0 ? beam : default_beam, k, std::size_t{1}}), size());
}

void GraphIndex::load_query(const AnyMatrixView& queries, std::size_t row,
                            QueryVectors& vectors) const {
  vectors.primary.resize(dim);
  queries.copy_row(row, vectors.primary.data());
  if (rerank_) {
    vectors.best = vectors.primary;
    rerank_->transform_query(vectors.best.data());
  }
  primary_.transform_query(vectors.primary.data());
}

// The nearest `most` candidates, copies of stored vectors included.
void GraphIndex::collect(std::span<const BeamKey> keys, std::size_t most,
                         std::vector<Hit>& hits) const {
  hits.clear();
  for (BeamKey key : keys) {
    if (hits.size() >= most) break;
    hits.push_back({beam_distance(key), beam_id(key)});
    for (const Duplicate& pair : duplicates_.of(beam_id(key))) {
      hits.push_back({beam_distance(key), pair.member});
    }
  }
}

// Leaves the k nearest by the best codes, ascending. Hits come in order of the walk's distances;
// those that are farther than the k-th by more than the margin can't matter. While a piece is
// scored, the next is on its way from memory.
template <class C>
void rescore_with(const C& codec, const float* query, std::size_t k, float margin,
                  std::vector<Hit>& hits) {
  constexpr std::size_t kPiece = 16;
  thread_local typename C::Query prepared;
  Id ids[kPiece];
  float distances[kPiece];
  codec.prepare(query, prepared);
  TopK nearest(k);
  const auto fetch = [&](std::size_t first) {
    for (std::size_t i = first; i < std::min(first + kPiece, hits.size()); ++i) {
      codec.prefetch_best(hits[i].id);
    }
  };
  fetch(0);
  for (std::size_t first = 0; first < hits.size(); first += kPiece) {
    if (hits[first].distance > nearest.threshold() + margin) break;
    fetch(first + kPiece);
    const std::size_t count = std::min(kPiece, hits.size() - first);
    for (std::size_t i = 0; i < count; ++i) ids[i] = hits[first + i].id;
    codec.score_best(prepared, ids, count, distances);
    for (std::size_t i = 0; i < count; ++i) nearest.push(distances[i], ids[i]);
  }
  hits = nearest.take_sorted();
}

void GraphIndex::rescore(const QueryVectors& vectors, std::size_t k, float margin,
                         std::vector<Hit>& hits) const {
  const float* query = (rerank_ ? vectors.best : vectors.primary).data();
  std::visit([&](const auto& codec) { rescore_with(codec, query, k, margin, hits); },
             best().codec());
}

// How far the walk's distances of true neighbours are off, learned from queries.
void GraphIndex::measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                                const BuildOptions& options) {
  constexpr std::size_t kK = 10, kBeam = 128;
  const Matrix<float> queries = measuring_queries(rows, held, options);
  std::vector<std::vector<float>> errors(queries.rows());
  std::visit(
      [&](const auto& codec) {
        search_all(codec, queries, without_progress(options.control),
                   [&](std::size_t row, const QueryVectors& vectors, const auto& query,
                       BeamScratch& scratch) {
                     std::vector<Hit> walked, hits;
                     beam_search(graph_, codec, query, entries_, std::min(kBeam, size()), scratch);
                     collect(scratch.pool.keys(), kBeam, walked);
                     hits = walked;
                     rescore(vectors, kK, kNoMargin, hits);
                     for (const Hit& hit : hits) {
                       const auto same =
                           std::find_if(walked.begin(), walked.end(),
                                        [&](const Hit& other) { return other.id == hit.id; });
                       errors[row].push_back(same->distance - hit.distance);
                     }
                   });
      },
      primary_.codec());
  margin_ = margin_for(errors, options.recall);
}

// Calls emit(query row, its vectors, prepared query, scratch) for every query, in parallel.
template <class C, class Emit>
void GraphIndex::search_all(const C& codec, const AnyMatrixView& queries, const Control& control,
                            const Emit& emit) const {
  constexpr std::size_t kQueriesAPiece = 16;
  Progress progress(control, "search", queries.rows());
  parallel_for(control, queries.rows(), kQueriesAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 std::unique_ptr<BeamScratch> scratch = scratch_.take();
                 typename C::Query query;
                 QueryVectors vectors;
                 for (std::size_t row = begin; row < end; ++row) {
                   load_query(queries, row, vectors);
                   codec.prepare(vectors.primary.data(), query);
                   emit(row, vectors, query, *scratch);
                 }
                 scratch_.give(std::move(scratch));
                 progress.add(end - begin);
               });
}

Neighbours GraphIndex::search(const AnyMatrixView& queries, std::size_t k,
                              const SearchOptions& options) const {
  Neighbours result(queries.rows(), k);
  const std::size_t beam = resolve_beam(options.beam, k);
  const std::size_t most = options.rerank != 0 ? std::max(options.rerank, k) : beam;
  const float margin = options.rerank != 0 ? kNoMargin : margin_;
  std::visit(
      [&](const auto& codec) {
        search_all(codec, queries, options.control,
                   [&](std::size_t row, const QueryVectors& vectors, const auto& query,
                       BeamScratch& scratch) {
                     thread_local std::vector<Hit> hits;
                     beam_search(graph_, codec, query, entries_, beam, scratch);
                     collect(scratch.pool.keys(), most, hits);
                     rescore(vectors, k, margin, hits);
                     put_hits(hits, row, result);
                   });
      },
      primary_.codec());
  return result;
}

// Widens the beam until its far end lies outside the radius: then nothing inside was pushed out.
RangeNeighbours GraphIndex::range(const AnyMatrixView& queries, float radius,
                                  const SearchOptions& options) const {
  std::vector<std::vector<Hit>> all(queries.rows());
  // Codes misjudge distances: look a little past the radius before re-scoring decides.
  const float limit = radius + 0.1f * std::abs(radius);
  std::visit(
      [&](const auto& codec) {
        search_all(codec, queries, options.control,
                   [&](std::size_t row, const QueryVectors& vectors, const auto& query,
                       BeamScratch& scratch) {
                     std::size_t beam = resolve_beam(options.beam, 1);
                     beam_search(graph_, codec, query, entries_, beam, scratch);
                     while (beam < size() && scratch.pool.keys().size() == beam &&
                            scratch.pool.threshold() <= limit) {
                       throw_if_cancelled(options.control);
                       beam = std::min(2 * beam, size());
                       beam_search(graph_, codec, query, entries_, beam, scratch);
                     }
                     std::vector<Hit>& hits = all[row];
                     collect(scratch.pool.keys(), size(), hits);
                     rescore(vectors, hits.size(), kNoMargin, hits);
                     while (!hits.empty() && hits.back().distance > radius) hits.pop_back();
                   });
      },
      primary_.codec());
  return range_neighbours(all);
}

}  // namespace

std::unique_ptr<Index::Implementation> build_graph(const AnyMatrixView& rows,
                                                   const BuildOptions& options, bool choose_codec) {
  return std::make_unique<GraphIndex>(rows, options, choose_codec);
}

std::unique_ptr<Index::Implementation> load_graph(const KithFileReader& reader, const Meta& meta) {
  return std::make_unique<GraphIndex>(reader, meta);
}

}  // namespace kith
