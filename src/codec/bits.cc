#include "codec/bits.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/random.h"
#include "codec/dense.h"
#include "codec/products.h"
#include "codec/stage.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr std::uint64_t kSeed = 1;  // of directions and rotations that are learned here
constexpr std::size_t kPiece = 64;  // products on the stack

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::string word_name(const BitsWord& word) {
  const char* const kind = word.kind == BitsWord::Kind::itq ? "itq" : "signs";
  return word.kind == BitsWord::Kind::learned ? bits_name(word.dims, word.bits)
                                              : kind + std::to_string(word.dims);
}

double length_of(const std::uint8_t* codes, std::size_t dims, int largest) {
  double squares = 0;
  for (std::size_t i = 0; i < dims; ++i) {
    const int value = 2 * codes[i] - largest;
    squares += value * value;
  }
  return std::sqrt(squares);
}

}  // namespace

Bits::Bits(std::size_t dim, Metric metric, const BitsWord& word)
    : dim_(dim),
      word_(word),
      lane_(word.bits == 3 ? 4 : word.bits),
      bytes_(simd::odd_bytes(lane_, word.dims)) {
  if (metric != Metric::cosine) {
    refuse("codec '" + word_name(word) + "' keeps directions only, but the metric is " +
           std::string(name(metric)) + ": expected cosine");
  }
}

void Bits::take(std::shared_ptr<const Binariser> binariser) {
  if (binariser->dim != dim_ || binariser->dims != word_.dims || binariser->bits != word_.bits) {
    refuse("a binariser " + bits_name(binariser->dims, binariser->bits) + " of vectors of " +
           std::to_string(binariser->dim) + " dimensions, expected " + word_name(word_) + " of " +
           std::to_string(dim_));
  }
  binariser_ = std::move(binariser);
}

void Bits::read_queries_by(std::shared_ptr<const Binariser> binariser) {
  if (binariser->version == binariser_->version) {
    queries_ = nullptr;
    return;
  }
  if (binariser->compatible != binariser_->version || binariser->dims != word_.dims ||
      binariser->bits != word_.bits) {
    refuse("a binariser that wasn't trained to search these codes: of version " +
           std::to_string(binariser->version) + ", compatible with " +
           (binariser->compatible == 0 ? "none" : std::to_string(binariser->compatible)) +
           ", but they are of version " + std::to_string(binariser_->version));
  }
  queries_ = std::move(binariser);
}

void Bits::train(MatrixView<const float> sample) {
  if (binariser_ == nullptr) {
    if (word_.kind == BitsWord::Kind::learned) {
      refuse("codec '" + word_name(word_) +
             "' needs a binariser that `kith train codec` learned (--trained FOLDER)");
    }
    binariser_ = std::make_shared<const Binariser>(word_.kind == BitsWord::Kind::itq
                                                       ? learn_itq(sample, word_.dims, kSeed)
                                                       : random_signs(dim_, word_.dims, kSeed));
  }
  learn_decoder(sample);
}

// The ridge regression of vectors on their codes, both 1 long.
void Bits::learn_decoder(MatrixView<const float> sample) {
  constexpr std::size_t kMostRows = 5000;
  constexpr double kRidge = 1e-3;  // of the mean square
  const auto chosen = random_sample(sample.rows(), kMostRows, kSeed);
  Matrix<float> values(chosen.size(), word_.dims), rows(chosen.size(), dim_);
  std::vector<std::uint8_t> codes(word_.dims);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::copy_n(sample.row(chosen[i]), dim_, rows.row(i));
    binariser_->encode(rows.row(i), codes.data());
    const double length = length_of(codes.data(), word_.dims, largest());
    for (std::size_t j = 0; j < word_.dims; ++j) {
      values(i, j) = static_cast<float>((2 * codes[j] - largest()) / length);
    }
  }
  const Control one{.threads = 1, .cancel = nullptr, .progress = {}};
  Dense squares = to_dense(sum_of_products(values, values, one));
  squares.diagonal().array() +=
      kRidge * (squares.trace() / static_cast<double>(word_.dims) + 1e-30);
  decoder_ = std::make_shared<const Matrix<float>>(
      to_floats(squares.llt().solve(to_dense(sum_of_products(values, rows, one)))));
}

void Bits::resize(std::size_t rows) {
  size_ = rows;
  codes_.resize(rows * bytes_);
  if (has_norms()) norms_.resize(rows * sizeof(Half));
}

void Bits::encode(Id id, const float* x) {
  thread_local std::vector<std::uint8_t> codes;
  codes.resize(word_.dims);
  binariser_->encode(x, codes.data());
  simd::pack_odd(lane_, codes.data(), word_.dims, codes_.mutable_data() + id * bytes_);
  if (has_norms()) {
    const double length = length_of(codes.data(), word_.dims, largest());
    norms_.mutable_as<Half>()[id] = Half(static_cast<float>(1 / length));
  }
}

void Bits::decode(Id id, float* out) const {
  std::vector<std::uint8_t> codes(word_.dims);
  unpack(id, codes.data());
  decode_codes(codes.data(), out);
}

void Bits::decode_query(const float* query, float* out) const {
  std::vector<std::uint8_t> codes(word_.dims);
  (queries_ != nullptr ? *queries_ : *binariser_).encode(query, codes.data());
  decode_codes(codes.data(), out);
}

void Bits::decode_codes(const std::uint8_t* codes, float* out) const {
  std::fill(out, out + dim_, 0.0F);
  for (std::size_t i = 0; i < word_.dims; ++i) {
    const auto value = static_cast<float>(2 * codes[i] - largest());
    const float* row = decoder_->row(i);
    for (std::size_t j = 0; j < dim_; ++j) out[j] += value * row[j];
  }
  normalise(out, dim_);
}

void Bits::prepare(const float* query, Query& out) const {
  out.codes.resize(word_.dims);
  (queries_ != nullptr ? *queries_ : *binariser_).encode(query, out.codes.data());
  prepare_codes(out);
}

void Bits::prepare_row(const float* x, Query& out) const {
  out.codes.resize(word_.dims);
  binariser_->encode(x, out.codes.data());
  prepare_codes(out);
}

void Bits::prepare_code(Id id, Query& out) const {
  out.codes.resize(word_.dims);
  unpack(id, out.codes.data());
  prepare_codes(out);
}

void Bits::prepare_codes(Query& out) const {
  const double length = length_of(out.codes.data(), word_.dims, largest());
  out.inverse_norm = static_cast<float>(1 / length);
  if (lane_ == 1) {
    out.packed.resize(bytes_);
    simd::pack_odd(1, out.codes.data(), word_.dims, out.packed.data());
    return;
  }
  const std::size_t bytes = simd::odd_query_bytes(lane_, word_.dims);
  if (out.buffer.size() < bytes + 64) out.buffer.resize(bytes + 64);
  const std::size_t address = reinterpret_cast<std::size_t>(out.buffer.data());
  out.values = out.buffer.data() + (64 - address % 64) % 64;
  out.sum = simd::pack_odd_query(lane_, largest(), out.codes.data(), word_.dims, out.values);
}

void Bits::finish(const Query& query, const std::int32_t* products, std::size_t n,
                  const Half* inverse_norms, float* out) const {
  if (lane_ == 1) {  // bits that differ
    const auto dims = static_cast<std::int32_t>(word_.dims);
    const float scale = 1 / static_cast<float>(dims);
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = 1 - static_cast<float>(dims - 2 * products[i]) * scale;
    }
    return;
  }
  const std::int32_t constant = largest() * query.sum;
  simd::to_float(ElementType::f16, inverse_norms, n, out);
  for (std::size_t i = 0; i < n; ++i) {
    const auto product = static_cast<float>(2 * products[i] - constant);
    out[i] = std::max(0.0F, 1 - product * (query.inverse_norm * out[i]));  // binary16 rounds
  }
}

void Bits::score(const Query& query, const Id* ids, std::size_t n, float* out) const {
  std::int32_t products[kPiece];
  Half norms[kPiece];
  for (std::size_t first = 0; first < n; first += kPiece) {
    const std::size_t piece = std::min(kPiece, n - first);
    const Id* const some = ids + first;
    if (lane_ == 1) {
      simd::hamming_gather(query.packed.data(), codes_.data(), bytes_, some, piece, bytes_,
                           reinterpret_cast<std::uint32_t*>(products));
    } else {
      simd::odd_kernels(lane_).gather(query.values, codes_.data(), bytes_, some, piece, bytes_,
                                      products);
    }
    if (has_norms()) {
      for (std::size_t i = 0; i < piece; ++i) norms[i] = norms_.as<Half>()[some[i]];
    }
    finish(query, products, piece, norms, out + first);
  }
}

void Bits::score_range(const Query& query, Id first, std::size_t n, float* out) const {
  constexpr std::size_t kLongPiece = 1024;
  std::int32_t products[kLongPiece];
  for (std::size_t done = 0; done < n; done += kLongPiece) {
    const std::size_t piece = std::min(kLongPiece, n - done), begin = first + done;
    const std::byte* const rows = codes_.data() + begin * bytes_;
    if (lane_ == 1) {
      simd::hamming_many(query.packed.data(), rows, bytes_, piece, bytes_,
                         reinterpret_cast<std::uint32_t*>(products));
    } else {
      simd::odd_kernels(lane_).many(query.values, rows, bytes_, piece, bytes_, products);
    }
    const Half* const norms = has_norms() ? norms_.as<Half>() + begin : nullptr;
    finish(query, products, piece, norms, out + done);
  }
}

Bits Bits::without_rows() const {
  Bits copy(dim_, Metric::cosine, word_);
  copy.binariser_ = binariser_;
  copy.queries_ = queries_;
  copy.decoder_ = decoder_;
  return copy;
}

void Bits::get_record(Id id, std::byte* out) const {
  std::memcpy(out, codes_.data() + id * bytes_, bytes_);
  if (has_norms()) std::memcpy(out + bytes_, norms_.as<Half>() + id, sizeof(Half));
}

void Bits::put_record(Id id, const std::byte* record) {
  std::memcpy(codes_.mutable_data() + id * bytes_, record, bytes_);
  if (has_norms()) std::memcpy(norms_.mutable_as<Half>() + id, record + bytes_, sizeof(Half));
}

ByteCounts Bits::bytes() const {
  ByteCounts counts = {{"codes", codes_.size()}};
  if (has_norms()) counts.emplace_back("norms", norms_.size());
  const std::size_t network = binariser_ != nullptr ? binariser_->bytes() : 0;
  counts.emplace_back("binariser", network + decoder_->rows() * dim_ * sizeof(float));
  return counts;
}

void Bits::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  writer.add(prefix + ".codes", codes_.bytes());
  if (has_norms()) writer.add(prefix + ".norms", norms_.bytes());
  writer.add_rows(prefix + ".decoder", *decoder_);
  binariser_->save(writer, meta, prefix + ".");
}

void Bits::load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                std::size_t rows) {
  binariser_ = std::make_shared<const Binariser>(
      Binariser::load(reader, meta, prefix + ".", dim_, word_.dims, word_.bits));
  decoder_ =
      std::make_shared<const Matrix<float>>(reader.rows(prefix + ".decoder", word_.dims, dim_));
  size_ = rows;
  codes_ = reader.storage(prefix + ".codes", rows * bytes_);
  if (has_norms()) norms_ = reader.storage(prefix + ".norms", rows * sizeof(Half));
}

}  // namespace kith
