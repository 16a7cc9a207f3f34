#include "papers/common/first_layers.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/read_file.h"
#include "encode/model_folder.h"
#include "encode/tensor_store.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

namespace fs = std::filesystem;

// "encoder.layer.3.output.dense.weight" -> 3; nothing for tensors of no layer.
std::optional<std::size_t> layer_of(std::string_view tensor) {
  for (const std::string_view name : {"encoder.layer.", "layers."}) {  // BERT's and llama's
    const std::size_t at = tensor.find(name);
    if (at != tensor.npos) return std::stoul(std::string(tensor.substr(at + name.size())));
  }
  return std::nullopt;
}

std::vector<float> read_flat(const encode::TensorStore& store, const std::string& name) {
  const std::vector<std::uint64_t>& shape = store.shape(name);
  const std::size_t rows = shape.size() == 2 ? shape[0] : 1;
  const Matrix<float> values = store.read(name, rows, shape.back());
  std::vector<float> flat;
  for (std::size_t i = 0; i < rows; ++i) {
    flat.insert(flat.end(), values.row(i), values.row(i) + values.cols());
  }
  return flat;
}

void write_first(const std::string& base, std::size_t layers, const std::string& path) {
  const auto store = encode::TensorStore::open_folder(base);
  std::vector<std::pair<std::string, std::vector<float>>> kept;
  for (const std::string& name : store.names()) {
    const auto layer = layer_of(name);
    if (!layer || *layer < layers) kept.emplace_back(name, read_flat(store, name));
  }
  std::vector<encode::NamedTensor> tensors;
  for (const auto& [name, values] : kept) tensors.push_back({name, store.shape(name), values});
  encode::write_tensors(path, tensors);
}

}  // namespace

std::string first_layers(const Trial& trial, const std::string& base, std::size_t layers) {
  std::string path = model_folder(trial, "first-" + std::to_string(layers), "\"" + base + "\"");
  if (fs::exists(path)) return path;
  encode::NewFolder folder(path);
  for (const auto& entry : fs::directory_iterator(base)) {
    const std::string name = entry.path().filename().string();
    if (name == "training" || name == "model.safetensors" || name == "config.json") continue;
    fs::copy(entry.path(), folder.file(name), fs::copy_options::recursive);
  }
  auto config = nlohmann::ordered_json::parse(read_file(base + "/config.json"));
  config["num_hidden_layers"] = layers;
  encode::write_json(folder.file("config.json"), config);
  write_first(base, layers, folder.file("model.safetensors"));
  folder.commit();
  return path;
}

}  // namespace kith::papers
