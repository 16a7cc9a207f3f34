// safetensors (Hugging Face): a 64-bit length, a JSON header with each tensor's type, shape and
// byte range, then the tensors without gaps. One 2-D tensor holds the vectors: the one named by
// `dataset`, else "vectors", else the only one there is.
//
// Labels of tensor NAME are tensors, too: numbers are NAME.labels (U64, one a row); strings are
// NAME.labels (U8, all their bytes) cut at NAME.label_offsets (U64, rows + 1).
#include "formats/safetensors.h"

#include <algorithm>
#include <vector>

#include "formats/rows.h"
#include "formats/tensors.h"

namespace kith::formats {
namespace {

const Tensor& choose(const Input& in, const Tensors& tensors) {
  const std::string wanted = in.dataset.empty() ? "vectors" : in.dataset;
  if (const Tensor* tensor = tensors.find(wanted)) return *tensor;
  std::string names;
  const Tensor* only = nullptr;
  std::size_t matrices = 0;
  for (const Tensor& tensor : tensors.list) {
    constexpr std::size_t kShown = 400;
    if (names.size() < kShown) names += (names.empty() ? "" : ", ") + tensor.name;
    if (tensor.shape.size() != 2) continue;
    only = &tensor;
    ++matrices;
  }
  if (in.dataset.empty() && matrices == 1) return *only;
  throw Error(ErrorCode::not_found, in.name + ": no tensor '" + wanted + "'; there are: " + names);
}

// In place when aligned, else copied.
std::span<const std::uint64_t> numbers_of(std::span<const std::byte> bytes,
                                          std::shared_ptr<const void>& owner) {
  const std::size_t count = bytes.size() / sizeof(std::uint64_t);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0) {
    return {reinterpret_cast<const std::uint64_t*>(bytes.data()), count};
  }
  auto copy = std::make_shared<std::vector<std::uint64_t>>(count);
  std::memcpy(copy->data(), bytes.data(), bytes.size());
  const std::span<const std::uint64_t> view = *copy;
  owner = std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(
      owner, std::move(copy));
  return view;
}

}  // namespace

Labels read_tensor_labels(const Input& in, const Tensors& tensors, const std::string& name,
                          std::size_t rows) {
  const Tensor* labels = tensors.find(name + ".labels");
  const Tensor* offsets = tensors.find(name + ".label_offsets");
  if (labels == nullptr) return Labels();
  const auto refuse = [&](const std::string& reason) {
    corrupt_at(in, kHeaderStart, "tensor '" + labels->name + "' " + reason);
  };
  std::shared_ptr<const void> owner = in.owner;
  if (offsets == nullptr) {
    if (labels->type != "U64" || labels->shape != std::vector<std::uint64_t>{rows}) {
      refuse("should be U64, one for each of " + std::to_string(rows) + " rows");
    }
    const auto numbers = numbers_of(bytes_of(in, tensors, *labels), owner);
    return Labels::numbers_view(numbers, owner);
  }
  const bool fits = labels->type == "U8" && labels->shape.size() == 1 && offsets->type == "U64" &&
                    offsets->shape == std::vector<std::uint64_t>{rows + 1};
  if (!fits) {
    refuse("should be U8 and its offsets U64, one for each of " + std::to_string(rows) +
           " rows and one more");
  }
  const auto bytes = bytes_of(in, tensors, *labels);
  const auto cuts = numbers_of(bytes_of(in, tensors, *offsets), owner);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  try {
    return Labels::strings_view(cuts, text, owner);
  } catch (const Error& error) {
    refuse(std::string("is broken: ") + error.what());
  }
  return Labels();
}

Vectors read_tensor_rows(const Input& in, const Tensors& tensors, const Tensor& tensor) {
  if (tensor.shape.size() != 2) {
    throw Error(ErrorCode::unsupported, in.name + ": tensor '" + tensor.name + "' has " +
                                            std::to_string(tensor.shape.size()) +
                                            " dimensions; expected 2 (rows, components)");
  }
  check_shape(in, kHeaderStart, tensor.shape[0], tensor.shape[1]);
  const std::size_t offset = tensors.data + tensor.begin;
  const std::size_t rows = tensor.shape[0], dim = tensor.shape[1];
  const auto as = [&](auto element) {
    using T = decltype(element);
    return rows_in_place<T>(in, "safetensors", offset, rows, dim, dim * sizeof(T));
  };
  if (tensor.type == "F32") return as(float{});
  if (tensor.type == "F16") return as(Half{});
  if (tensor.type == "BF16") return as(BFloat16{});
  if (tensor.type == "I8") return as(std::int8_t{});
  if (tensor.type == "U8") return as(std::uint8_t{});
  throw Error(ErrorCode::unsupported, in.name + ": tensor '" + tensor.name + "' is " + tensor.type +
                                          "; vectors are F32, F16, BF16, I8 or U8");
}

namespace {

template <class T>
std::vector<std::uint64_t> counts_of(const Input& in, const Tensors& tensors,
                                     const Tensor& tensor) {
  const std::span<const std::byte> bytes = bytes_of(in, tensors, tensor);
  std::vector<std::uint64_t> counts(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const T value = load<T>(bytes.data() + i * sizeof(T));
    if (value < 0) {
      corrupt_at(in, tensors.data + tensor.begin + i * sizeof(T),
                 "tensor '" + tensor.name + "': element " + std::to_string(i) + " is " +
                     std::to_string(value) + ", expected 0 or more");
    }
    counts[i] = static_cast<std::uint64_t>(value);
  }
  return counts;
}

}  // namespace

std::vector<std::uint64_t> read_tensor_counts(const Input& in, const Tensors& tensors,
                                              const Tensor& tensor) {
  if (tensor.shape.size() != 1) {
    throw Error(ErrorCode::unsupported, in.name + ": tensor '" + tensor.name + "' has " +
                                            std::to_string(tensor.shape.size()) +
                                            " dimensions; expected 1 (whole numbers)");
  }
  if (tensor.type == "I64") return counts_of<std::int64_t>(in, tensors, tensor);
  if (tensor.type == "U64") return counts_of<std::uint64_t>(in, tensors, tensor);
  if (tensor.type == "I32") return counts_of<std::int32_t>(in, tensors, tensor);
  if (tensor.type == "U32") return counts_of<std::uint32_t>(in, tensors, tensor);
  throw Error(ErrorCode::unsupported, in.name + ": tensor '" + tensor.name + "' is " + tensor.type +
                                          "; whole numbers are I64, U64, I32 or U32");
}

namespace {

Vectors read_safetensors(const Input& in) {
  const Tensors tensors = read_tensors(in);
  const Tensor& tensor = choose(in, tensors);
  Vectors vectors = read_tensor_rows(in, tensors, tensor);
  vectors.labels = read_tensor_labels(in, tensors, tensor.name, vectors.rows.rows());
  return vectors;
}

// 64-bit numbers first and bytes last, so that everything is aligned without gaps.
void write_safetensors(AtomicFile& file, const VectorsOutput& out) {
  const std::string name = out.dataset.empty() ? "vectors" : out.dataset;
  const std::size_t rows = out.rows.rows(), dim = out.rows.dim();
  const std::size_t row_bytes = dim * size_of(out.rows.type());
  const Labels& labels = out.labels;
  const auto numbers = labels.kind() == Labels::Kind::strings ? labels.offsets() : labels.numbers();
  const bool strings = labels.kind() == Labels::Kind::strings;
  TensorHeaderWriter header;
  if (!numbers.empty()) {
    header.add(name + (strings ? ".label_offsets" : ".labels"), "U64", {numbers.size()},
               numbers.size_bytes());
  }
  header.add(name, tensor_type(out.rows.type()), {rows, dim}, rows * row_bytes);
  if (strings) {
    header.add(name + ".labels", "U8", {labels.bytes().size()}, labels.bytes().size());
  }
  header.write(file);
  file.write(numbers.data(), numbers.size_bytes());
  for (std::size_t i = 0; i < rows; ++i) {
    throw_if_cancelled(out.control);
    file.write(out.rows.row(i), row_bytes);
  }
  if (strings) file.write(labels.bytes());
}

Evidence inspect_safetensors(const Input& in) {
  return looks_like_tensors(in) ? Evidence::certain : Evidence::none;
}

}  // namespace

constexpr Format kSafetensors{.name = "safetensors",
                              .extensions = {".safetensors"},
                              .inspect = inspect_safetensors,
                              .read_vectors = read_safetensors,
                              .write_vectors = write_safetensors,
                              .elements = bit(ElementType::f32) | bit(ElementType::f16) |
                                          bit(ElementType::bf16) | bit(ElementType::i8) |
                                          bit(ElementType::u8),
                              .holds_labels = true};

}  // namespace kith::formats
