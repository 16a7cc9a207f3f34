// Builds a navigable graph the way Vamana does (Subramanya et al., DiskANN, 2019) in the
// deterministic, batch-synchronous form of ParlayANN (Manohar et al., 2024): the points of a batch
// search the frozen graph in parallel and prune what they met; then every node that gained edges
// takes them in, in parallel. No locks, and the same graph for any number of threads.
//
// Lists may outgrow the degree while the graph grows (DiskANN's slack): pruning a list costs far
// more than scoring a few neighbours too many, and most lists overflow again and again.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "base/id_set.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/shared_mutex.h"
#include "index/beam_search.h"
#include "kith/control.h"

namespace kith {

struct GraphParameters {
  std::size_t degree = 32;
  std::size_t build_beam = 64;
  float alpha = 1.2f;  // > 1 keeps longer edges too; must be 1 for inner products
};

// Slots a node needs while the graph is built.
inline std::size_t slots_to_build(std::size_t degree) { return degree + degree / 2; }

struct Candidate {
  float distance;
  Id id;
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
  }
};

template <Codec C, class G = Graph>
class GraphBuilder {
 public:
  // `entries` are where searches start; they must be inserted first. A Graph has
  // slots_to_build(parameters.degree) slots a node; trim() leaves at most parameters.degree used.
  // A PackedGraph that is searched meanwhile has parameters.degree slots and is changed under
  // `lock`.
  GraphBuilder(const C& codec, G& graph, std::span<const Id> entries,
               const GraphParameters& parameters, const Control& control,
               SharedMutex* lock = nullptr)
      : codec_(codec),
        graph_(graph),
        entries_(entries),
        parameters_(parameters),
        control_(control),
        lock_(lock),
        scratch_(thread_count(control)) {}

  // Nodes that no new edge may lead to.
  void avoid(const IdSet& nodes) { avoided_ = &nodes; }

  // Inserts nodes in the given order; `present` nodes are in the graph already.
  void insert(std::span<const Id> order, std::size_t present) {
    Progress progress(control_, "build graph", order.size());
    std::size_t done = 0;
    while (done < order.size()) {
      throw_if_cancelled(control_);
      const std::size_t batch = std::min(order.size() - done, batch_size(present + done));
      insert_batch(order.subspan(done, batch));
      done += batch;
      progress.add(batch);
    }
  }

  // Inserts nodes that have edges among themselves, as in a graph of their own: those stay
  // candidates beside what a search finds, so the nodes of one batch know each other. (A narrower
  // search, or one from where a neighbour's ended, cost recall or saved nothing.)
  void join(std::span<const Id> order, std::size_t present) {
    joining_ = true;
    insert(order, present);
    joining_ = false;
  }

  // Makes what grew a graph to search, `nodes` being all that are in it.
  void finish(std::span<const Id> nodes) {
    trim(nodes);
    balance(nodes);
    connect(nodes);
  }

  // Leads an edge to each of these nodes that none of its neighbours leads to. Quicker than
  // balance() and connect(), which look at the whole graph.
  void anchor(std::span<const Id> nodes);

  // Leads the edges of `nodes` past those of `gone`: a node that loses some chooses among the
  // others and the neighbours of the lost (Singh et al., FreshDiskANN, 2021).
  void bypass(std::span<const Id> nodes, const IdSet& gone);

  // Prunes the lists that outgrew the degree.
  void trim(std::span<const Id> nodes);

  // Leads more edges to nodes that few lead to, which searches miss most: their own neighbours
  // point back at them, in a free slot or in place of the target that has the most in-edges.
  void balance(std::span<const Id> nodes);

  // Gives every node of `nodes` a path from the entries: a breadth-first walk finds those without,
  // and the nearest reached node with a free slot takes each one in. (Trimmed lists leave one slot
  // free for this.) Returns how many needed help.
  std::size_t connect(std::span<const Id> nodes);

 private:
  struct Edge {
    Id target, source;
    friend bool operator<(const Edge& a, const Edge& b) {
      return a.target < b.target || (a.target == b.target && a.source < b.source);
    }
  };
  struct Scratch {
    BeamScratch beam;
    typename C::Query query, other;
    std::vector<float> vector, distances;
    std::vector<Candidate> candidates;
    std::vector<Id> ids, chosen, room, other_room;
  };

  // Small beside what is there already: points of one batch don't see each other.
  static std::size_t batch_size(std::size_t present) {
    return std::clamp<std::size_t>(present / 50, 1, 8192);
  }
  // One slot is left for connect().
  std::size_t list_limit() const { return parameters_.degree - 1; }

  void prepare(Id node, typename C::Query& query, Scratch& scratch) const {
    scratch.vector.resize(codec_.dim());
    prepare_stored(codec_, node, scratch.vector.data(), query);
  }
  void insert_batch(std::span<const Id> batch);
  void find_neighbours(Id node, Scratch& scratch) const;
  void offer_own_edges(Id node, Scratch& scratch) const;
  bool may_lead(Id from, Id to) const {
    return from != to && (avoided_ == nullptr || !avoided_->contains(to));
  }
  void take_in(Id target, std::span<const Edge> edges, Scratch& scratch);
  void prune_list(Id node, Scratch& scratch);
  void prune(Scratch& scratch) const;

  // The node's edges; `room` holds them where the graph must unpack them.
  std::span<const Id> list(Id node, std::vector<Id>& room) const {
    room.resize(graph_.degree());
    return graph_.neighbours(node, room.data());
  }
  void set(Id node, std::span<const Id> ids) {
    if (lock_ != nullptr) {
      const std::unique_lock lock(*lock_);
      graph_.set(node, ids);
    } else {
      graph_.set(node, ids);
    }
  }

  const C& codec_;
  G& graph_;
  std::span<const Id> entries_;
  GraphParameters parameters_;
  const Control& control_;
  SharedMutex* lock_;
  const IdSet* avoided_ = nullptr;
  bool joining_ = false;
  std::vector<Scratch> scratch_;
};

template <class C, class G, class... Rest>
GraphBuilder(const C&, G&, Rest&&...) -> GraphBuilder<C, G>;

template <Codec C, class G>
void GraphBuilder<C, G>::insert_batch(std::span<const Id> batch) {
  const std::size_t limit = list_limit();
  std::vector<Id> lists(batch.size() * limit, kNoId);
  parallel_for(control_, batch.size(), 16,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 Scratch& scratch = scratch_[worker];
                 for (std::size_t i = begin; i < end; ++i) {
                   find_neighbours(batch[i], scratch);
                   std::copy(scratch.chosen.begin(), scratch.chosen.end(), &lists[i * limit]);
                 }
               });

  std::vector<Edge> edges;
  edges.reserve(lists.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Id* list = &lists[i * limit];
    const std::size_t count = static_cast<std::size_t>(std::find(list, list + limit, kNoId) - list);
    set(batch[i], {list, count});
    for (std::size_t j = 0; j < count; ++j) edges.push_back({list[j], batch[i]});
  }
  std::sort(edges.begin(), edges.end());
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (i == 0 || edges[i].target != edges[i - 1].target) starts.push_back(i);
  }
  starts.push_back(edges.size());
  parallel_for(control_, starts.size() - 1, 64,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 for (std::size_t i = begin; i < end; ++i) {
                   const std::span<const Edge> group(&edges[starts[i]], starts[i + 1] - starts[i]);
                   take_in(group.front().target, group, scratch_[worker]);
                 }
               });
}

template <Codec C, class G>
void GraphBuilder<C, G>::find_neighbours(Id node, Scratch& scratch) const {
  prepare(node, scratch.query, scratch);
  beam_search(graph_, codec_, scratch.query, entries_, parameters_.build_beam, scratch.beam);
  scratch.candidates.clear();
  for (BeamKey key : scratch.beam.pool.keys()) {
    const Id id = beam_id(key);
    if (may_lead(node, id)) scratch.candidates.push_back({beam_distance(key), id});
  }
  if (joining_) offer_own_edges(node, scratch);
  prune(scratch);
}

// The node's own edges become candidates, too. What the walk met is in the pool or too far.
template <Codec C, class G>
void GraphBuilder<C, G>::offer_own_edges(Id node, Scratch& scratch) const {
  const std::span<const Id> own = list(node, scratch.room);
  scratch.ids.resize(own.size());
  scratch.ids.resize(scratch.beam.visited.insert(own, kNoId, scratch.ids.data()));
  scratch.distances.resize(scratch.ids.size());
  codec_.score(scratch.query, scratch.ids.data(), scratch.ids.size(), scratch.distances.data());
  for (std::size_t i = 0; i < scratch.ids.size(); ++i) {
    if (may_lead(node, scratch.ids[i])) {
      scratch.candidates.push_back({scratch.distances[i], scratch.ids[i]});
    }
  }
  std::sort(scratch.candidates.begin(), scratch.candidates.end());
}

// Adds edges target -> source for all of the group; prunes a list that would overflow.
template <Codec C, class G>
void GraphBuilder<C, G>::take_in(Id target, std::span<const Edge> edges, Scratch& scratch) {
  const std::span<const Id> present = list(target, scratch.room);
  scratch.ids.assign(present.begin(), present.end());
  for (const Edge& edge : edges) {
    if (std::find(present.begin(), present.end(), edge.source) == present.end()) {
      scratch.ids.push_back(edge.source);
    }
  }
  if (scratch.ids.size() <= graph_.degree()) {
    set(target, scratch.ids);
  } else {
    prune_list(target, scratch);
  }
}

// Sets the node's list to what pruning leaves of scratch.ids.
template <Codec C, class G>
void GraphBuilder<C, G>::prune_list(Id node, Scratch& scratch) {
  prepare(node, scratch.query, scratch);
  scratch.distances.resize(scratch.ids.size());
  for (Id id : scratch.ids) codec_.prefetch(id);
  codec_.score(scratch.query, scratch.ids.data(), scratch.ids.size(), scratch.distances.data());
  scratch.candidates.clear();
  for (std::size_t i = 0; i < scratch.ids.size(); ++i) {
    scratch.candidates.push_back({scratch.distances[i], scratch.ids[i]});
  }
  std::sort(scratch.candidates.begin(), scratch.candidates.end());
  // A hub in a batch may gain hundreds of edges: only the nearest can survive pruning anyway.
  const std::size_t most = 4 * parameters_.degree;
  if (scratch.candidates.size() > most) scratch.candidates.resize(most);
  prune(scratch);
  set(node, scratch.chosen);
}

template <Codec C, class G>
void GraphBuilder<C, G>::trim(std::span<const Id> nodes) {
  parallel_for(control_, nodes.size(), 64,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 Scratch& scratch = scratch_[worker];
                 for (std::size_t i = begin; i < end; ++i) {
                   const std::span<const Id> edges = list(nodes[i], scratch.room);
                   if (edges.size() <= list_limit()) continue;
                   scratch.ids.assign(edges.begin(), edges.end());
                   prune_list(nodes[i], scratch);
                 }
               });
}

template <Codec C, class G>
void GraphBuilder<C, G>::anchor(std::span<const Id> nodes) {
  Scratch& scratch = scratch_[0];
  for (Id node : nodes) {
    const std::span<const Id> near = list(node, scratch.room);
    const auto leads_back = [&](Id neighbour) {
      const std::span<const Id> edges = list(neighbour, scratch.other_room);
      return std::find(edges.begin(), edges.end(), node) != edges.end();
    };
    if (near.empty() || std::any_of(near.begin(), near.end(), leads_back)) continue;
    const std::span<const Id> edges = list(near.front(), scratch.other_room);
    scratch.chosen.assign(edges.begin(), edges.end());
    // The last slot is the one that was left free, or the edge that pruning wanted least.
    if (scratch.chosen.size() == parameters_.degree) scratch.chosen.pop_back();
    scratch.chosen.push_back(node);
    set(near.front(), scratch.chosen);
  }
}

template <Codec C, class G>
void GraphBuilder<C, G>::bypass(std::span<const Id> nodes, const IdSet& gone) {
  Progress progress(control_, "repair graph", nodes.size());
  parallel_for(
      control_, nodes.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
        Scratch& scratch = scratch_[worker];
        for (std::size_t i = begin; i < end; ++i) {
          scratch.ids.clear();
          scratch.chosen.clear();  // the lost ones
          for (Id id : list(nodes[i], scratch.room)) {
            (gone.contains(id) ? scratch.chosen : scratch.ids).push_back(id);
          }
          if (scratch.chosen.empty()) continue;
          for (Id lost : scratch.chosen) {
            for (Id id : list(lost, scratch.other_room)) {
              if (id != nodes[i] && !gone.contains(id)) scratch.ids.push_back(id);
            }
          }
          std::sort(scratch.ids.begin(), scratch.ids.end());
          scratch.ids.erase(std::unique(scratch.ids.begin(), scratch.ids.end()), scratch.ids.end());
          prune_list(nodes[i], scratch);
        }
        progress.add(end - begin);
      });
}

// Robust pruning of scratch.candidates (ascending) into scratch.chosen: take the nearest, drop
// every other that is nearer to it (by more than alpha) than to the node, repeat.
template <Codec C, class G>
void GraphBuilder<C, G>::prune(Scratch& scratch) const {
  std::vector<Candidate>& left = scratch.candidates;
  scratch.chosen.clear();
  while (!left.empty()) {
    const Candidate nearest = left.front();
    scratch.chosen.push_back(nearest.id);
    if (scratch.chosen.size() == list_limit() || left.size() == 1) return;
    prepare(nearest.id, scratch.other, scratch);
    scratch.ids.clear();
    for (std::size_t i = 1; i < left.size(); ++i) scratch.ids.push_back(left[i].id);
    scratch.distances.resize(scratch.ids.size());
    codec_.score(scratch.other, scratch.ids.data(), scratch.ids.size(), scratch.distances.data());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < scratch.ids.size(); ++i) {
      if (parameters_.alpha * scratch.distances[i] > left[i + 1].distance) {
        left[kept++] = left[i + 1];
      }
    }
    left.resize(kept);
  }
}

template <Codec C, class G>
void GraphBuilder<C, G>::balance(std::span<const Id> nodes) {
  const std::size_t fewest = parameters_.degree / 3;  // in-edges that a node should have
  std::vector<std::uint32_t> in(graph_.size(), 0);
  for (Id node : nodes) {
    for (Id target : graph_.neighbours(node)) ++in[target];
  }
  const auto fewer_in = [&](Id a, Id b) { return in[a] < in[b]; };
  std::vector<Id> list;
  for (Id node : nodes) {
    for (Id neighbour : graph_.neighbours(node)) {
      if (in[node] >= fewest) break;
      const std::span<const Id> present = graph_.neighbours(neighbour);
      if (std::find(present.begin(), present.end(), node) != present.end()) continue;
      list.assign(present.begin(), present.end());
      if (list.size() < list_limit()) {
        list.push_back(node);
      } else {
        const auto hub = std::max_element(list.begin(), list.end(), fewer_in);
        if (in[*hub] <= parameters_.degree) continue;
        --in[*hub];
        *hub = node;
      }
      ++in[node];
      graph_.set(neighbour, list);
    }
  }
}

template <Codec C, class G>
std::size_t GraphBuilder<C, G>::connect(std::span<const Id> nodes) {
  std::vector<bool> reached(graph_.size(), false);
  std::vector<Id> stack;
  const auto walk_from = [&](Id start) {
    if (reached[start]) return;
    reached[start] = true;
    stack.push_back(start);
    while (!stack.empty()) {
      const Id node = stack.back();
      stack.pop_back();
      for (Id next : graph_.neighbours(node)) {
        if (!reached[next]) {
          reached[next] = true;
          stack.push_back(next);
        }
      }
    }
  };
  for (Id entry : entries_) walk_from(entry);

  std::size_t helped = 0;
  Scratch& scratch = scratch_[0];
  const auto adopt = [&](Id parent, Id child) {
    const std::span<const Id> list = graph_.neighbours(parent);
    if (list.size() >= parameters_.degree) return false;
    scratch.chosen.assign(list.begin(), list.end());
    scratch.chosen.push_back(child);
    graph_.set(parent, scratch.chosen);
    return true;
  };
  std::size_t anyone = 0;  // when all near ones are full: the first reached node with a free slot
  for (Id node : nodes) {
    if (reached[node]) continue;
    throw_if_cancelled(control_);
    ++helped;
    prepare(node, scratch.query, scratch);
    beam_search(graph_, codec_, scratch.query, entries_, parameters_.build_beam, scratch.beam);
    bool found = false;
    for (BeamKey key : scratch.beam.pool.keys()) {
      if (adopt(beam_id(key), node)) {
        found = true;
        break;
      }
    }
    for (; !found && anyone < nodes.size(); ++anyone) {
      if (reached[nodes[anyone]] && adopt(nodes[anyone], node)) {
        found = true;
        break;
      }
    }
    walk_from(node);
  }
  return helped;
}

}  // namespace kith
