#include "formats/tensors.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "formats/bytes.h"
#include "formats/json_reader.h"
#include "formats/json_text.h"

namespace kith::formats {
namespace {

constexpr std::size_t kMaxHeader = 100'000'000;  // what the reference implementation allows

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
    corrupt_at(in, kHeaderStart,
               which + " is at [" + std::to_string(tensor.begin) + ", " +
                   std::to_string(tensor.end) + ") of " + std::to_string(room) + " bytes");
  }
  const std::size_t item = item_size(tensor.type);
  if (item == 0) return;  // a type of the future, of no use here
  if (byte_count(tensor, item) != tensor.end - tensor.begin) {
    corrupt_at(in, kHeaderStart,
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
      corrupt_at(in, kHeaderStart,
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

}  // namespace

const Tensor* Tensors::find(const std::string& name) const {
  const auto at = std::find_if(list.begin(), list.end(),
                               [&](const Tensor& tensor) { return tensor.name == name; });
  return at == list.end() ? nullptr : &*at;
}

Tensors read_tensors(const Input& in) {
  const auto length = read_at<std::uint64_t>(in, 0, "the header's length");
  if (length > kMaxHeader || length > in.bytes.size() - kHeaderStart) {
    corrupt_at(in, 0,
               "a header of " + std::to_string(length) + " bytes in a file of " +
                   std::to_string(in.bytes.size()));
  }
  Tensors tensors;
  tensors.data = kHeaderStart + static_cast<std::size_t>(length);
  JsonReader json(in, kHeaderStart, tensors.data);
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
    corrupt_at(in, kHeaderStart, "tensor '" + std::string(*twin) + "' appears twice");
  }
  return tensors;
}

bool looks_like_tensors(const Input& in) {
  if (in.bytes.size() < kHeaderStart + 2) return false;
  const auto length = load<std::uint64_t>(in.bytes.data());
  const bool fits = length >= 2 && length <= kMaxHeader && length <= in.bytes.size() - kHeaderStart;
  return fits && in.text().substr(kHeaderStart, 2) == "{\"";
}

std::span<const std::byte> bytes_of(const Input& in, const Tensors& tensors, const Tensor& tensor) {
  return in.bytes.subspan(tensors.data + tensor.begin, tensor.end - tensor.begin);
}

const char* tensor_type(ElementType type) {
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

void TensorHeaderWriter::add(const std::string& name, const char* type,
                             const std::vector<std::uint64_t>& shape, std::uint64_t bytes) {
  std::string extents;
  for (const std::uint64_t extent : shape) {
    if (!extents.empty()) extents += ',';
    extents += std::to_string(extent);
  }
  if (text_.size() > 1) text_ += ',';
  text_ += json_string(name);
  text_ += std::string(R"(:{"dtype":")") + type + R"(","shape":[)" + extents;
  text_ += R"(],"data_offsets":[)" + std::to_string(at_) + ",";
  text_ += std::to_string(at_ + bytes) + "]}";
  at_ += bytes;
}

void TensorHeaderWriter::write(AtomicFile& file) {
  constexpr std::size_t kAlign = 64;
  text_ += '}';
  text_.resize((kHeaderStart + text_.size() + kAlign - 1) / kAlign * kAlign - kHeaderStart, ' ');
  const std::uint64_t length = text_.size();
  file.write(&length, sizeof length);
  file.write(text_);
}

}  // namespace kith::formats
