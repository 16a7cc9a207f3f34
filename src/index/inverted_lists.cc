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

// The first rank of a wave: 0, 2, 8, 32, 128 ...
std::size_t wave_start(std::size_t wave) {
  return wave == 0 ? 0 : std::size_t{2} << 2 * (wave - 1);
}

std::size_t blocks_of(std::size_t codes) {
  return (codes + simd::kBlockCodes - 1) / simd::kBlockCodes;
}

}  // namespace

InvertedLists::InvertedLists(Metric metric, Centres centres, ProductQuantiser quantiser)
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

void InvertedLists::add(const AnyMatrixView& rows, Id first, std::span<const Id> ids,
                        const Control& control) {
  constexpr std::size_t kPiece = 16384;
  std::vector<std::uint32_t> assigned(ids.size());
  Matrix<float> piece(std::min(kPiece, ids.size()), rows.dim());
  for (std::size_t begin = 0; begin < ids.size(); begin += kPiece) {
    const std::size_t count = std::min(kPiece, ids.size() - begin);
    for (std::size_t i = 0; i < count; ++i)
      load_row(rows, ids[begin + i] - first, metric_, piece.row(i));
    centres_.nearest(piece.view().slice(0, count), control,
                     std::span(assigned).subspan(begin, count));
  }
  std::vector<std::uint64_t> sizes(lists());
  for (std::size_t l = 0; l < lists(); ++l) sizes[l] = list_size(l);
  for (std::uint32_t l : assigned) ++sizes[l];

  // The longer lists, with what they have already.
  InvertedLists old(metric_, Centres(), ProductQuantiser());
  std::swap(old.starts_, starts_);
  std::swap(old.block_starts_, block_starts_);
  std::swap(old.ids_, ids_);
  std::swap(old.blocks_, blocks_);
  std::swap(old.terms_, terms_);
  set_starts(sizes);
  const std::size_t block = simd::block_bytes(quantiser_.padded_parts());
  ids_ = Storage(size() * sizeof(Id));
  blocks_ = Storage(block_starts_.back() * block);
  if (metric_ == Metric::l2) terms_ = Storage(size() * sizeof(float));
  const auto copy = [](const Storage& from, std::size_t first, std::size_t count, std::size_t width,
                       Storage& to, std::size_t place) {
    std::copy_n(from.data() + first * width, count * width, to.mutable_data() + place * width);
  };
  for (std::size_t l = 0; l < lists(); ++l) {
    const std::size_t had = old.list_size(l);
    copy(old.ids_, old.starts_[l], had, sizeof(Id), ids_, starts_[l]);
    if (metric_ == Metric::l2) {
      copy(old.terms_, old.starts_[l], had, sizeof(float), terms_, starts_[l]);
    }
    copy(old.blocks_, old.block_starts_[l], blocks_of(had), block, blocks_, block_starts_[l]);
  }

  // A list's new rows are one thread's work, in order.
  const Groups fresh(assigned, lists());
  Progress progress(control, "fill lists", lists());
  parallel_for(control, lists(), 8, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<Id> own;
    for (std::size_t l = begin; l < end; ++l) {
      own.clear();
      for (std::uint32_t i : fresh.of(l)) own.push_back(ids[i]);
      encode(rows, first, own, l, old.list_size(l));
    }
    progress.add(end - begin);
  });
}

// Puts the vectors into the list from `place` on.
void InvertedLists::encode(const AnyMatrixView& rows, Id first, std::span<const Id> ids,
                           std::size_t list, std::size_t place) {
  const std::size_t dim = rows.dim(), block = simd::block_bytes(quantiser_.padded_parts());
  const simd::PreciseKernels& kernels = simd::precise_kernels();
  const float* centre = centres_.matrix().row(list);
  std::vector<float> residual(dim);
  std::vector<std::uint8_t> code(quantiser_.parts());
  auto* const blocks = blocks_.mutable_as<std::uint8_t>() + block_starts_[list] * block;
  for (const Id id : ids) {
    load_row(rows, id - first, metric_, residual.data());
    for (std::size_t j = 0; j < dim; ++j) residual[j] -= centre[j];
    quantiser_.encode(residual.data(), code.data());
    quantiser_.put(code.data(), place % simd::kBlockCodes,
                   blocks + place / simd::kBlockCodes * block);
    ids_.mutable_as<Id>()[starts_[list] + place] = id;
    if (metric_ == Metric::l2) {
      quantiser_.decode(code.data(), residual.data());
      terms_.mutable_as<float>()[starts_[list] + place] =
          static_cast<float>(2 * kernels.dot(centre, residual.data(), dim) +
                             kernels.dot(residual.data(), residual.data(), dim));
    }
    ++place;
  }
}

std::size_t InvertedLists::start(MatrixView<const float> queries, std::size_t probes,
                                 Scratch& scratch) const {
  const std::size_t n = scratch.queries = queries.rows();
  probes = scratch.probes = std::min(probes, lists());
  scratch.probed.resize(n * probes);
  scratch.scores.resize(n * probes);
  Control alone;
  alone.threads = 1;
  const bool product = metric_ == Metric::ip;
  centres_.nearest_few(queries, probes, product ? Centres::By::product : Centres::By::distance,
                       alone, scratch.probed, scratch.scores);

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
        score = 1 + (score - centres_.norm(scratch.probed[i])) / 2;
      } else {
        score /= 2;
      }
    }
  }
  std::size_t waves = 0;
  while (wave_start(waves) < probes) ++waves;
  return waves;
}

void InvertedLists::scan(std::size_t wave, Scratch& scratch) const {
  const std::size_t first = wave_start(wave);
  const std::size_t last = std::min(scratch.probes, wave_start(wave + 1));
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

  const std::size_t block = simd::block_bytes(quantiser_.padded_parts());
  for (const auto& [list, q, rank] : scratch.pairs) {
    const std::size_t size = list_size(list);
    if (scratch.estimates.size() < blocks_of(size) * simd::kBlockCodes) {
      scratch.estimates.resize(blocks_of(size) * simd::kBlockCodes);
      scratch.places.resize(scratch.estimates.size());
    }
    simd::BlockQuery query = scratch.tables[q].query;
    query.offset += scratch.scores[q * scratch.probes + rank];
    Reservoir& reservoir = scratch.reservoirs[q];
    const float* terms = metric_ == Metric::l2 ? terms_.as<float>() + starts_[list] : nullptr;
    const std::size_t found =
        simd::scan_blocks(query, blocks_.as<std::uint8_t>() + block_starts_[list] * block, terms,
                          size, reservoir.limit(), scratch.estimates.data(), scratch.places.data());
    reservoir.append({scratch.estimates.data(), found}, scratch.places.data(),
                     ids_.as<Id>() + starts_[list]);
  }
}

ByteCounts InvertedLists::bytes() const {
  ByteCounts counts = {{"ivf.centres", centres_.matrix().rows() * centres_.dim() * sizeof(float)},
                       {"ivf.words", quantiser_.bytes()},
                       {"ivf.sizes", lists() * sizeof(std::uint64_t)},
                       {"ivf.ids", ids_.size()},
                       {"ivf.blocks", blocks_.size()}};
  if (metric_ == Metric::l2) counts.emplace_back("ivf.terms", terms_.size());
  return counts;
}

void InvertedLists::save(KithFileWriter& writer, Meta& meta) const {
  meta.set("ivf.lists", std::uint64_t{lists()});
  std::vector<float> centres;
  for (std::size_t l = 0; l < lists(); ++l) {
    const float* row = centres_.matrix().row(l);
    centres.insert(centres.end(), row, row + centres_.dim());
  }
  writer.add_copy<float>("ivf.centres", centres);
  quantiser_.save(writer, meta, "ivf");
  std::vector<std::uint64_t> sizes;
  for (std::size_t l = 0; l < lists(); ++l) sizes.push_back(list_size(l));
  writer.add_copy<std::uint64_t>("ivf.sizes", sizes);
  writer.add("ivf.ids", ids_.bytes());
  writer.add("ivf.blocks", blocks_.bytes());
  if (metric_ == Metric::l2) writer.add("ivf.terms", terms_.bytes());
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
  if (total != vectors) {
    reader.fail("section ivf.sizes: " + std::to_string(total) + " vectors, expected " +
                std::to_string(vectors));
  }
  result.set_starts(sizes);
  result.ids_ = reader.storage("ivf.ids", vectors * sizeof(Id));
  if (reader.verified()) {
    bool good = true;
    for (std::size_t i = 0; i < vectors; ++i) good &= result.ids_.as<Id>()[i] < vectors;
    if (!good) reader.fail("section ivf.ids: an id beyond the vectors");
  }
  result.blocks_ =
      reader.storage("ivf.blocks", result.block_starts_.back() *
                                       simd::block_bytes(result.quantiser_.padded_parts()));
  if (metric == Metric::l2) {
    result.terms_ = reader.storage("ivf.terms", vectors * sizeof(float));
  }
  return result;
}

}  // namespace kith
