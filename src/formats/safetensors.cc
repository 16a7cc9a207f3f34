// safetensors (Hugging Face): a 64-bit length, a JSON header with each tensor's type, shape and
// byte range, then the tensors without gaps. One 2-D tensor holds the vectors: the one named by
// `dataset`, else "vectors", else the only one there is.
//
// Labels of tensor NAME are tensors, too: numbers are NAME.labels (U64, one a row); strings are
// NAME.labels (U8, all their bytes) cut at NAME.label_offsets (U64, rows + 1).
#include <algorithm>
#include <optional>
#include <vector>

#include "formats/json_reader.h"
#include "formats/rows.h"

namespace kith::formats {
namespace {

constexpr std::size_t kLength = sizeof(std::uint64_t);
constexpr std::size_t kMaxHeader = 100'000'000;  // what the reference implementation allows

struct Tensor {
  std::string name, type;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // from the first byte behind the header
};

struct Tensors {
  std::vector<Tensor> list;
  std::size_t data = 0;  // byte of the first tensor

  const Tensor* find(const std::string& name) const {
    const auto at = std::find_if(list.begin(), list.end(),
                                 [&](const Tensor& tensor) { return tensor.name == name; });
    return at == list.end() ? nullptr : &*at;
  }
};

std::size_t item_size(const std::string& type) {
  constexpr std::string_view kOne[] = {"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"};
  constexpr std::string_view kTwo[] = {"U16", "I16", "F16", "BF16"};
  constexpr std::string_view kFour[] = {"U32", "I32", "F32"};
  constexpr std::string_view kEight[] = {"U64", "I64", "F64"};
  if (std::ranges::count(kOne, type) != 0) return 1;
  if (std::ranges::count(kTwo, type) != 0) return 2;
  if (std::ranges::count(kFour, type) != 0) return 4;
  return std::ranges::count(kEight, type) != 0 ? 8 : 0;
}

Tensor read_tensor(JsonReader& json, const std::string& name) {
  Tensor tensor;
  tensor.name = name;
  std::vector<std::uint64_t> range;
  bool has_shape = false;
  json.object([&](const std::string& key) {
    if (key == "dtype" && tensor.type.empty()) {
      tensor.type = json.string();
    } else if (key == "shape" && !has_shape) {
      has_shape = true;
      json.array([&] { tensor.shape.push_back(json.whole()); });
    } else if (key == "data_offsets" && range.empty()) {
      json.array([&] { range.push_back(json.whole()); });
    } else {
      json.fail("tensor '" + name + "': unexpected member '" + key + "'");
    }
  });
  if (tensor.type.empty() || !has_shape || range.size() != 2) {
    json.fail("tensor '" + name + "' lacks dtype, shape or two data_offsets");
  }
  tensor.begin = range[0];
  tensor.end = range[1];
  return tensor;
}

// Items times their size, or nothing when that overflows.
std::optional<std::uint64_t> byte_count(const Tensor& tensor, std::size_t item) {
  std::uint64_t bytes = item;
  for (const std::uint64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  return bytes;
}

void check_tensor(const Input& in, const Tensor& tensor, std::uint64_t room) {
  const std::string which = "tensor '" + tensor.name + "'";
  if (tensor.begin > tensor.end || tensor.end > room) {
    corrupt_at(in, kLength,
               which + " is at [" + std::to_string(tensor.begin) + ", " +
                   std::to_string(tensor.end) + ") of " + std::to_string(room) + " bytes");
  }
  const std::size_t item = item_size(tensor.type);
  if (item == 0) return;  // a type of the future, of no use here
  if (byte_count(tensor, item) != tensor.end - tensor.begin) {
    corrupt_at(in, kLength,
               which + ": " + std::to_string(tensor.end - tensor.begin) +
                   " bytes don't fit its shape and type " + tensor.type);
  }
}

// Tensors cover the data without gap or overlap.
void check_cover(const Input& in, const Tensors& tensors, std::uint64_t room) {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors.list) order.push_back(&tensor);
  std::ranges::sort(order, {}, [](const Tensor* t) { return std::pair(t->begin, t->end); });
  std::uint64_t at = 0;
  for (const Tensor* tensor : order) {
    if (tensor->begin != at) {
      corrupt_at(in, kLength,
                 "tensor '" + tensor->name + "' starts at " + std::to_string(tensor->begin) +
                     ", but the one before ends at " + std::to_string(at));
    }
    at = tensor->end;
  }
  if (at != room) {
    corrupt_at(in, tensors.data + at,
               "the tensors end at " + std::to_string(at) + ", but " + std::to_string(room) +
                   " bytes follow the header");
  }
}

Tensors read_header(const Input& in) {
  const auto length = read_at<std::uint64_t>(in, 0, "the header's length");
  if (length > kMaxHeader || length > in.bytes.size() - kLength) {
    corrupt_at(in, 0,
               "a header of " + std::to_string(length) + " bytes in a file of " +
                   std::to_string(in.bytes.size()));
  }
  Tensors tensors;
  tensors.data = kLength + static_cast<std::size_t>(length);
  JsonReader json(in, kLength, tensors.data);
  json.object([&](const std::string& name) {
    if (name == "__metadata__") return json.skip();
    tensors.list.push_back(read_tensor(json, name));
  });
  json.end();
  const std::uint64_t room = in.bytes.size() - tensors.data;
  for (const Tensor& tensor : tensors.list) check_tensor(in, tensor, room);
  check_cover(in, tensors, room);
  std::vector<std::string_view> names;
  for (const Tensor& tensor : tensors.list) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twin = std::ranges::adjacent_find(names);
  if (twin != names.end()) {
    corrupt_at(in, kLength, "tensor '" + std::string(*twin) + "' appears twice");
  }
  return tensors;
}

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

std::span<const std::byte> bytes_of(const Input& in, const Tensors& tensors, const Tensor& tensor) {
  return in.bytes.subspan(tensors.data + tensor.begin, tensor.end - tensor.begin);
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

Labels read_labels(const Input& in, const Tensors& tensors, const std::string& name,
                   std::size_t rows) {
  const Tensor* labels = tensors.find(name + ".labels");
  const Tensor* offsets = tensors.find(name + ".label_offsets");
  if (labels == nullptr) return Labels();
  const auto refuse = [&](const std::string& reason) {
    corrupt_at(in, kLength, "tensor '" + labels->name + "' " + reason);
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

Vectors tensor_rows(const Input& in, const Tensors& tensors, const Tensor& tensor) {
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

Vectors read_safetensors(const Input& in) {
  const Tensors tensors = read_header(in);
  const Tensor& tensor = choose(in, tensors);
  if (tensor.shape.size() != 2) {
    throw Error(ErrorCode::unsupported, in.name + ": tensor '" + tensor.name + "' has " +
                                            std::to_string(tensor.shape.size()) +
                                            " dimensions; expected 2 (rows, components)");
  }
  check_shape(in, kLength, tensor.shape[0], tensor.shape[1]);
  Vectors vectors = tensor_rows(in, tensors, tensor);
  vectors.labels = read_labels(in, tensors, tensor.name, vectors.rows.rows());
  return vectors;
}

const char* type_name(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "F32";
    case ElementType::f16:
      return "F16";
    case ElementType::bf16:
      return "BF16";
    case ElementType::i8:
      return "I8";
    case ElementType::u8:
      return "U8";
  }
  return "?";
}

std::string json_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

// Entries of the header in the order in which the tensors follow.
class HeaderWriter {
 public:
  void add(const std::string& name, const char* type, const std::string& shape,
           std::uint64_t bytes) {
    if (text_.size() > 1) text_ += ',';
    text_ += json_string(name);
    text_ += std::string(R"(:{"dtype":")") + type + R"(","shape":[)" + shape;
    text_ += R"(],"data_offsets":[)" + std::to_string(at_) + ",";
    text_ += std::to_string(at_ + bytes) + "]}";
    at_ += bytes;
  }

  // The tensors start on a multiple of 64 bytes.
  void write(AtomicFile& file) {
    constexpr std::size_t kAlign = 64;
    text_ += '}';
    text_.resize((kLength + text_.size() + kAlign - 1) / kAlign * kAlign - kLength, ' ');
    const std::uint64_t length = text_.size();
    file.write(&length, sizeof length);
    file.write(text_);
  }

 private:
  std::string text_ = "{";
  std::uint64_t at_ = 0;
};

// 64-bit numbers first and bytes last, so that everything is aligned without gaps.
void write_safetensors(AtomicFile& file, const VectorsOutput& out) {
  const std::string name = out.dataset.empty() ? "vectors" : out.dataset;
  const std::size_t rows = out.rows.rows(), dim = out.rows.dim();
  const std::size_t row_bytes = dim * size_of(out.rows.type());
  const Labels& labels = out.labels;
  const auto numbers = labels.kind() == Labels::Kind::strings ? labels.offsets() : labels.numbers();
  const bool strings = labels.kind() == Labels::Kind::strings;
  HeaderWriter header;
  if (!numbers.empty()) {
    header.add(name + (strings ? ".label_offsets" : ".labels"), "U64",
               std::to_string(numbers.size()), numbers.size_bytes());
  }
  header.add(name, type_name(out.rows.type()), std::to_string(rows) + "," + std::to_string(dim),
             rows * row_bytes);
  if (strings) {
    header.add(name + ".labels", "U8", std::to_string(labels.bytes().size()),
               labels.bytes().size());
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
  if (in.bytes.size() < kLength + 2) return Evidence::none;
  const auto length = load<std::uint64_t>(in.bytes.data());
  const bool fits = length >= 2 && length <= kMaxHeader && length <= in.bytes.size() - kLength;
  return fits && in.text().substr(kLength, 2) == "{\"" ? Evidence::certain : Evidence::none;
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
