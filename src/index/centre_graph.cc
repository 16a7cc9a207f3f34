#include "index/centre_graph.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "index/beam_search.h"
#include "index/graph_builder.h"

namespace kith {
namespace {

constexpr std::size_t kDegree = 32, kBuildBeam = 64, kEntries = 16;

// A walk keeps some more than are wanted: what it doesn't meet is lost.
std::size_t breadth(std::size_t wanted) { return wanted + wanted / 2 + 16; }

}  // namespace

bool CentreGraph::pays(std::size_t centres, std::size_t wanted) {
  // Of a graph's centres a walk scores about half a list for each it keeps, here and there in
  // memory, where one after another costs a fourth (docs/performance.md).
  constexpr std::size_t kScoredForEach = kDegree / 2, kCostOfOne = 4;
  return breadth(wanted) * kScoredForEach * kCostOfOne <= centres;
}

CentreGraph::CentreGraph(std::shared_ptr<const Centres> centres, std::uint64_t seed,
                         const Control& control)
    : centres_(std::move(centres)), entries_(random_sample(centres_->size(), kEntries, seed)) {
  GraphParameters parameters;
  parameters.degree = kDegree;
  parameters.build_beam = kBuildBeam;
  if (centres_->by() == Centres::By::product) parameters.alpha = 1;  // distances may be negative
  Graph graph(slots_to_build(kDegree));
  graph.resize(centres_->size());
  std::vector<Id> order = random_permutation(centres_->size(), seed + 1);
  std::stable_partition(order.begin(), order.end(), [&](Id id) {
    return std::find(entries_.begin(), entries_.end(), id) != entries_.end();
  });
  GraphBuilder builder(centres_->rough(), graph, entries_, parameters, control);
  builder.insert(order, 0);
  builder.finish(order);
  graph_ = PackedGraph(graph, kDegree);
}

void CentreGraph::nearest_few(const float* row, std::size_t count, std::uint32_t* ids,
                              float* scores) const {
  thread_local BeamScratch scratch;
  thread_local Lvq<8>::Query query;
  thread_local std::vector<Id> met;
  centres_->rough().prepare(row, query);
  beam_search(graph_, centres_->rough(), query, entries_,
              std::min(centres_->size(), breadth(count)), scratch);
  met.clear();
  for (const BeamKey key : scratch.pool.keys()) met.push_back(beam_id(key));
  centres_->nearest_of(met, row, count, ids, scores);
}

bool CentreGraph::is_in(const Meta& meta, const std::string& prefix) {
  return meta.has(prefix + ".entries");
}

void CentreGraph::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  meta.set(prefix + ".entries", std::uint64_t{entries_.size()});
  meta.set(prefix + ".degree", std::uint64_t{graph_.degree()});
  writer.add(prefix + ".edges", graph_.storage().bytes());
  writer.add_array<Id>(prefix + ".entries", entries_);
}

CentreGraph::CentreGraph(std::shared_ptr<const Centres> centres, const KithFileReader& reader,
                         const Meta& meta, const std::string& prefix)
    : centres_(std::move(centres)) {
  constexpr std::size_t kMostSlots = 1024;
  const std::size_t nodes = centres_->size();
  const std::size_t degree = meta.number(prefix + ".degree", kMostSlots);
  const std::size_t entries = meta.number(prefix + ".entries", nodes);
  if (degree == 0) reader.fail("section meta: " + prefix + ".degree=0");
  if (entries == 0) reader.fail("section meta: " + prefix + ".entries=0");
  const int bits = PackedGraph::bits_for(nodes);
  graph_ =
      PackedGraph(degree, nodes, bits,
                  reader.storage(prefix + ".edges", nodes * PackedGraph::row_bytes(degree, bits)));
  const std::span<const Id> ids = reader.array<Id>(prefix + ".entries", entries);
  entries_.assign(ids.begin(), ids.end());
  // Few enough to look at all, verified or not.
  const bool good =
      std::all_of(entries_.begin(), entries_.end(), [&](Id id) { return id < nodes; });
  if (!good || !graph_.leads_inside())
    reader.fail("section " + prefix + ".edges: an id beyond the lists");
}

}  // namespace kith
