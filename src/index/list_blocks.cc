#include "index/list_blocks.h"

#include <algorithm>
#include <utility>

#include "base/groups.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "simd/kernels.h"
#include "simd/precise.h"

namespace kith {
namespace {

std::size_t blocks_of(std::size_t codes) {
  return (codes + simd::kBlockCodes - 1) / simd::kBlockCodes;
}

void copy(const Storage& from, std::size_t first, std::size_t count, std::size_t width, Storage& to,
          std::size_t place) {
  std::copy_n(from.data() + first * width, count * width, to.mutable_data() + place * width);
}

}  // namespace

ListBlocks::ListBlocks(Metric metric, ProductQuantiser quantiser)
    : metric_(metric), quantiser_(std::move(quantiser)) {}

void ListBlocks::set_starts(std::span<const std::uint64_t> sizes) {
  starts_.assign(1, 0);
  block_starts_.assign(1, 0);
  for (const std::uint64_t size : sizes) {
    starts_.push_back(starts_.back() + size);
    block_starts_.push_back(block_starts_.back() + blocks_of(size));
  }
}

ListBlocks ListBlocks::sized(std::span<const std::uint64_t> sizes) const {
  ListBlocks result(metric_, quantiser_);
  if (none()) return result;
  result.set_starts(sizes);
  result.blocks_ = Storage(result.block_starts_.back() * block_bytes());
  if (metric_ == Metric::l2) result.terms_ = Storage(result.starts_.back() * sizeof(float));
  return result;
}

void ListBlocks::take_list(const ListBlocks& from, std::size_t list) {
  if (none() || from.starts_.empty()) return;
  const std::size_t codes = from.size_of(list);
  copy(from.blocks_, from.block_starts_[list], blocks_of(codes), block_bytes(), blocks_,
       block_starts_[list]);
  if (metric_ != Metric::l2) return;
  copy(from.terms_, from.starts_[list], codes, sizeof(float), terms_, starts_[list]);
}

std::uint8_t* ListBlocks::mutable_block(std::size_t list, std::size_t place) {
  return blocks_.mutable_as<std::uint8_t>() +
         (block_starts_[list] + place / simd::kBlockCodes) * block_bytes();
}

void ListBlocks::put(const std::uint8_t* code, float term, std::size_t list, std::size_t place) {
  quantiser_.put(code, place % simd::kBlockCodes, mutable_block(list, place));
  if (metric_ == Metric::l2) terms_.mutable_as<float>()[starts_[list] + place] = term;
}

void ListBlocks::take_code(const ListBlocks& from, std::size_t list, std::size_t from_place,
                           std::size_t place) {
  if (none()) return;
  thread_local std::vector<std::uint8_t> code;
  code.resize(quantiser_.parts());
  quantiser_.get(from.list(list) + from_place / simd::kBlockCodes * block_bytes(),
                 from_place % simd::kBlockCodes, code.data());
  const bool terms = metric_ == Metric::l2;
  put(code.data(), terms ? from.terms_.as<float>()[from.starts_[list] + from_place] : 0, list,
      place);
}

// Rows are coded as they come, for those of one list lie all over a file that may be larger than
// memory; a list's codes are then one thread's work, in order.
void ListBlocks::fill(const RowLoader& load, std::span<const std::uint32_t> cells,
                      std::vector<std::uint64_t> places, const Cells& of, const Control& control) {
  if (none()) return;
  Progress progress(control, "fill lists", cells.size());
  const std::size_t parts = quantiser_.parts();
  std::vector<std::uint8_t> codes;
  std::vector<float> terms;
  of.for_each_piece(load, cells.size(), control, [&](std::size_t first, MatrixView<float> piece) {
    const auto lists = cells.subspan(first, piece.rows());
    codes.resize(piece.rows() * parts);
    terms.resize(piece.rows());
    parallel_for(control, piece.rows(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        terms[i] = encode(piece.row(i), of.centre(lists[i]), &codes[i * parts]);
      }
    });
    const Groups fresh(lists, of.size());
    parallel_for(control, of.size(), 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t l = begin; l < end; ++l) {
        for (const std::uint32_t i : fresh.of(l)) {
          put(&codes[i * parts], terms[i], l, places[l]++);
        }
      }
    });
    progress.add(piece.rows());
  });
}

float ListBlocks::encode(float* vector, const float* centre, std::uint8_t* code) const {
  const std::size_t dim = quantiser_.dim();
  const simd::PreciseKernels& kernels = simd::precise_kernels();
  for (std::size_t j = 0; j < dim; ++j) vector[j] -= centre[j];
  quantiser_.encode(vector, code);
  if (metric_ != Metric::l2) return 0;
  quantiser_.decode(code, vector);
  return static_cast<float>(2 * kernels.dot(centre, vector, dim) +
                            kernels.dot(vector, vector, dim));
}

ByteCounts ListBlocks::bytes() const {
  if (none()) return {};
  ByteCounts counts = {{"ivf.words", quantiser_.bytes()}, {"ivf.blocks", blocks_.size()}};
  if (metric_ == Metric::l2) counts.emplace_back("ivf.terms", terms_.size());
  return counts;
}

void ListBlocks::save(KithFileWriter& writer, Meta& meta) const {
  if (none()) return;
  quantiser_.save(writer, meta, "ivf");
  writer.add("ivf.blocks", blocks_.bytes());
  if (metric_ == Metric::l2) writer.add("ivf.terms", terms_.bytes());
}

ListBlocks ListBlocks::load(const KithFileReader& reader, const Meta& meta, Metric metric,
                            std::size_t dim, std::span<const std::uint64_t> sizes) {
  ListBlocks result;
  result.metric_ = metric;
  if (!meta.has("ivf.parts") && !meta.has("ivf.turned_parts")) return result;
  result.quantiser_.load(reader, meta, "ivf", dim);
  result.set_starts(sizes);
  result.blocks_ = reader.storage("ivf.blocks", result.block_starts_.back() * result.block_bytes());
  if (metric == Metric::l2) {
    result.terms_ = reader.storage("ivf.terms", result.starts_.back() * sizeof(float));
  }
  return result;
}

// ---- ProductScan --------------------------------------------------------------------------------

void ProductScan::prepare(const ListBlocks& blocks, MatrixView<const float> queries) {
  blocks_ = &blocks;
  if (tables_.size() < queries.rows()) tables_.resize(queries.rows());
  const float weight = blocks.metric_ == Metric::l2 ? -2.0f : -1.0f;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    blocks.quantiser_.prepare(queries.row(q), weight, tables_[q]);
  }
}

void ProductScan::scan(std::uint32_t list, std::size_t size, std::uint32_t next,
                       std::span<const ListQuery> queries, simd::BlockScan* scans) {
  simd::BlockList codes;
  codes.blocks = blocks_->list(list);
  codes.n = size;
  if (next != kNoList) codes.next = blocks_->list(next);
  if (blocks_->metric_ == Metric::l2) {
    codes.terms = blocks_->terms_.as<float>() + blocks_->starts_[list];
  }
  for (std::size_t i = 0; i < queries.size(); ++i) {
    scans[i].query = tables_[queries[i].query].query;
    scans[i].query.offset += queries[i].centre;
  }
  simd::scan_blocks_each(scans, queries.size(), codes);
}

}  // namespace kith
