#include "index/inverted_lists.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace kith {
namespace {

// Moves what is allowed of what was found to the front; returns how much that is.
std::size_t keep_allowed(const Allowed& allowed, const Id* ids, const simd::BlockScan& scan) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < scan.found; ++i) {
    scan.estimates[kept] = scan.estimates[i];
    scan.places[kept] = scan.places[i];
    kept += allowed(ids[scan.places[i]]) ? 1 : 0;
  }
  return kept;
}

}  // namespace

InvertedLists::InvertedLists(Cells cells, ListBlocks blocks)
    : cells_(std::move(cells)), blocks_(std::move(blocks)) {
  set_starts(std::vector<std::uint64_t>(lists(), 0));
}

void InvertedLists::set_starts(std::span<const std::uint64_t> sizes) {
  starts_.assign(1, 0);
  for (const std::uint64_t size : sizes) starts_.push_back(starts_.back() + size);
}

InvertedLists InvertedLists::sized(std::span<const std::uint64_t> sizes) const {
  InvertedLists result(cells_, blocks_.sized(sizes));
  result.set_starts(sizes);
  result.ids_ = Storage(result.size() * sizeof(Id));
  return result;
}

InvertedLists InvertedLists::with(const RowLoader& load, std::span<const Id> ids,
                                  const Control& control) const {
  const std::vector<std::uint32_t> assigned = cells_.assign(load, ids.size(), control);
  std::vector<std::uint64_t> sizes(lists());
  for (std::size_t l = 0; l < lists(); ++l) sizes[l] = list_size(l);
  const std::vector<std::uint64_t> before = sizes;
  for (const std::uint32_t l : assigned) ++sizes[l];
  InvertedLists result = sized(sizes);
  Id* const to = result.ids_.mutable_as<Id>();
  for (std::size_t l = 0; l < lists(); ++l) {
    std::copy_n(ids_.as<Id>() + starts_[l], before[l], to + result.starts_[l]);
    result.blocks_.take_list(blocks_, l);
  }
  std::vector<std::uint64_t> places = before;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::uint32_t l = assigned[i];
    to[result.starts_[l] + places[l]++] = ids[i];
  }
  result.blocks_.fill(load, assigned, before, cells_, control);
  return result;
}

InvertedLists InvertedLists::without(const IdSet& gone) const {
  const Id* const ids = ids_.as<Id>();
  std::vector<std::uint64_t> sizes(lists(), 0);
  for (std::size_t l = 0; l < lists(); ++l) {
    for (std::size_t i = starts_[l]; i < starts_[l + 1]; ++i) {
      sizes[l] += gone.contains(ids[i]) ? 0 : 1;
    }
  }
  InvertedLists result = sized(sizes);
  Id* const to = result.ids_.mutable_as<Id>();
  for (std::size_t l = 0; l < lists(); ++l) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list_size(l); ++i) {
      const Id id = ids[starts_[l] + i];
      if (gone.contains(id)) continue;
      to[result.starts_[l] + kept] = id;
      result.blocks_.take_code(blocks_, l, i, kept++);
    }
  }
  return result;
}

void InvertedLists::start(MatrixView<const float> queries, std::size_t probes,
                          Scratch& scratch) const {
  const std::size_t n = scratch.queries = queries.rows();
  probes = scratch.probes = std::min(probes, lists());
  scratch.probed.resize(n * probes);
  scratch.scores.resize(n * probes);
  cells_.nearest(queries, probes, scratch.probed, scratch.scores);
  if (scratch.reservoirs.size() < n) scratch.reservoirs.resize(n);
  scratch.met_around.assign(n, 0);
  scratch.allowed_around.assign(n, 0);
}

void InvertedLists::scan(std::size_t first, std::size_t last, ListScan& by,
                         Scratch& scratch) const {
  scratch.pairs.clear();
  for (std::size_t q = 0; q < scratch.queries; ++q) {
    for (std::size_t rank = first; rank < last; ++rank) {
      scratch.pairs.push_back({scratch.probed[q * scratch.probes + rank],
                               static_cast<std::uint32_t>(q), static_cast<std::uint32_t>(rank)});
    }
  }
  if (scratch.queries > 1) {  // by list
    scratch.ends.assign(lists() + 1, 0);
    for (const auto& pair : scratch.pairs) ++scratch.ends[pair.list + 1];
    std::partial_sum(scratch.ends.begin(), scratch.ends.end(), scratch.ends.begin());
    scratch.sorted_pairs.resize(scratch.pairs.size());
    for (const auto& pair : scratch.pairs) scratch.sorted_pairs[scratch.ends[pair.list]++] = pair;
    std::swap(scratch.pairs, scratch.sorted_pairs);
  }

  for (std::size_t begin = 0; begin < scratch.pairs.size();) {
    std::size_t end = begin + 1;
    while (end < scratch.pairs.size() && end - begin < ListScan::kTogether &&
           scratch.pairs[end].list == scratch.pairs[begin].list) {
      ++end;
    }
    scan_list(std::span(scratch.pairs).subspan(begin, end - begin),
              list_after(begin, last, scratch), by, scratch);
    begin = end;
  }
}

// What to fetch from memory while the list of the pair at `begin` is scanned: the next list, once.
// A single query goes on to the next wave.
std::uint32_t InvertedLists::list_after(std::size_t begin, std::size_t last,
                                        const Scratch& scratch) const {
  const std::vector<Scratch::Pair>& pairs = scratch.pairs;
  const std::uint32_t list = pairs[begin].list;
  if (begin != 0 && pairs[begin - 1].list == list) return ListScan::kNoList;
  std::size_t next = begin + 1;
  while (next < pairs.size() && pairs[next].list == list) ++next;
  if (next < pairs.size()) return pairs[next].list;
  const bool more = scratch.queries == 1 && last < scratch.probes;
  return more ? scratch.probed[last] : ListScan::kNoList;
}

// Scans a list for a few queries together.
void InvertedLists::scan_list(std::span<const Scratch::Pair> pairs, std::uint32_t next,
                              ListScan& by, Scratch& scratch) const {
  const std::size_t l = pairs.front().list;
  const std::size_t room =
      (list_size(l) + simd::kBlockCodes - 1) / simd::kBlockCodes * simd::kBlockCodes;
  if (scratch.estimates.size() < ListScan::kTogether * room) {
    scratch.estimates.resize(ListScan::kTogether * room);
    scratch.places.resize(ListScan::kTogether * room);
  }
  ListQuery queries[ListScan::kTogether];
  simd::BlockScan scans[ListScan::kTogether];
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [number, q, rank] = pairs[i];
    queries[i] = {q, scratch.scores[q * scratch.probes + rank]};
    scans[i].limit = scratch.reservoirs[q].limit();
    scans[i].estimates = scratch.estimates.data() + i * room;
    scans[i].places = scratch.places.data() + i * room;
  }
  by.scan(pairs.front().list, list_size(l), next, std::span(queries).first(pairs.size()), scans);
  const auto first = static_cast<std::uint32_t>(starts_[l]);
  const Id* const ids = ids_.as<Id>() + first;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    simd::BlockScan& scan = scans[i];
    const std::size_t found = scan.found;
    if (scratch.allowed != nullptr) scan.found = keep_allowed(*scratch.allowed, ids, scan);
    if (pairs[i].rank < kAround) {
      scratch.met_around[pairs[i].query] += found;
      scratch.allowed_around[pairs[i].query] += scan.found;
    }
    for (std::size_t j = 0; j < scan.found; ++j) __builtin_prefetch(ids + scan.places[j]);
    scratch.reservoirs[pairs[i].query].append({scan.estimates, scan.found}, scan.places, first);
  }
}

double InvertedLists::longest() const {
  std::size_t longest = 0;
  for (std::size_t l = 0; l < lists(); ++l) longest = std::max(longest, list_size(l));
  return size() == 0 ? 0 : static_cast<double>(longest * lists()) / static_cast<double>(size());
}

ByteCounts InvertedLists::bytes() const {
  ByteCounts counts = cells_.bytes();
  counts.emplace_back("ivf.sizes", lists() * sizeof(std::uint64_t));
  counts.emplace_back("ivf.ids", ids_.size());
  for (auto& part : blocks_.bytes()) counts.push_back(std::move(part));
  return counts;
}

void InvertedLists::save(KithFileWriter& writer, Meta& meta) const {
  cells_.save(writer, meta);
  std::vector<std::uint64_t> sizes;
  for (std::size_t l = 0; l < lists(); ++l) sizes.push_back(list_size(l));
  writer.add_copy<std::uint64_t>("ivf.sizes", sizes);
  writer.add("ivf.ids", ids_.bytes());
  blocks_.save(writer, meta);
}

InvertedLists InvertedLists::load(const KithFileReader& reader, const Meta& meta, Metric metric,
                                  std::size_t dim, std::size_t vectors) {
  InvertedLists result;
  result.cells_ = Cells::load(reader, meta, metric, dim);
  const std::span<const std::uint64_t> sizes =
      reader.array<std::uint64_t>("ivf.sizes", result.lists());
  std::uint64_t total = 0;
  for (const std::uint64_t size : sizes) {
    total += size;
    if (size > vectors || total > vectors) {
      reader.fail("section ivf.sizes: more than the " + std::to_string(vectors) + " vectors");
    }
  }
  result.set_starts(sizes);
  result.ids_ = reader.storage("ivf.ids", total * sizeof(Id));
  result.blocks_ = ListBlocks::load(reader, meta, metric, dim, sizes);
  // Where codes lie in the lists' order, places are worked out from ids, verified or not.
  const bool once = result.blocks_.none();
  if (!once && !reader.verified()) return result;
  IdSet seen;
  for (const Id id : std::span(result.ids(), total)) {
    if (id >= vectors) reader.fail("section ivf.ids: an id beyond the vectors");
    if (!once) continue;
    if (seen.contains(id)) reader.fail("section ivf.ids: id " + std::to_string(id) + " twice");
    seen.insert(id);
  }
  return result;
}

std::vector<Id> InvertedLists::order(std::size_t slots) const {
  std::vector<Id> order(ids(), ids() + size());
  const IdSet listed{std::span<const Id>(order)};
  order.reserve(slots);
  for (Id id = 0; id < slots; ++id) {
    if (!listed.contains(id)) order.push_back(id);
  }
  return order;
}

}  // namespace kith
