#include "codec/vq.h"

#include <atomic>
#include <cmath>
#include <utility>

#include "kith/error.h"
#include "simd/kernels.h"

namespace kith {

Vq::Vq(std::size_t dim, Metric metric, const VqWord& word)
    : metric_(metric),
      codebooks_(std::make_shared<const Codebooks>(dim, word.parts, word.bits)),
      bytes_(codebooks_->code_bytes()) {}

void Vq::take(std::shared_ptr<const Codebooks> codebooks) {
  const Codebooks& own = *codebooks_;
  if (codebooks->dim() != own.dim() || codebooks->parts() != own.parts() ||
      codebooks->bits() != own.bits()) {
    throw Error(ErrorCode::invalid_argument,
                "codebooks " + vq_name(codebooks->parts(), codebooks->bits()) + " of vectors of " +
                    std::to_string(codebooks->dim()) + " dimensions, expected " +
                    vq_name(own.parts(), own.bits()) + " of " + std::to_string(own.dim()));
  }
  codebooks_ = std::move(codebooks);
}

void Vq::train(MatrixView<const float> sample, std::uint64_t seed, const Control& control) {
  if (!codebooks_->empty()) return;
  Codebooks learned(codebooks_->dim(), codebooks_->parts(), codebooks_->bits());
  learned.learn(sample, seed, control);
  codebooks_ = std::make_shared<const Codebooks>(std::move(learned));
}

void Vq::resize(std::size_t rows) {
  size_ = rows;
  codes_.resize(rows * bytes_);
}

void Vq::encode(Id id, const float* x) {
  thread_local std::vector<std::uint32_t> code;
  code.resize(codebooks_->parts());
  const double squared = codebooks_->encode(x, code.data());
  simd::pack_bits(code.data(), codebooks_->bits(), code.size(),
                  codes_.mutable_data() + id * bytes_);
  // The sums above are in float.
  const auto error = static_cast<float>(std::sqrt(squared) * (1 + 1e-4));
  const std::atomic_ref<float> largest(largest_error_);
  float seen = largest.load(std::memory_order_relaxed);
  while (error > seen && !largest.compare_exchange_weak(seen, error, std::memory_order_relaxed)) {
  }
}

void Vq::unpack(Id id, std::uint32_t* code) const {
  simd::unpack_bits(codes_.data() + id * bytes_, codebooks_->bits(), codebooks_->parts(), code);
}

void Vq::decode(Id id, float* out) const {
  std::vector<std::uint32_t> code(codebooks_->parts());
  unpack(id, code.data());
  codebooks_->decode(code.data(), out);
}

void Vq::prepare(const float* query, Query& out) const {
  out.table.resize(codebooks_->parts() * codebooks_->words());
  if (metric_ == Metric::l2) {
    codebooks_->distances(query, out.table.data());
    out.constant = 0;
    return;
  }
  codebooks_->products(query, out.table.data());
  for (float& entry : out.table) entry = -entry;
  out.constant = metric_ == Metric::cosine ? 1 : 0;
}

template <class RowOf, class Use>
void Vq::add_up(const Query& query, std::size_t n, const RowOf& row_of, const Use& use) const {
  const std::size_t parts = codebooks_->parts(), words = codebooks_->words();
  const auto sum = [&](const auto* code) {
    const float* entries = query.table.data();
    float total = 0;
    for (std::size_t part = 0; part < parts; ++part, entries += words) total += entries[code[part]];
    return total;
  };
  if (codebooks_->bits() == 8) {  // a byte a part, as it is
    for (std::size_t i = 0; i < n; ++i) use(i, sum(codes_.as<std::uint8_t>() + row_of(i) * bytes_));
    return;
  }
  thread_local std::vector<std::uint32_t> code;
  code.resize(parts);
  for (std::size_t i = 0; i < n; ++i) {
    unpack(static_cast<Id>(row_of(i)), code.data());
    use(i, sum(code.data()));
  }
}

void Vq::score(const Query& query, const Id* ids, std::size_t n, float* out) const {
  add_up(
      query, n, [&](std::size_t i) -> std::size_t { return ids[i]; },
      [&](std::size_t i, float total) { out[i] = query.constant + total; });
}

void Vq::score_range(const Query& query, Id first, std::size_t n, float* out) const {
  add_up(
      query, n, [&](std::size_t i) -> std::size_t { return first + i; },
      [&](std::size_t i, float total) { out[i] = query.constant + total; });
}

ByteCounts Vq::bytes() const {
  return {{"codes", codes_.size()}, {"codebooks", codebooks_->bytes()}};
}

void Vq::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  meta.set(prefix + ".error", static_cast<double>(largest_error_));
  writer.add(prefix + ".codes", codes_.bytes());
  codebooks_->save(writer, prefix + ".");
}

void Vq::load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
              std::size_t rows) {
  Codebooks stored(codebooks_->dim(), codebooks_->parts(), codebooks_->bits());
  stored.load(reader, prefix + ".");
  codebooks_ = std::make_shared<const Codebooks>(std::move(stored));
  largest_error_ = static_cast<float>(meta.real(prefix + ".error"));
  size_ = rows;
  codes_ = reader.storage(prefix + ".codes", rows * bytes_);
}

}  // namespace kith
