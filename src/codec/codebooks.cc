#include "codec/codebooks.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "codec/kmeans.h"
#include "codec/spec.h"
#include "kith/error.h"

namespace kith {

Codebooks::Codebooks(std::size_t dim, std::size_t parts, int bits)
    : dim_(dim), parts_(parts), bits_(bits) {
  if (parts == 0 || parts > dim || bits < 1 || bits > kMostBits) {
    throw Error(ErrorCode::invalid_argument,
                "codec '" + vq_name(parts, bits) + "': " + std::to_string(parts) + " parts of " +
                    std::to_string(bits) + " bits for vectors of " + std::to_string(dim) +
                    " dimensions, expected 1 part a dimension at most, of 1 to 16 bits");
  }
}

void Codebooks::learn(MatrixView<const float> sample, std::uint64_t seed, const Control& control) {
  constexpr std::size_t kIterations = 12, kRowsAWord = 256;  // as of pqN (product.cc)
  std::vector<float> values(dim_ * words(), 0.0F);
  for (std::size_t part = 0; part < parts_ && sample.rows() != 0; ++part) {
    const std::size_t from = begin(part), width = begin(part + 1) - from;
    Matrix<float> slice(sample.rows(), width);
    for (std::size_t i = 0; i < sample.rows(); ++i) {
      std::copy_n(sample.row(i) + from, width, slice.row(i));
    }
    KMeansOptions options;
    options.clusters = words();
    options.iterations = kIterations;
    options.rows_per_cluster = kRowsAWord;
    options.seed = seed + part;
    options.control.threads = control.threads;
    options.control.cancel = control.cancel;
    const Matrix<float> centres = kmeans(slice, options);
    for (std::size_t j = 0; j < width; ++j) {
      for (std::size_t w = 0; w < words(); ++w) values[(from + j) * words() + w] = centres(w, j);
    }
  }
  values_ = std::move(values);
}

void Codebooks::set(std::vector<float> values) {
  if (values.size() != dim_ * words()) {
    throw Error(ErrorCode::invalid_argument,
                "codec '" + vq_name(parts_, bits_) + "': " + std::to_string(values.size()) +
                    " numbers of codewords, expected " + std::to_string(dim_ * words()));
  }
  values_ = std::move(values);
}

void Codebooks::part_distances(const float* query, std::size_t part, float* out) const {
  const std::size_t count = words();
  std::fill_n(out, count, 0.0F);
  for (std::size_t j = begin(part); j < begin(part + 1); ++j) {
    const float* const own = &values_[j * count];
    const float value = query[j];
    for (std::size_t w = 0; w < count; ++w) {
      const float difference = value - own[w];
      out[w] += difference * difference;
    }
  }
}

void Codebooks::distances(const float* query, float* out) const {
  for (std::size_t part = 0; part < parts_; ++part) {
    part_distances(query, part, out + part * words());
  }
}

void Codebooks::products(const float* query, float* out) const {
  const std::size_t count = words();
  std::fill_n(out, parts_ * count, 0.0F);
  for (std::size_t part = 0; part < parts_; ++part) {
    float* const to = out + part * count;
    for (std::size_t j = begin(part); j < begin(part + 1); ++j) {
      const float* const own = &values_[j * count];
      const float value = query[j];
      for (std::size_t w = 0; w < count; ++w) to[w] += value * own[w];
    }
  }
}

double Codebooks::encode(const float* x, std::uint32_t* code) const {
  thread_local std::vector<float> near;
  near.resize(words());
  double error = 0;
  for (std::size_t part = 0; part < parts_; ++part) {
    part_distances(x, part, near.data());
    const auto best = std::ranges::min_element(near);
    code[part] = static_cast<std::uint32_t>(best - near.begin());
    error += *best;
  }
  return error;
}

void Codebooks::decode(const std::uint32_t* code, float* out) const {
  for (std::size_t part = 0; part < parts_; ++part) {
    for (std::size_t j = begin(part); j < begin(part + 1); ++j) {
      out[j] = values_[j * words() + code[part]];
    }
  }
}

void Codebooks::save(KithFileWriter& writer, const std::string& prefix) const {
  writer.add_array<float>(prefix + "words", values_);
}

void Codebooks::load(const KithFileReader& reader, const std::string& prefix) {
  const Matrix<float> rows = reader.rows(prefix + "words", dim_, words());  // refuses NaN
  std::vector<float> values;
  values.reserve(dim_ * words());
  for (std::size_t j = 0; j < dim_; ++j) {
    values.insert(values.end(), rows.row(j), rows.row(j) + words());
  }
  values_ = std::move(values);
}

CodebooksContent read_codebooks(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  if (!meta.has("kind") || meta.string("kind") != "codebooks") {
    reader.fail("no trained codebooks, which `kith train codec` with kind vq makes");
  }
  const std::size_t dim = meta.number("dim", kMaxDim);
  const auto word = vq_word(meta.string("codec"));
  if (!word || word->parts > dim) {
    reader.fail("section meta: codec=" + meta.string("codec") + " of " + std::to_string(dim) +
                " dimensions");
  }
  CodebooksContent content;
  try {
    content.metric = parse_metric(meta.string("metric"));
  } catch (const Error& error) {
    reader.fail(std::string("section meta: ") + error.what());
  }
  content.codebooks = Codebooks(dim, word->parts, word->bits);
  content.codebooks.load(reader, "");
  return content;
}

}  // namespace kith
