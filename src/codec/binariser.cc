#include "codec/binariser.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>

#include "base/checksum.h"
#include "base/random.h"
#include "codec/spec.h"
#include "kith/error.h"
#include "simd/precise.h"

namespace kith {
namespace {

constexpr std::size_t kMostHidden = 65536;

void divide_by_norm(float* x, std::size_t n) {
  const double norm = std::sqrt(simd::precise_kernels().dot(x, x, n));
  if (!(norm > 0)) return;
  for (std::size_t j = 0; j < n; ++j) x[j] = static_cast<float>(x[j] / norm);
}

// Each part of a block with its name in files.
template <class Block, class Visit>
void for_each_part(Block& block, const std::string& name, const Visit& visit) {
  visit(name + ".skip", block.skip);
  visit(name + ".hidden", block.hidden);
  visit(name + ".out", block.out);
}

template <class Own, class Visit>
void for_each_block(Own& own, const std::string& prefix, const Visit& visit) {
  for (std::size_t i = 0; i < own.binarise.size(); ++i) {
    visit(prefix + "binarise" + std::to_string(i), own.binarise[i]);
  }
  for (std::size_t i = 0; i < own.reconstruct.size(); ++i) {
    visit(prefix + "restore" + std::to_string(i), own.reconstruct[i]);
  }
}

struct BlockShape {
  std::size_t inputs, outputs, hidden;
  bool skip;
};

BinariserBlock load_block(const KithFileReader& reader, const std::string& name,
                          const BlockShape& shape) {
  BinariserBlock block;
  if (shape.skip) block.skip = reader.rows(name + ".skip", shape.outputs, shape.inputs);
  const auto numbers = [&](const char* part, std::size_t count) {
    const Matrix<float> row = reader.rows(name + part, 1, count);
    return std::vector<float>(row.row(0), row.row(0) + count);
  };
  block.bias = numbers(".bias", shape.outputs);
  if (shape.hidden != 0) {
    block.hidden = reader.rows(name + ".hidden", shape.hidden, shape.inputs);
    block.hidden_bias = numbers(".hidden_bias", shape.hidden);
    block.out = reader.rows(name + ".out", shape.outputs, shape.hidden);
  }
  return block;
}

}  // namespace

void BinariserBlock::apply(const float* x, float* y) const {
  thread_local std::vector<float> between;
  const auto dot = simd::precise_kernels().dot;
  between.resize(hidden.rows());
  for (std::size_t h = 0; h < hidden.rows(); ++h) {
    const double sum = dot(x, hidden.row(h), hidden.cols()) + hidden_bias[h];
    between[h] = sum > 0 ? static_cast<float>(sum) : 0.0F;
  }
  for (std::size_t i = 0; i < bias.size(); ++i) {
    double sum = bias[i];
    if (skip.rows() != 0) sum += dot(x, skip.row(i), skip.cols());
    if (hidden.rows() != 0) sum += dot(between.data(), out.row(i), out.cols());
    y[i] = static_cast<float>(sum);
  }
}

void Binariser::encode(const float* x, std::uint8_t* codes) const {
  thread_local std::vector<float> signs, sum, rest;
  signs.resize(dims);
  sum.assign(dims, 0.0F);
  rest.resize(dim);
  std::fill(codes, codes + dims, std::uint8_t{0});
  const float* from = x;
  float weight = 1;
  for (std::size_t loop = 0; loop < binarise.size(); ++loop, weight /= 2) {
    if (loop > 0) {
      reconstruct[loop - 1].apply(sum.data(), rest.data());
      divide_by_norm(rest.data(), dim);
      for (std::size_t j = 0; j < dim; ++j) rest[j] = x[j] - rest[j];
      from = rest.data();
    }
    binarise[loop].apply(from, signs.data());
    for (std::size_t i = 0; i < dims; ++i) {
      const bool positive = signs[i] >= 0;  // 0 and -0, too
      codes[i] = static_cast<std::uint8_t>(2 * codes[i] + (positive ? 1 : 0));
      sum[i] += positive ? weight : -weight;
    }
  }
}

void Binariser::seal() {
  std::string all;
  const auto add = [&](const void* from, std::size_t bytes) {
    all.append(static_cast<const char*>(from), bytes);
  };
  for (const std::uint64_t number :
       {std::uint64_t{dim}, std::uint64_t{dims}, static_cast<std::uint64_t>(bits)}) {
    add(&number, sizeof number);
  }
  for_each_block(*this, "", [&](const std::string& name, const BinariserBlock& block) {
    add(name.data(), name.size());
    for_each_part(block, "", [&](const std::string& part, const Matrix<float>& rows) {
      add(part.data(), part.size());
      for (std::size_t i = 0; i < rows.rows(); ++i) add(rows.row(i), rows.cols() * sizeof(float));
    });
    add(block.bias.data(), block.bias.size() * sizeof(float));
    add(block.hidden_bias.data(), block.hidden_bias.size() * sizeof(float));
  });
  version = std::max<std::uint64_t>(1, checksum(std::as_bytes(std::span(all))));
}

std::size_t Binariser::bytes() const {
  std::size_t floats = 0;
  for_each_block(*this, "", [&](const std::string&, const BinariserBlock& block) {
    for_each_part(block, "", [&](const std::string&, const Matrix<float>& rows) {
      floats += rows.rows() * rows.cols();
    });
    floats += block.bias.size() + block.hidden_bias.size();
  });
  return floats * sizeof(float);
}

void Binariser::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  const BinariserBlock& first = binarise.front();
  meta.set(prefix + "hidden", std::uint64_t{first.hidden.rows()});
  meta.set(prefix + "skip", std::uint64_t{first.skip.rows() != 0});
  if (compatible != 0) meta.set(prefix + "compatible", compatible);
  for_each_block(*this, prefix, [&](const std::string& name, const BinariserBlock& block) {
    for_each_part(block, name, [&](const std::string& part, const Matrix<float>& rows) {
      if (rows.rows() != 0) writer.add_rows(part, rows);
    });
    writer.add_copy<float>(name + ".bias", block.bias);
    if (block.hidden.rows() != 0) writer.add_copy<float>(name + ".hidden_bias", block.hidden_bias);
  });
}

Binariser Binariser::load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                          std::size_t dim, std::size_t dims, int bits) {
  Binariser own;
  own.dim = dim;
  own.dims = dims;
  own.bits = bits;
  const std::size_t hidden = meta.number(prefix + "hidden", kMostHidden);
  const bool skip = meta.number(prefix + "skip", 1) != 0;
  if (hidden == 0 && !skip) reader.fail("section meta: " + prefix + "hidden and skip are both 0");
  if (meta.has(prefix + "compatible")) own.compatible = meta.number(prefix + "compatible");
  for (int i = 0; i < bits; ++i) {
    own.binarise.push_back(
        load_block(reader, prefix + "binarise" + std::to_string(i), {dim, dims, hidden, skip}));
    if (i + 1 < bits) {
      own.reconstruct.push_back(
          load_block(reader, prefix + "restore" + std::to_string(i), {dims, dim, hidden, skip}));
    }
  }
  own.seal();
  return own;
}

Matrix<float> random_directions(std::size_t count, std::size_t dim, std::uint64_t seed) {
  constexpr int kRounds = 2;  // of Gram-Schmidt, after which float rounding is all that is left
  Random random(seed);
  Matrix<float> rows(count, dim);
  const auto dot = simd::precise_kernels().dot;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < dim; ++j) rows(i, j) = static_cast<float>(random.normal());
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t before = i / dim * dim; before < i; ++before) {
        const auto along = static_cast<float>(dot(rows.row(i), rows.row(before), dim));
        for (std::size_t j = 0; j < dim; ++j) rows(i, j) -= along * rows(before, j);
      }
      divide_by_norm(rows.row(i), dim);
    }
  }
  return rows;
}

Binariser random_signs(std::size_t dim, std::size_t dims, std::uint64_t seed) {
  Binariser own;
  own.dim = dim;
  own.dims = dims;
  own.binarise.resize(1);
  own.binarise[0].skip = random_directions(dims, dim, seed);
  own.binarise[0].bias.assign(dims, 0.0F);
  own.seal();
  return own;
}

Binariser read_binariser(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  if (!meta.has("kind") || meta.string("kind") != "binariser") {
    reader.fail("no trained binariser, which `kith train codec` with kind bebr makes");
  }
  const std::size_t dim = meta.number("dim", kMaxDim);
  const auto word = bits_word(meta.string("codec"));
  if (dim == 0 || !word || word->kind != BitsWord::Kind::learned) {
    reader.fail("section meta: no dimensions, or codec=" + meta.string("codec"));
  }
  return Binariser::load(reader, meta, "", dim, word->dims, word->bits);
}

}  // namespace kith
