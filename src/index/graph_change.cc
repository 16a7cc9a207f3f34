// Adding to a graph and removing from it while it is searched. Much is changed in an unpacked copy
// that then takes the graph's place; little where it stands, list by list.
#include <algorithm>

#include "base/random.h"
#include "index/graph_index.h"

namespace kith {
namespace {

// A share of the graph from which a copy pays.
constexpr std::size_t kManyOfThem = 100;
// Removed vectors wait until they are a share of the graph: repairing it costs nearly the same for
// a few as for many.
constexpr std::size_t kRepairShare = 10;

}  // namespace

// What stands in the graph: all that are there, and the removed ones it was not led past yet; of
// equal ones, the representative.
std::vector<Id> GraphIndex::nodes() const {
  IdSet outside = removed_;
  linked_.for_each([&](Id id) { outside.erase(id); });
  for (const Duplicate& pair : duplicates_.list()) outside.insert(pair.member);
  std::vector<Id> nodes;
  for (Id id = 0; id < size(); ++id) {
    if (!outside.contains(id)) nodes.push_back(id);
  }
  return nodes;
}

void GraphIndex::link(std::span<const Id> ids, const Incoming& rows, const Control& control) {
  if (ids.size() * kManyOfThem < present()) {
    insert_few(ids, control);
  } else {
    insert_many(ids, rows, control);
  }
}

// The lists that nodes of another graph have there, as lists of the ids that its vectors get here.
void GraphIndex::take_lists(const Incoming& rows, std::span<const Id> fresh,
                            std::span<const Id> own, const Duplicates& duplicates,
                            Graph& graph) const {
  const auto* other = dynamic_cast<const GraphIndex*>(rows.from);
  if (other == nullptr) return;
  std::vector<Id> stands_for(size(), kNoId), here(other->size(), kNoId);
  for (Id id : own) stands_for[id] = id;
  for (const Duplicate& pair : duplicates.list()) stands_for[pair.member] = pair.representative;
  for (std::size_t i = 0; i < fresh.size(); ++i) here[rows.ids[i]] = stands_for[fresh[i]];
  std::vector<Id> room(other->graph_.degree()), list;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (stands_for[fresh[i]] != fresh[i]) continue;
    list.clear();
    for (Id there : other->graph_.neighbours(rows.ids[i], room.data())) {
      const Id id = here[there];
      const bool known = id == kNoId || id == fresh[i] || std::ranges::count(list, id) != 0;
      if (!known && list.size() < graph.degree()) list.push_back(id);
    }
    graph.set(fresh[i], list);
  }
}

void GraphIndex::insert_many(std::span<const Id> fresh, const Incoming& rows,
                             const Control& control) {
  IdSet is_fresh(fresh), going = linked_;
  for (Id id : fresh) going.erase(id);
  std::vector<Id> there = nodes();
  std::erase_if(there, [&](Id id) { return is_fresh.contains(id); });
  const std::size_t degree = graph_.degree();
  Graph graph = graph_.unpacked(slots_to_build(degree));
  graph.resize(size());
  Duplicates duplicates = duplicates_;
  std::vector<Id> entries = entries_;
  std::visit(
      [&](const auto& codec) {
        const std::vector<Id> own =
            duplicates.absorb(fresh, there, [&](Id id) { return codec.code(id); });
        if (entries.empty() && !own.empty()) entries.push_back(own.front());
        take_lists(rows, fresh, own, duplicates, graph);
        GraphBuilder builder(codec, graph, entries, parameters(degree), control);
        builder.avoid(going);
        if (rows.from != nullptr) {
          std::vector<Id> order = random_permutation(own.size(), seed_);
          for (Id& place : order) place = own[place];
          builder.join(order, there.size());
        } else {
          builder.insert(own, there.size());
        }
        there.insert(there.end(), own.begin(), own.end());
        std::erase_if(there, [&](Id id) { return going.contains(id); });
        builder.finish(there);
      },
      primary_.codec());
  take_over(graph, std::move(duplicates), std::move(entries));
}

void GraphIndex::insert_few(std::span<const Id> fresh, const Control& control) {
  const std::size_t there = present() + linked_.size() - fresh.size();
  IdSet going = linked_;
  for (Id id : fresh) going.erase(id);
  {
    const std::unique_lock lock(mutex);
    graph_.resize(size());
  }
  std::visit(
      [&](const auto& codec) {
        const auto code = [&](Id id) { return codec.code(id); };
        Duplicates among_fresh;
        std::vector<Id> own = among_fresh.absorb(fresh, {}, code);
        const auto same = [&](Id a, Id b) { return std::ranges::equal(code(a), code(b)); };
        std::vector<Duplicate> twins(among_fresh.list().begin(), among_fresh.list().end());
        std::erase_if(own, [&](Id id) {
          const Id twin = nearest_node(codec, id);
          if (twin == kNoId || !same(twin, id)) return false;
          for (Duplicate& pair : twins) {
            if (pair.representative == id) pair.representative = twin;
          }
          twins.push_back({twin, id});
          return true;
        });
        {
          const std::unique_lock lock(mutex);
          for (const Duplicate& pair : twins) duplicates_.add(pair.representative, pair.member);
        }
        GraphBuilder builder(codec, graph_, entries_, parameters(graph_.degree()), control, &mutex);
        builder.avoid(going);
        builder.insert(own, there);
        builder.anchor(own);
      },
      primary_.codec());
}

// The node that a search for a stored vector ends at.
template <class C>
Id GraphIndex::nearest_node(const C& codec, Id id) const {
  constexpr std::size_t kBeam = 32;
  std::vector<float> x(dim);
  typename C::Query query;
  prepare_stored(codec, id, x.data(), query);
  std::unique_ptr<BeamScratch> scratch = scratch_.take();
  beam_search(graph_, codec, query, entries_, std::min(kBeam, size()), *scratch);
  const std::span<const BeamKey> keys = scratch->pool.keys();
  const Id nearest = keys.empty() ? kNoId : beam_id(keys.front());
  scratch_.give(std::move(scratch));
  return nearest;
}

void GraphIndex::unlink(bool now, const Control& control) {
  if (now || linked_.size() * kRepairShare >= present() + linked_.size()) repair(control);
}

// Leads the graph past what was removed. Where a representative went that stood for others too, one
// of them takes its place.
void GraphIndex::repair(const Control& control) {
  const IdSet gone = linked_;
  const std::size_t degree = graph_.degree();
  Graph graph = graph_.unpacked(degree);
  graph.resize(size());

  std::vector<Duplicate> kept;
  std::vector<Id> heir(size());
  for (Id id = 0; id < size(); ++id) heir[id] = id;
  for (const Duplicate& pair : duplicates_.list()) {
    if (removed_.contains(pair.member)) continue;
    Id& representative = heir[pair.representative];
    if (representative == pair.representative && gone.contains(representative)) {
      representative = pair.member;
      graph.set(pair.member, graph.neighbours(pair.representative));
    } else {
      kept.push_back({representative, pair.member});
    }
  }
  std::sort(kept.begin(), kept.end());
  Duplicates duplicates(std::move(kept));

  IdSet outside = removed_;
  for (const Duplicate& pair : duplicates.list()) outside.insert(pair.member);
  std::vector<Id> there, list;
  for (Id id = 0; id < size(); ++id) {
    if (outside.contains(id)) continue;
    there.push_back(id);
    const std::span<const Id> edges = graph.neighbours(id);
    list.assign(edges.begin(), edges.end());
    for (Id& target : list) target = heir[target];
    graph.set(id, list);
  }
  std::vector<Id> entries = entries_without(gone, heir, graph, there);
  std::visit(
      [&](const auto& codec) {
        GraphBuilder builder(codec, graph, entries, parameters(degree), control);
        builder.bypass(there, gone);
        gone.for_each([&](Id id) { graph.set(id, {}); });
        builder.balance(there);
        builder.connect(there);
      },
      primary_.codec());
  take_over(graph, std::move(duplicates), std::move(entries));
  const std::unique_lock lock(mutex);
  linked_ = IdSet();
}

// Searches that start now walk the changed copy.
void GraphIndex::take_over(const Graph& graph, Duplicates duplicates, std::vector<Id> entries) {
  PackedGraph packed(graph, graph_.degree());
  const std::unique_lock lock(mutex);
  graph_ = std::move(packed);
  duplicates_ = std::move(duplicates);
  entries_ = std::move(entries);
}

// Where searches start: in place of those gone, what took their place, or a neighbour.
std::vector<Id> GraphIndex::entries_without(const IdSet& gone, std::span<const Id> heir,
                                            const Graph& graph, std::span<const Id> there) const {
  std::vector<Id> entries;
  const auto enter = [&](Id id) {
    if (std::find(entries.begin(), entries.end(), id) == entries.end()) entries.push_back(id);
  };
  for (Id entry : entries_) {
    const Id id = heir[entry];
    if (!gone.contains(id)) {
      enter(id);
      continue;
    }
    for (Id neighbour : graph.neighbours(id)) {
      if (gone.contains(heir[neighbour])) continue;
      enter(heir[neighbour]);
      break;
    }
  }
  if (entries.empty() && !there.empty()) entries.push_back(there.front());
  return entries;
}

}  // namespace kith
