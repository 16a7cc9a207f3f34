#include "index/inverted_lists.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "base/groups.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "codec/stage.h"
#include "simd/kernels.h"
#include "simd/precise.h"

namespace kith {
namespace {

constexpr std::size_t kTogether = 4;  // queries that scan a list at once
constexpr const char* kCentreGraph = "ivf.centre_graph";

Centres::By lists_by(Metric metric) {
  return metric == Metric::ip ? Centres::By::product : Centres::By::distance;
}

std::shared_ptr<const Centres> with_rough_copy(Centres centres, Metric metric) {
  centres.keep_rough_copy(lists_by(metric));
  return std::make_shared<Centres>(std::move(centres));
}

std::size_t blocks_of(std::size_t codes) {
  return (codes + simd::kBlockCodes - 1) / simd::kBlockCodes;
}

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

InvertedLists::InvertedLists(Metric metric, Centres centres, ProductQuantiser quantiser)
    : InvertedLists(metric, with_rough_copy(std::move(centres), metric), std::move(quantiser)) {}

InvertedLists::InvertedLists(Metric metric, std::shared_ptr<const Centres> centres,
                             ProductQuantiser quantiser)
    : metric_(metric), centres_(std::move(centres)), quantiser_(std::move(quantiser)) {
  set_starts(std::vector<std::uint64_t>(lists(), 0));
}

void InvertedLists::set_starts(std::span<const std::uint64_t> sizes) {
  starts_.assign(1, 0);
  block_starts_.assign(1, 0);
  for (const std::uint64_t size : sizes) {
    starts_.push_back(starts_.back() + size);
    block_starts_.push_back(block_starts_.back() + blocks_of(size));
  }
}

InvertedLists InvertedLists::sized(std::span<const std::uint64_t> sizes) const {
  InvertedLists result(metric_, centres_, quantiser_);
  result.centre_graph_ = centre_graph_;
  result.set_starts(sizes);
  result.ids_ = Storage(result.size() * sizeof(Id));
  result.blocks_ =
      Storage(result.block_starts_.back() * simd::block_bytes(quantiser_.padded_parts()));
  if (metric_ == Metric::l2) result.terms_ = Storage(result.size() * sizeof(float));
  return result;
}

template <class Take>
void InvertedLists::for_each_piece(const RowLoader& load, std::size_t rows, const Control& control,
                                   const Take& take) const {
  constexpr std::size_t kPiece = 16384, kGrain = 256;
  const std::size_t dim = centres_->dim();
  Matrix<float> piece(std::min(kPiece, rows), dim);
  for (std::size_t first = 0; first < rows; first += kPiece) {
    const std::size_t count = std::min(kPiece, rows - first);
    parallel_for(control, count, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        load(first + i, piece.row(i));
        if (metric_ == Metric::cosine) normalise(piece.row(i), dim);
      }
    });
    take(first, piece.view().slice(0, count));
  }
}

std::vector<std::uint32_t> InvertedLists::assign(const RowLoader& load, std::size_t rows,
                                                 const Control& control) const {
  std::vector<std::uint32_t> assigned(rows);
  for_each_piece(load, rows, control, [&](std::size_t first, MatrixView<const float> piece) {
    centres_->nearest(piece, control, std::span(assigned).subspan(first, piece.rows()));
  });
  return assigned;
}

InvertedLists InvertedLists::with(const RowLoader& load, std::span<const Id> ids,
                                  const Control& control) const {
  const std::vector<std::uint32_t> assigned = assign(load, ids.size(), control);
  std::vector<std::uint64_t> sizes(lists());
  for (std::size_t l = 0; l < lists(); ++l) sizes[l] = list_size(l);
  std::vector<std::uint64_t> places = sizes;
  for (std::uint32_t l : assigned) ++sizes[l];
  InvertedLists result = sized(sizes);
  const auto copy = [](const Storage& from, std::size_t first, std::size_t count, std::size_t width,
                       Storage& to, std::size_t place) {
    std::copy_n(from.data() + first * width, count * width, to.mutable_data() + place * width);
  };
  const std::size_t block = simd::block_bytes(quantiser_.padded_parts());
  for (std::size_t l = 0; l < lists(); ++l) {
    const std::size_t had = list_size(l);
    copy(ids_, starts_[l], had, sizeof(Id), result.ids_, result.starts_[l]);
    if (metric_ == Metric::l2) {
      copy(terms_, starts_[l], had, sizeof(float), result.terms_, result.starts_[l]);
    }
    copy(blocks_, block_starts_[l], blocks_of(had), block, result.blocks_, result.block_starts_[l]);
  }

  // Rows are coded as they come, for those of one list lie all over a file that may be larger than
  // memory; a list's codes are then one thread's work, in order.
  Progress progress(control, "fill lists", ids.size());
  const std::size_t parts = quantiser_.parts();
  std::vector<std::uint8_t> codes;
  std::vector<float> terms;
  for_each_piece(load, ids.size(), control, [&](std::size_t first, MatrixView<float> piece) {
    const auto of = std::span(assigned).subspan(first, piece.rows());
    codes.resize(piece.rows() * parts);
    terms.resize(piece.rows());
    parallel_for(control, piece.rows(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        terms[i] = encode(piece.row(i), of[i], &codes[i * parts]);
      }
    });
    const Groups fresh(of, lists());
    parallel_for(control, lists(), 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t l = begin; l < end; ++l) {
        for (std::uint32_t i : fresh.of(l)) {
          result.put(&codes[i * parts], terms[i], ids[first + i], l, places[l]++);
        }
      }
    });
    progress.add(piece.rows());
  });
  return result;
}

float InvertedLists::encode(float* vector, std::size_t list, std::uint8_t* code) const {
  const std::size_t dim = centres_->dim();
  const simd::PreciseKernels& kernels = simd::precise_kernels();
  const float* centre = centres_->matrix().row(list);
  for (std::size_t j = 0; j < dim; ++j) vector[j] -= centre[j];
  quantiser_.encode(vector, code);
  if (metric_ != Metric::l2) return 0;
  quantiser_.decode(code, vector);
  return static_cast<float>(2 * kernels.dot(centre, vector, dim) +
                            kernels.dot(vector, vector, dim));
}

void InvertedLists::put(const std::uint8_t* code, float term, Id id, std::size_t list,
                        std::size_t place) {
  const std::size_t block = simd::block_bytes(quantiser_.padded_parts());
  quantiser_.put(code, place % simd::kBlockCodes,
                 blocks_.mutable_as<std::uint8_t>() +
                     (block_starts_[list] + place / simd::kBlockCodes) * block);
  ids_.mutable_as<Id>()[starts_[list] + place] = id;
  if (metric_ == Metric::l2) terms_.mutable_as<float>()[starts_[list] + place] = term;
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
  const std::size_t block = simd::block_bytes(quantiser_.padded_parts());
  const auto block_of = [&](std::size_t first, std::size_t place) {
    return (first + place / simd::kBlockCodes) * block;
  };
  std::vector<std::uint8_t> code(quantiser_.parts());
  for (std::size_t l = 0; l < lists(); ++l) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list_size(l); ++i) {
      const Id id = ids[starts_[l] + i];
      if (gone.contains(id)) continue;
      quantiser_.get(blocks_.as<std::uint8_t>() + block_of(block_starts_[l], i),
                     i % simd::kBlockCodes, code.data());
      quantiser_.put(
          code.data(), kept % simd::kBlockCodes,
          result.blocks_.mutable_as<std::uint8_t>() + block_of(result.block_starts_[l], kept));
      const std::size_t to = result.starts_[l] + kept++;
      result.ids_.mutable_as<Id>()[to] = id;
      if (metric_ == Metric::l2) {
        result.terms_.mutable_as<float>()[to] = terms_.as<float>()[starts_[l] + i];
      }
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
  find_lists(queries, probes, scratch);

  if (scratch.tables.size() < n) scratch.tables.resize(n);
  if (scratch.reservoirs.size() < n) scratch.reservoirs.resize(n);
  for (std::size_t q = 0; q < n; ++q) {
    quantiser_.prepare(queries.row(q), metric_ == Metric::l2 ? -2.0f : -1.0f, scratch.tables[q]);
    const float norm = simd::norm_squared(queries.row(q), queries.cols());
    for (std::size_t i = q * probes; i < (q + 1) * probes; ++i) {
      float& score = scratch.scores[i];
      if (metric_ == Metric::l2) {
        score += norm;
      } else if (metric_ == Metric::cosine) {
        score = 1 + (score - centres_->norm(scratch.probed[i])) / 2;
      } else {
        score /= 2;
      }
    }
  }
  scratch.met_around.assign(n, 0);
  scratch.allowed_around.assign(n, 0);
}

void InvertedLists::connect_centres(std::uint64_t seed, const Control& control) {
  constexpr std::size_t kFewProbes = 32;
  if (!CentreGraph::pays(lists(), kFewProbes)) return;
  centre_graph_ = std::make_shared<CentreGraph>(centres_, seed, control);
}

void InvertedLists::find_lists(MatrixView<const float> queries, std::size_t probes,
                               Scratch& scratch) const {
  if (centre_graph_ != nullptr && CentreGraph::pays(lists(), probes)) {
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      centre_graph_->nearest_few(queries.row(q), probes, &scratch.probed[q * probes],
                                 &scratch.scores[q * probes]);
    }
    return;
  }
  Control alone;
  alone.threads = 1;
  centres_->nearest_few(queries, probes, lists_by(metric_), alone, scratch.probed, scratch.scores);
}

void InvertedLists::scan(std::size_t first, std::size_t last, Scratch& scratch) const {
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
    while (end < scratch.pairs.size() && end - begin < kTogether &&
           scratch.pairs[end].list == scratch.pairs[begin].list) {
      ++end;
    }
    scan_list(std::span(scratch.pairs).subspan(begin, end - begin),
              list_after(begin, last, scratch), scratch);
    begin = end;
  }
}

// The blocks to fetch from memory while the list of the pair at `begin` is scanned: those of the
// next list, once. A single query goes on to the next wave.
const std::uint8_t* InvertedLists::list_after(std::size_t begin, std::size_t last,
                                              const Scratch& scratch) const {
  const std::vector<Scratch::Pair>& pairs = scratch.pairs;
  const std::uint32_t list = pairs[begin].list;
  if (begin != 0 && pairs[begin - 1].list == list) return nullptr;
  std::size_t next = begin + 1;
  while (next < pairs.size() && pairs[next].list == list) ++next;
  if (next < pairs.size()) return blocks_of_list(pairs[next].list);
  const bool more = scratch.queries == 1 && last < scratch.probes;
  return more ? blocks_of_list(scratch.probed[last]) : nullptr;
}

// Scans a list for a few queries together.
void InvertedLists::scan_list(std::span<const Scratch::Pair> pairs, const std::uint8_t* next,
                              Scratch& scratch) const {
  const std::size_t l = pairs.front().list, size = list_size(l);
  const std::size_t room = blocks_of(size) * simd::kBlockCodes;
  if (scratch.estimates.size() < kTogether * room) {
    scratch.estimates.resize(kTogether * room);
    scratch.places.resize(kTogether * room);
  }
  simd::BlockList list;
  list.blocks = blocks_of_list(l);
  list.next = next;
  list.n = size;
  if (metric_ == Metric::l2) list.terms = terms_.as<float>() + starts_[l];
  simd::BlockScan scans[kTogether];
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [number, q, rank] = pairs[i];
    scans[i] = {scratch.tables[q].query, scratch.reservoirs[q].limit(),
                scratch.estimates.data() + i * room, scratch.places.data() + i * room};
    scans[i].query.offset += scratch.scores[q * scratch.probes + rank];
  }
  simd::scan_blocks_each(scans, pairs.size(), list);
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
  ByteCounts counts = {{"ivf.centres", centres_->matrix().rows() * centres_->dim() * sizeof(float)},
                       {"ivf.words", quantiser_.bytes()},
                       {"ivf.sizes", lists() * sizeof(std::uint64_t)},
                       {"ivf.ids", ids_.size()},
                       {"ivf.blocks", blocks_.size()}};
  if (metric_ == Metric::l2) counts.emplace_back("ivf.terms", terms_.size());
  if (centre_graph_ != nullptr) counts.emplace_back("ivf.centre_graph", centre_graph_->bytes());
  return counts;
}

void InvertedLists::save(KithFileWriter& writer, Meta& meta) const {
  meta.set("ivf.lists", std::uint64_t{lists()});
  std::vector<float> centres;
  for (std::size_t l = 0; l < lists(); ++l) {
    const float* row = centres_->matrix().row(l);
    centres.insert(centres.end(), row, row + centres_->dim());
  }
  writer.add_copy<float>("ivf.centres", centres);
  quantiser_.save(writer, meta, "ivf");
  std::vector<std::uint64_t> sizes;
  for (std::size_t l = 0; l < lists(); ++l) sizes.push_back(list_size(l));
  writer.add_copy<std::uint64_t>("ivf.sizes", sizes);
  writer.add("ivf.ids", ids_.bytes());
  writer.add("ivf.blocks", blocks_.bytes());
  if (metric_ == Metric::l2) writer.add("ivf.terms", terms_.bytes());
  if (centre_graph_ != nullptr) centre_graph_->save(writer, meta, kCentreGraph);
}

InvertedLists InvertedLists::load(const KithFileReader& reader, const Meta& meta, Metric metric,
                                  std::size_t dim, std::size_t vectors) {
  const std::size_t count = meta.number("ivf.lists", kMaxVectors);
  if (count == 0) reader.fail("section meta: ivf.lists=0");
  const std::span<const float> values = reader.array<float>("ivf.centres", count * dim);
  Matrix<float> centres(count, dim);
  for (std::size_t l = 0; l < count; ++l) std::copy_n(&values[l * dim], dim, centres.row(l));
  ProductQuantiser quantiser;
  quantiser.load(reader, meta, "ivf", dim);
  InvertedLists result(metric, Centres(std::move(centres)), std::move(quantiser));
  const std::span<const std::uint64_t> sizes = reader.array<std::uint64_t>("ivf.sizes", count);
  std::uint64_t total = 0;
  for (const std::uint64_t size : sizes) {
    total += size;
    if (size > vectors || total > vectors) {
      reader.fail("section ivf.sizes: more than the " + std::to_string(vectors) + " vectors");
    }
  }
  result.set_starts(sizes);
  result.ids_ = reader.storage("ivf.ids", total * sizeof(Id));
  if (reader.verified()) {
    bool good = true;
    for (std::size_t i = 0; i < total; ++i) good &= result.ids_.as<Id>()[i] < vectors;
    if (!good) reader.fail("section ivf.ids: an id beyond the vectors");
  }
  result.blocks_ =
      reader.storage("ivf.blocks", result.block_starts_.back() *
                                       simd::block_bytes(result.quantiser_.padded_parts()));
  if (metric == Metric::l2) {
    result.terms_ = reader.storage("ivf.terms", total * sizeof(float));
  }
  if (CentreGraph::is_in(meta, kCentreGraph)) {
    result.centre_graph_ =
        std::make_shared<CentreGraph>(result.centres_, reader, meta, kCentreGraph);
  }
  return result;
}

}  // namespace kith
