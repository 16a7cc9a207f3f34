#include "codec/product.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "codec/kmeans.h"
#include "kith/error.h"

namespace kith {

ProductQuantiser::ProductQuantiser(std::size_t dim, std::size_t parts) : dim_(dim), parts_(parts) {
  if (parts == 0 || parts > dim) {
    throw Error(ErrorCode::invalid_argument,
                "codec 'pq" + std::to_string(parts) + "': " + std::to_string(parts) + " parts of " +
                    std::to_string(dim) + " dimensions, expected 1 to as many");
  }
  words_.assign(dim * kWords, 0.0f);
}

void ProductQuantiser::train(MatrixView<const float> sample, std::uint64_t seed,
                             const Control& control) {
  parallel_for(control, parts_, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = first; part < last; ++part) {
      const std::size_t from = begin(part), width = begin(part + 1) - from;
      Matrix<float> slice(sample.rows(), width);
      for (std::size_t i = 0; i < sample.rows(); ++i) {
        std::copy_n(sample.row(i) + from, width, slice.row(i));
      }
      KMeansOptions options;
      options.clusters = kWords;
      options.iterations = 12;
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

void ProductQuantiser::encode(const float* x, std::uint8_t* code) const {
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

void ProductQuantiser::decode(const std::uint8_t* code, float* out) const {
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
  const simd::TableScale scale =
      simd::fill_tables(words_.data(), query, weight, dim_, parts_, tables.entries_.data(), packed);
  std::fill(packed + parts_ * kWords, packed + bytes, std::uint8_t{0});
  tables.query = {packed, padded_parts(), scale.scale, scale.offset};
}

void ProductQuantiser::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  meta.set(prefix + ".parts", std::uint64_t{parts_});
  writer.add_array<float>(prefix + ".words", words_);
}

void ProductQuantiser::load(const KithFileReader& reader, const Meta& meta,
                            const std::string& prefix, std::size_t dim) {
  const std::size_t parts = meta.number(prefix + ".parts", dim);
  if (parts == 0) reader.fail("section meta: " + prefix + ".parts=0");
  *this = ProductQuantiser(dim, parts);
  const std::span<const float> words = reader.array<float>(prefix + ".words", dim * kWords);
  words_.assign(words.begin(), words.end());
}

}  // namespace kith
