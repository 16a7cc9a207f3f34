#include "encode/tensor_store.h"

#include <filesystem>
#include <set>

#include "base/mapped_file.h"
#include "json/json.h"
#include "kith/error.h"
#include "simd/kernels.h"

namespace kith::encode {
namespace {

using formats::Tensor;

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (const std::uint64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

// Shards lie beside their index, so that a folder can't reach outside itself.
void check_shard_name(const std::string& index, const std::string& shard) {
  if (!shard.empty() && shard.find('/') == std::string::npos && shard != "." && shard != "..") {
    return;
  }
  throw Error(ErrorCode::corrupt, index + ": shard '" + shard + "', expected the name of a file");
}

std::string beside(const std::string& folder, const std::string& file) {
  return folder + "/" + file;
}

[[noreturn]] void refuse_tensor(const std::string& file, const std::string& name,
                                const std::string& reason) {
  throw Error(ErrorCode::corrupt, file + ": tensor '" + name + "' " + reason);
}

ElementType element_type(const std::string& file, const Tensor& tensor) {
  if (tensor.type == "F32") return ElementType::f32;
  if (tensor.type == "F16") return ElementType::f16;
  if (tensor.type == "BF16") return ElementType::bf16;
  throw Error(ErrorCode::unsupported, file + ": tensor '" + tensor.name + "' is " + tensor.type +
                                          "; weights are F32, F16 or BF16");
}

}  // namespace

const TensorStore::Shard& TensorStore::add(const std::string& path) {
  const auto file = MappedFile::open(path);
  auto shard = std::make_unique<Shard>();
  shard->input.name = path;
  shard->input.bytes = file->bytes();
  shard->input.owner = file;
  shard->tensors = formats::read_tensors(shard->input);
  for (const Tensor& tensor : shard->tensors.list) {
    const bool fresh = places_.emplace(tensor.name, Place{shard.get(), &tensor}).second;
    if (!fresh) {
      refuse_tensor(path, tensor.name, "is in another shard, too");
    }
  }
  shards_.push_back(std::move(shard));
  return *shards_.back();
}

TensorStore TensorStore::open_file(const std::string& path) {
  TensorStore store;
  store.path_ = path;
  store.add(path);
  return store;
}

void TensorStore::add_packed(const std::string& path) {
  packed_path_ = path;
  for (PackedTensor& tensor : read_packed(KithFileReader::open(path, true))) {
    if (places_.contains(tensor.name)) {
      refuse_tensor(path, tensor.name, "is in " + path_ + ", too");
    }
    packed_shapes_[tensor.name] = {tensor.rows, tensor.cols};
    std::string name = tensor.name;
    packed_.emplace(std::move(name), std::move(tensor));
  }
}

TensorStore TensorStore::open_folder(const std::string& folder) {
  const std::string single = folder + "/model.safetensors", packed = beside(folder, kPackedFile);
  const std::string index = single + ".index.json";
  if (std::filesystem::exists(packed)) {
    TensorStore store;
    store.path_ = std::filesystem::exists(single) ? single : packed;
    if (store.path_ == single) store.add(single);
    store.add_packed(packed);
    return store;
  }
  if (std::filesystem::exists(single) || !std::filesystem::exists(index)) return open_file(single);
  TensorStore store;
  store.path_ = index;
  const Json map = Json::read(index).object("weight_map");
  std::map<std::string, std::string> shard_of;
  std::set<std::string> files;
  for (const auto& [tensor, file] : map.raw().items()) {
    const std::string name = map.text(tensor);
    check_shard_name(index, name);
    shard_of.emplace(tensor, name);
    files.insert(name);
  }
  for (const std::string& file : files) store.add(beside(folder, file));
  for (const auto& [tensor, file] : shard_of) {
    const auto place = store.places_.find(tensor);
    const std::string path = beside(folder, file);
    if (place == store.places_.end() || place->second.shard->input.name != path) {
      refuse_tensor(index, tensor, "is not in " + file);
    }
  }
  return store;
}

std::vector<std::string> TensorStore::names() const {
  std::vector<std::string> all;
  for (const auto& [name, place] : places_) all.push_back(name);
  for (const auto& [name, tensor] : packed_) all.push_back(name);
  return all;
}

bool TensorStore::is_float(const std::string& name) const {
  if (packed_.contains(name)) return true;
  const std::string& type = place_of(name).tensor->type;
  return type == "F32" || type == "F16" || type == "BF16";
}

const PackedTensor* TensorStore::packed(const std::string& name) const {
  const auto at = packed_.find(name);
  return at == packed_.end() ? nullptr : &at->second;
}

std::vector<std::string> TensorStore::files() const {
  std::vector<std::string> all;
  for (const auto& shard : shards_) all.push_back(shard->input.name);
  if (!packed_path_.empty()) all.push_back(packed_path_);
  return all;
}

const TensorStore::Place& TensorStore::place_of(const std::string& name) const {
  const auto at = places_.find(name);
  if (at != places_.end()) return at->second;
  throw Error(ErrorCode::not_found, path_ + ": tensor '" + name + "' is missing");
}

const std::vector<std::uint64_t>& TensorStore::shape(const std::string& name) const {
  const auto packed = packed_shapes_.find(name);
  return packed != packed_shapes_.end() ? packed->second : place_of(name).tensor->shape;
}

Matrix<float> TensorStore::read(const std::string& name, std::size_t rows, std::size_t cols) const {
  const PackedTensor* const packed_tensor = packed(name);
  const std::string& file =
      packed_tensor != nullptr ? packed_path_ : place_of(name).shard->input.name;
  const std::vector<std::uint64_t>& found = shape(name);
  const bool fits = found == std::vector<std::uint64_t>{rows, cols} ||
                    (rows == 1 && found == std::vector<std::uint64_t>{cols});
  if (!fits) {
    throw Error(ErrorCode::corrupt,
                file + ": tensor '" + name + "' has shape " + shape_text(found) + ", expected " +
                    shape_text(rows == 1 ? std::vector<std::uint64_t>{cols}
                                         : std::vector<std::uint64_t>{rows, cols}));
  }
  if (packed_tensor != nullptr) return packed_tensor->decode();
  const auto& [shard, tensor] = place_of(name);
  const ElementType type = element_type(file, *tensor);
  Matrix<float> values(rows, cols);
  const auto bytes = formats::bytes_of(shard->input, shard->tensors, *tensor);
  for (std::size_t i = 0; i < rows; ++i) {
    simd::to_float(type, bytes.data() + i * cols * size_of(type), cols, values.row(i));
    if (!simd::all_finite(values.row(i), cols)) {
      refuse_tensor(file, name, "has a value in row " + std::to_string(i) + " that is not finite");
    }
  }
  return values;
}

}  // namespace kith::encode
