#include "index/graph_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"

namespace kith {
namespace {

constexpr std::size_t kMaxDegree = 1024;

}  // namespace

// Inner products can be negative, where scaling a distance turns the comparison around.
GraphParameters GraphIndex::parameters(std::size_t degree) const {
  GraphParameters parameters;
  parameters.degree = degree;
  parameters.build_beam = build_beam_;
  if (metric == Metric::ip) parameters.alpha = 1.0f;
  return parameters;
}

GraphIndex::GraphIndex(const AnyMatrixView& rows, std::span<const double> keys,
                       const BuildOptions& options, bool choose_codec)
    : Implementation(options.metric, rows.dim(), rows.type(), CodecSpec::parse(options.codec),
                     options.seed),
      build_beam_(options.build_beam),
      seed_(options.seed) {
  const Control& control = options.control;
  train(rows, options);
  store_all(rows, control);
  std::vector<Id> order = start(control);
  const auto rest = std::stable_partition(order.begin(), order.end(), [&](Id id) {
    return std::find(entries_.begin(), entries_.end(), id) != entries_.end();
  });
  // The last vectors wait outside while they serve as queries to choose the default beam.
  const std::size_t held = std::min<std::size_t>(kBeamQueries, (order.size() - 1) / 20);
  const std::span<const Id> early = std::span(order).first(order.size() - held);
  const std::span<const Id> late = std::span(order).last(held);
  if (!keys.empty()) {
    const auto earlier = [&](Id a, Id b) { return keys[a] < keys[b]; };
    const auto outside = order.end() - static_cast<std::ptrdiff_t>(held);
    std::stable_sort(std::min(rest, outside), outside, earlier);
    std::stable_sort(outside, order.end(), earlier);
  }
  Graph graph(slots_to_build(options.degree));
  graph.resize(rows.rows());
  const auto extend = [&](std::span<const Id> fresh, std::size_t present) {
    std::visit(
        [&](const auto& codec) {
          GraphBuilder builder(codec, graph, entries_, parameters(options.degree), control);
          builder.insert(fresh, present);
          const std::span<const Id> all = std::span(order).first(present + fresh.size());
          builder.finish(all);
        },
        primary_.codec());
    graph_ = PackedGraph();  // before there are two
    graph_ = PackedGraph(graph, options.degree);
  };
  extend(early, 0);
  measure_margin(rows, late, options);
  const BeamTrial trial = beam_trial(rows, late, options);
  DefaultBeam chosen = measure_beam(trial, options);
  // The second level of lvq4x8 is twice as large as that of lvq4x4, which only re-scoring sees: the
  // graph over the first is the same.
  if (choose_codec && !rerank_) {
    chosen = try_smaller_codes("lvq4x4", rows, trial, options, chosen);
  }
  default_beam = chosen.beam;
  tuned_recall = chosen.recall;
  extend(late, early.size());
}

// What shall stand in the graph, in random order; chooses where searches start.
std::vector<Id> GraphIndex::start(const Control& control) {
  std::vector<Id> all(size());
  std::iota(all.begin(), all.end(), Id{0});
  const std::vector<Id> nodes = std::visit(
      [&](const auto& codec) {
        return duplicates_.absorb(all, {}, [&](Id id) { return codec.code(id); });
      },
      primary_.codec());
  choose_entries(nodes, control);
  std::vector<Id> order = random_permutation(nodes.size(), seed_);
  for (Id& place : order) place = nodes[place];
  return order;
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
        prepare_row(codec, middle.data(), query);
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
      margin_(meta.has("margin") ? static_cast<float>(meta.real("margin")) : kNoMargin),
      growth_(meta.has("growth") ? static_cast<float>(meta.real("growth")) : 0) {
  const std::size_t degree = meta.number("degree", kMaxDegree);
  if (degree < 2) reader.fail("section meta: degree=" + std::to_string(degree));
  const auto check = [&](std::span<const Id> ids, const char* section) {
    bool good = true;
    const Id limit = static_cast<Id>(size());
    for (Id id : ids) good &= id < limit;
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
  if (reader.verified() && !graph_.leads_inside()) {
    reader.fail("section graph.edges: an id beyond the vectors");
  }

  const std::size_t entries = meta.number("entries", size());
  const std::span<const Id> ids = reader.array<Id>("graph.entries", entries);
  check(ids, "graph.entries");
  if (ids.empty() && present() != 0) reader.fail("section graph.entries is empty");
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
  meta.set("growth", double{growth_});
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

// How far the walk's distances of true neighbours are off, and how they grow from neighbour to
// neighbour, learned from queries.
void GraphIndex::measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                                const BuildOptions& options) {
  constexpr std::size_t kK = 10, kBeam = 128;
  const Matrix<float> queries = measuring_queries(rows, held, options);
  std::vector<std::vector<float>> errors(queries.rows());
  std::vector<double> growths(queries.rows(), 0);
  std::visit(
      [&](const auto& codec) {
        search_all(codec, queries, without_progress(options.control),
                   [&](std::size_t row, const QueryVectors& vectors, const auto& query,
                       BeamScratch& scratch) {
                     std::vector<Hit> walked, hits;
                     beam_search(graph_, codec, query, entries_, std::min(kBeam, size()), scratch);
                     const std::span<const BeamKey> keys = scratch.pool.keys();
                     if (keys.size() > kK) {
                       const auto ratio = static_cast<double>(keys.size()) / kK;
                       growths[row] = (beam_distance(keys.back()) - beam_distance(keys[kK - 1])) /
                                      std::log(ratio);
                     }
                     collect(keys, allowed({}), walked);
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
  if (!growths.empty()) {
    const double sum = std::accumulate(growths.begin(), growths.end(), 0.0);
    growth_ = static_cast<float>(sum / static_cast<double>(growths.size()));
  }
}

std::unique_ptr<Index::Implementation> build_graph(const AnyMatrixView& rows,
                                                   std::span<const double> keys,
                                                   const BuildOptions& options, bool choose_codec) {
  return std::make_unique<GraphIndex>(rows, keys, options, choose_codec);
}

std::unique_ptr<Index::Implementation> load_graph(const KithFileReader& reader, const Meta& meta) {
  return std::make_unique<GraphIndex>(reader, meta);
}

}  // namespace kith
