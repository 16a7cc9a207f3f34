#include "encode/packed_tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "kith/error.h"
#include "kith/half.h"
#include "kith/types.h"
#include "simd/kernels.h"

namespace kith::encode {
namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 26, kMostCols = std::size_t{1} << 20;
constexpr std::pair<const char*, Packing> kPackings[] = {
    {"codes", Packing::codes}, {"low_rank", Packing::low_rank}, {"int8", Packing::int8}};

std::string prefix_of(std::size_t i) { return "tensor" + std::to_string(i) + "."; }

void add_halves(KithFileWriter& writer, const std::string& name, const Matrix<float>& values) {
  std::vector<Half> halves;
  halves.reserve(values.rows() * values.cols());
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < values.cols(); ++j) halves.emplace_back(values(i, j));
  }
  writer.add_copy<Half>(name, halves);
}

Matrix<float> read_halves(const KithFileReader& reader, const std::string& name, std::size_t rows,
                          std::size_t cols) {
  const std::span<const Half> halves = reader.array<Half>(name, rows * cols);
  Matrix<float> values(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    simd::to_float(ElementType::f16, halves.data() + i * cols, cols, values.row(i));
    if (!simd::all_finite(values.row(i), cols)) {
      reader.fail("section " + name + ": a number that isn't finite");
    }
  }
  return values;
}

std::size_t bytes_of_codes(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}

void write_content(KithFileWriter& writer, Meta& meta, const std::string& prefix,
                   const PackedTensor& tensor) {
  if (tensor.packing == Packing::int8) {
    writer.add_array<std::int8_t>(prefix + "values", tensor.values);
    writer.add_array<float>(prefix + "scales", tensor.scales);
    return;
  }
  meta.set(prefix + "dim", std::uint64_t{tensor.dim()});
  add_halves(writer, prefix + "centres", tensor.centres);
  if (tensor.expansion.rows() != 0) add_halves(writer, prefix + "expansion", tensor.expansion);
  if (tensor.packing == Packing::low_rank) return;
  meta.set(prefix + "sub", std::uint64_t{tensor.sub});
  meta.set(prefix + "words", std::uint64_t{tensor.words()});
  const int bits = code_bits(tensor.words());
  std::vector<std::uint8_t> packed(bytes_of_codes(tensor.codes.size(), bits));
  simd::pack_bits(tensor.codes.data(), bits, tensor.codes.size(), packed.data());
  writer.add_copy<std::uint8_t>(prefix + "codes", packed);
}

void read_codes(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                PackedTensor& tensor) {
  tensor.sub = meta.number(prefix + "sub", PackedTensor::kMostSub);
  const std::size_t words = meta.number(prefix + "words", PackedTensor::kMostWords),
                    dim = meta.number(prefix + "dim", tensor.sub);
  if (tensor.sub == 0 || tensor.cols % tensor.sub != 0 || words < 2 || dim == 0) {
    reader.fail("section meta: " + prefix + "sub=" + std::to_string(tensor.sub) +
                ", words=" + std::to_string(words) + ", dim=" + std::to_string(dim) + " of " +
                std::to_string(tensor.cols) + " columns");
  }
  const std::size_t count = tensor.rows * (tensor.cols / tensor.sub);
  const int bits = code_bits(words);
  const auto packed = reader.array<std::uint8_t>(prefix + "codes", bytes_of_codes(count, bits));
  tensor.codes.resize(count);
  simd::unpack_bits(packed.data(), bits, count, tensor.codes.data());
  if (std::ranges::any_of(tensor.codes, [&](std::uint32_t code) { return code >= words; })) {
    reader.fail("section " + prefix + "codes: a code of no centre");
  }
  tensor.centres = read_halves(reader, prefix + "centres", words, dim);
  if (reader.has(prefix + "expansion")) {
    tensor.expansion = read_halves(reader, prefix + "expansion", dim, tensor.sub);
  } else if (dim != tensor.sub) {
    reader.fail("section " + prefix + "expansion is missing");
  }
}

PackedTensor read_one(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                      std::string name) {
  PackedTensor tensor;
  tensor.name = std::move(name);
  tensor.rows = meta.number(prefix + "rows", kMostRows);
  tensor.cols = meta.number(prefix + "cols", kMostCols);
  if (tensor.rows == 0 || tensor.cols == 0) reader.fail("section meta: " + prefix + "is empty");
  const std::string& packing = meta.string(prefix + "packing");
  const auto* const known = std::ranges::find(kPackings, std::string_view(packing),
                                              [](const auto& each) { return each.first; });
  if (known == std::end(kPackings)) {
    reader.fail("section meta: " + prefix + "packing=" + packing);
  }
  tensor.packing = known->second;
  if (tensor.packing == Packing::codes) {
    read_codes(reader, meta, prefix, tensor);
  } else if (tensor.packing == Packing::low_rank) {
    const std::size_t rank = meta.number(prefix + "dim", std::min(tensor.rows, tensor.cols));
    if (rank == 0) reader.fail("section meta: " + prefix + "dim=0");
    tensor.centres = read_halves(reader, prefix + "centres", tensor.rows, rank);
    tensor.expansion = read_halves(reader, prefix + "expansion", rank, tensor.cols);
  } else {
    const auto values = reader.array<std::int8_t>(prefix + "values", tensor.rows * tensor.cols);
    const auto scales = reader.array<float>(prefix + "scales", tensor.rows);
    if (!simd::all_finite(scales.data(), scales.size())) {
      reader.fail("section " + prefix + "scales: a number that isn't finite");
    }
    tensor.values.assign(values.begin(), values.end());
    tensor.scales.assign(scales.begin(), scales.end());
  }
  return tensor;
}

// x = a b, summed in double.
Matrix<float> product(const Matrix<float>& a, const Matrix<float>& b) {
  Matrix<float> result(a.rows(), b.cols());
  std::vector<double> sum(b.cols());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    std::ranges::fill(sum, 0.0);
    for (std::size_t k = 0; k < a.cols(); ++k) {
      for (std::size_t j = 0; j < b.cols(); ++j) sum[j] += double{a(i, k)} * b(k, j);
    }
    for (std::size_t j = 0; j < b.cols(); ++j) result(i, j) = static_cast<float>(sum[j]);
  }
  return result;
}

}  // namespace

int code_bits(std::size_t words) {
  return std::max(1, static_cast<int>(std::bit_width(words - 1)));
}

void round_to_half(Matrix<float>& values, const std::string& tensor) {
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      const auto rounded = static_cast<float>(Half(values(i, j)));
      if (!std::isfinite(rounded)) {
        throw Error(ErrorCode::invalid_argument, "tensor '" + tensor +
                                                     "': " + std::to_string(values(i, j)) +
                                                     " is beyond the range of binary16");
      }
      values(i, j) = rounded;
    }
  }
}

PackedTensor PackedTensor::clone() const {
  return {.name = name,
          .rows = rows,
          .cols = cols,
          .packing = packing,
          .sub = sub,
          .codes = codes,
          .centres = centres.clone(),
          .expansion = expansion.clone(),
          .values = values,
          .scales = scales};
}

Matrix<float> PackedTensor::codebook() const {
  return expansion.rows() == 0 ? centres.clone() : product(centres, expansion);
}

Matrix<float> PackedTensor::decode() const {
  if (packing == Packing::low_rank) return product(centres, expansion);
  Matrix<float> whole(rows, cols);
  if (packing == Packing::int8) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) whole(i, j) = scales[i] * values[i * cols + j];
    }
    return whole;
  }
  const Matrix<float> book = codebook();
  const std::size_t in_row = cols / sub;
  for (std::size_t g = 0; g < codes.size(); ++g) {
    std::copy_n(book.row(codes[g]), sub, whole.row(g / in_row) + g % in_row * sub);
  }
  return whole;
}

std::size_t PackedTensor::bytes() const {
  if (packing == Packing::int8) return values.size() + scales.size() * sizeof(float);
  const std::size_t halves = centres.rows() * centres.cols() + expansion.rows() * expansion.cols();
  return halves * sizeof(Half) +
         (packing == Packing::codes ? bytes_of_codes(codes.size(), code_bits(words())) : 0);
}

void write_packed(const std::string& path, const std::vector<PackedTensor>& tensors) {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", "weights");
  meta.set("tensors", std::uint64_t{tensors.size()});
  std::string names;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const PackedTensor& tensor = tensors[i];
    names += tensor.name + '\n';
    const std::string prefix = prefix_of(i);
    meta.set(prefix + "rows", std::uint64_t{tensor.rows});
    meta.set(prefix + "cols", std::uint64_t{tensor.cols});
    const auto* const known =
        std::ranges::find(kPackings, tensor.packing, [](const auto& each) { return each.second; });
    meta.set(prefix + "packing", known->first);
    write_content(writer, meta, prefix, tensor);
  }
  writer.add_text("names", names);
  writer.add_text("meta", meta.text());
  writer.write(path, {});
}

std::vector<PackedTensor> read_packed(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  if (!meta.has("kind") || meta.string("kind") != "weights") {
    reader.fail("no weights that `kith model compress` packed");
  }
  const auto bytes = reader.bytes("names");
  const std::string_view names(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t count = meta.number("tensors", bytes.size());
  std::vector<PackedTensor> tensors;
  std::set<std::string, std::less<>> known;
  std::size_t at = 0;
  while (at < names.size()) {
    const std::size_t end = names.find('\n', at);
    if (end == names.npos || tensors.size() == count) break;
    std::string name(names.substr(at, end - at));
    if (!known.insert(name).second) reader.fail("section names: '" + name + "' twice");
    tensors.push_back(read_one(reader, meta, prefix_of(tensors.size()), std::move(name)));
    at = end + 1;
  }
  if (tensors.size() != count || at != names.size()) {
    reader.fail("section names: not of " + std::to_string(count) + " tensors");
  }
  return tensors;
}

}  // namespace kith::encode
