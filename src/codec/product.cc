#include "codec/product.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "codec/kmeans.h"
#include "codec/learned_rotation.h"
#include "kith/error.h"
#include "simd/matmul.h"

namespace kith {

ProductQuantiser::ProductQuantiser(std::size_t dim, std::size_t parts, Turn turn)
    : dim_(dim), parts_(parts) {
  if (parts == 0 || parts > dim) {
    throw Error(ErrorCode::invalid_argument,
                "codec 'pq" + std::to_string(parts) + "': " + std::to_string(parts) + " parts of " +
                    std::to_string(dim) + " dimensions, expected 1 to as many");
  }
  words_.assign(dim * kWords, 0.0f);
  if (turn == Turn::none) return;
  Matrix<float> none(dim, dim);
  for (std::size_t j = 0; j < dim; ++j) none(j, j) = 1;
  rotation_ = std::make_shared<const Matrix<float>>(std::move(none));
}

void ProductQuantiser::train(MatrixView<const float> sample, std::uint64_t seed,
                             const Control& control) {
  constexpr std::size_t kIterations = 12;
  if (turn() == Turn::none) return train_words(sample, kIterations, seed, control);
  constexpr int kTurns = 8;
  constexpr std::size_t kFewIterations = 5;
  Matrix<float> turned(sample.rows(), dim_), decoded(sample.rows(), dim_);
  rotation_ = std::make_shared<const Matrix<float>>(allocate_directions(sample, parts_, control));
  for (int turn = 0; turn < kTurns; ++turn) {
    throw_if_cancelled(control);
    simd::matmul(sample, *rotation_, turned);
    train_words(turned, kFewIterations, seed, control);
    parallel_for(control, sample.rows(), 256,
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   std::vector<std::uint8_t> code(parts_);
                   for (std::size_t i = first; i < last; ++i) {
                     encode_turned(turned.row(i), code.data());
                     decode_turned(code.data(), decoded.row(i));
                   }
                 });
    rotation_ = std::make_shared<const Matrix<float>>(procrustes(sample, decoded, control));
  }
  simd::matmul(sample, *rotation_, turned);
  train_words(turned, kIterations, seed, control);
}

void ProductQuantiser::train_words(MatrixView<const float> sample, std::size_t iterations,
                                   std::uint64_t seed, const Control& control) {
  parallel_for(control, parts_, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = first; part < last; ++part) {
      const std::size_t from = begin(part), width = begin(part + 1) - from;
      Matrix<float> slice(sample.rows(), width);
      for (std::size_t i = 0; i < sample.rows(); ++i) {
        std::copy_n(sample.row(i) + from, width, slice.row(i));
      }
      KMeansOptions options;
      options.clusters = kWords;
      options.iterations = iterations;
      options.rows_per_cluster = 256;
      options.seed = seed + part;
      options.control.threads = 1;
      options.control.cancel = control.cancel;
      const Matrix<float> centres = kmeans(slice, options);
      for (std::size_t j = 0; j < width; ++j) {
        for (std::size_t w = 0; w < kWords; ++w) {
          words_[(from + j) * kWords + w] = centres(w, j);
        }
      }
    }
  });
}

void ProductQuantiser::set_words(std::vector<float> words) {
  if (words.size() != words_.size()) {
    throw Error(ErrorCode::invalid_argument, "a product code of " + std::to_string(parts_) +
                                                 " parts: " + std::to_string(words.size()) +
                                                 " numbers of codewords, expected " +
                                                 std::to_string(words_.size()));
  }
  words_ = std::move(words);
}

void ProductQuantiser::apply_rotation(const float* x, float* out) const {
  simd::float_query_kernels(ElementType::f32, simd::Op::dot)
      .many(x, rotation_->data(), rotation_->stride_bytes(), dim_, dim_, out);
}

void ProductQuantiser::encode(const float* x, std::uint8_t* code) const {
  if (turn() == Turn::none) return encode_turned(x, code);
  thread_local std::vector<float> turned;
  turned.resize(dim_);
  apply_rotation(x, turned.data());
  encode_turned(turned.data(), code);
}

void ProductQuantiser::decode(const std::uint8_t* code, float* out) const {
  if (turn() == Turn::none) return decode_turned(code, out);
  thread_local std::vector<float> turned;
  turned.resize(dim_);
  decode_turned(code, turned.data());
  std::fill_n(out, dim_, 0.0f);
  for (std::size_t i = 0; i < dim_; ++i) {  // its transpose turns back
    const float* row = rotation_->row(i);
    for (std::size_t j = 0; j < dim_; ++j) out[j] += turned[i] * row[j];
  }
}

void ProductQuantiser::encode_turned(const float* x, std::uint8_t* code) const {
  for (std::size_t part = 0; part < parts_; ++part) {
    float distances[kWords] = {};
    for (std::size_t j = begin(part); j < begin(part + 1); ++j) {
      const float* words = &words_[j * kWords];
      for (std::size_t w = 0; w < kWords; ++w) {
        const float difference = x[j] - words[w];
        distances[w] += difference * difference;
      }
    }
    code[part] =
        static_cast<std::uint8_t>(std::min_element(distances, distances + kWords) - distances);
  }
}

void ProductQuantiser::decode_turned(const std::uint8_t* code, float* out) const {
  for (std::size_t part = 0; part < parts_; ++part) {
    for (std::size_t j = begin(part); j < begin(part + 1); ++j) {
      out[j] = words_[j * kWords + code[part]];
    }
  }
}

void ProductQuantiser::put(const std::uint8_t* code, std::size_t slot, std::uint8_t* block) const {
  constexpr std::size_t kHalf = simd::kBlockCodes / 2;
  const int shift = slot < kHalf ? 0 : 4;
  for (std::size_t part = 0; part < parts_; ++part) {
    std::uint8_t& byte = block[part / 4 * 64 + slot % kHalf * 4 + part % 4];
    byte = static_cast<std::uint8_t>((byte & ~(15 << shift)) | (code[part] << shift));
  }
}

void ProductQuantiser::get(const std::uint8_t* block, std::size_t slot, std::uint8_t* code) const {
  constexpr std::size_t kHalf = simd::kBlockCodes / 2;
  const int shift = slot < kHalf ? 0 : 4;
  for (std::size_t part = 0; part < parts_; ++part) {
    code[part] = block[part / 4 * 64 + slot % kHalf * 4 + part % 4] >> shift & 15;
  }
}

void ProductQuantiser::prepare(const float* query, float weight, Tables& tables) const {
  constexpr std::size_t kAlignment = 64;
  const std::size_t bytes = padded_parts() * kWords;
  tables.buffer_.resize(bytes + kAlignment);
  tables.entries_.resize(parts_ * kWords);
  std::uint8_t* const packed =
      tables.buffer_.data() +
      (kAlignment - reinterpret_cast<std::uintptr_t>(tables.buffer_.data()) % kAlignment) %
          kAlignment;
  if (turn() == Turn::learned) {
    tables.turned_.resize(dim_);
    apply_rotation(query, tables.turned_.data());
    query = tables.turned_.data();
  }
  const simd::TableScale scale =
      simd::fill_tables(words_.data(), query, weight, dim_, parts_, tables.entries_.data(), packed);
  std::fill(packed + parts_ * kWords, packed + bytes, std::uint8_t{0});
  tables.query = {packed, padded_parts(), scale.scale, scale.offset};
}

// Under another name where there is a rotation: who doesn't know of it must not answer without.
void ProductQuantiser::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  const bool turned = turn() == Turn::learned;
  meta.set(prefix + (turned ? ".turned_parts" : ".parts"), std::uint64_t{parts_});
  writer.add_array<float>(prefix + ".words", words_);
  if (!turned) return;
  writer.add_rows(prefix + ".rotation", *rotation_);
}

void ProductQuantiser::load(const KithFileReader& reader, const Meta& meta,
                            const std::string& prefix, std::size_t dim) {
  const bool turned = meta.has(prefix + ".turned_parts");
  const std::string key = prefix + (turned ? ".turned_parts" : ".parts");
  const std::size_t parts = meta.number(key, dim);
  if (parts == 0) reader.fail("section meta: " + key + "=0");
  *this = ProductQuantiser(dim, parts, turned ? Turn::learned : Turn::none);
  const std::span<const float> words = reader.array<float>(prefix + ".words", dim * kWords);
  words_.assign(words.begin(), words.end());
  if (!turned) return;
  rotation_ = std::make_shared<const Matrix<float>>(reader.rows(prefix + ".rotation", dim, dim));
}

}  // namespace kith
