#include "learn/weights/model_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "base/checksum.h"
#include "base/folder_path.h"
#include "base/mapped_file.h"
#include "encode/model_folder.h"
#include "encode/modules.h"
#include "encode/nvembed.h"
#include "encode/tensor_list.h"
#include "formats/tensors.h"
#include "json/json.h"
#include "kith/error.h"
#include "learn/nn/transformer.h"
#include "learn/refuse.h"
#include "learn/torch.h"
#include "simd/kernels.h"

namespace kith::learn {
namespace {

namespace fs = std::filesystem;

// By its name alone, since weights may be links to elsewhere.
std::string place_in(const std::string& folder, const fs::path& path) {
  return path.lexically_normal().lexically_relative(folder_path(folder)).string();
}

struct WeightFile {
  formats::Input input;
  formats::Tensors tensors;
};

WeightFile open_weights(const std::string& path) {
  const auto file = MappedFile::open(path);
  WeightFile weights;
  weights.input.name = path;
  weights.input.bytes = file->bytes();
  weights.input.owner = file;
  weights.tensors = formats::read_tensors(weights.input);
  return weights;
}

// Nothing for buffers, which aren't trained.
std::optional<ElementType> float_type(const std::string& path, const formats::Tensor& tensor) {
  if (tensor.type == "F32") return ElementType::f32;
  if (tensor.type == "F16") return ElementType::f16;
  if (tensor.type == "BF16") return ElementType::bf16;
  if (tensor.type.starts_with("I") || tensor.type.starts_with("U") || tensor.type == "BOOL") {
    return std::nullopt;
  }
  throw Error(ErrorCode::unsupported, path + ": tensor '" + tensor.name + "' is " + tensor.type +
                                          "; weights are F32, F16 or BF16");
}

at::Tensor read_values(const WeightFile& file, const formats::Tensor& tensor, ElementType type) {
  const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
  const at::Tensor values = torch::empty(shape);
  const auto count = static_cast<std::size_t>(values.numel());
  const auto bytes = formats::bytes_of(file.input, file.tensors, tensor);
  simd::to_float(type, bytes.data(), count, values.data_ptr<float>());
  if (!simd::all_finite(values.data_ptr<float>(), count)) {
    throw Error(ErrorCode::corrupt,
                file.input.name + ": tensor '" + tensor.name + "' has a value that is not finite");
  }
  return values;
}

// model.safetensors, or the shards that its index lists (whose entries TensorStore checks).
std::vector<std::string> weight_files(const std::string& folder) {
  const std::string single = folder + "/model.safetensors", index = single + ".index.json";
  if (fs::exists(fs::path(folder) / encode::kPackedFile)) {
    throw Error(ErrorCode::unsupported,
                folder + ": a compressed model, but whole weights are merged");
  }
  if (fs::exists(single) || !fs::exists(index)) return {single};
  const auto checked = encode::TensorStore::open_folder(folder);
  const Json map = Json::read(index).object("weight_map");
  std::set<std::string> files;
  for (const auto& [tensor, file] : map.raw().items()) files.insert(map.text(tensor));
  std::vector<std::string> paths;
  for (const std::string& file : files) paths.push_back(folder + "/" + file);
  return paths;
}

// How the transformer's tensors are called: a checkpoint with a head has a prefix before their
// names and tensors of its own, one that kith trained has neither.
class TransformerNames {
 public:
  explicit TransformerNames(const std::string& folder) {
    const std::string path = folder + "/config.json";
    if (!fs::exists(path)) return;
    const Json json = Json::read(path);
    const std::string type = json.text("model_type", "");
    const auto all = encode::all_architectures();
    // NV-Embed's file holds its pooling, too.
    if (type == encode::kNvEmbedType || std::none_of(all.begin(), all.end(), [&](const auto* a) {
          return a->model_type == type;
        })) {
      return;
    }
    const encode::Config config = encode::read_config(json);
    const encode::Names names = encode::architecture_of(json).names(json, config);
    prefix_ = prefix_of(encode::TensorStore::open_folder(folder), names);
    for (const encode::TensorPlace& place : encode::list_tensors(names, config)) {
      known_.insert(place.name);
    }
  }

  // Nothing for a tensor that vectors don't need.
  std::optional<std::string> operator()(const std::string& name) const {
    if (known_.empty()) return "transformer." + name;
    if (!name.starts_with(prefix_)) return std::nullopt;
    const std::string own = name.substr(prefix_.size());
    if (!known_.contains(own)) return std::nullopt;
    return "transformer." + own;
  }

 private:
  std::string prefix_;
  std::set<std::string> known_;  // empty: all are
};

template <class NameOf>
void read_file(const std::string& path, const NameOf& name_of, ModelWeights& model,
               std::map<std::string, at::Tensor>& tensors) {
  const std::string place = place_in(model.folder, path);
  if (model.files.contains(place)) return;
  std::map<std::string, std::string>& names = model.files[place];
  const WeightFile file = open_weights(path);
  for (const formats::Tensor& tensor : file.tensors.list) {
    const std::optional<ElementType> type = float_type(path, tensor);
    const std::optional<std::string> name = name_of(tensor.name);
    if (!type || !name) continue;
    if (!tensors.emplace(*name, read_values(file, tensor, *type)).second) {
      throw Error(ErrorCode::corrupt, path + ": tensor '" + tensor.name + "' twice");
    }
    names.emplace(tensor.name, *name);
  }
}

nlohmann::json read_tokenizer(const std::string& folder) {
  const std::string path = folder + "/tokenizer.json";
  if (!fs::exists(path)) return nullptr;
  nlohmann::json tokenizer = Json::read(path).raw();
  tokenizer.erase("truncation");
  tokenizer.erase("padding");
  return tokenizer;
}

// A concept's place in the list is part of the model.
void check_concepts(const ModelWeights& a, const ModelWeights& b) {
  const auto same = [](const encode::NamedConcept& x, const encode::NamedConcept& y) {
    return x.name == y.name;
  };
  if (std::ranges::equal(a.concepts, b.concepts, same)) return;
  refuse(a.folder + " and " + b.folder +
         " have different lists of concepts, expected models that were trained from one base");
}

void check_tokenizers(const ModelWeights& a, const ModelWeights& b) {
  check_concepts(a, b);
  if (a.tokenizer == b.tokenizer) return;
  const bool one_lacks = a.tokenizer.is_null() != b.tokenizer.is_null();
  refuse(a.folder + " and " + b.folder +
         (one_lacks ? ": only one has a tokenizer.json" : " have different tokenizers") +
         ", expected models that were trained from one base");
}

std::vector<NamedModel> named(std::span<const ModelWeights> models) {
  std::vector<NamedModel> all;
  for (const ModelWeights& each : models) all.push_back({each.folder, each.tensors});
  return all;
}

std::string checksum_text(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}", checksum(bytes));
}

std::span<const std::byte> bytes_of(const at::Tensor& values) {
  return std::as_bytes(
      std::span(values.data_ptr<float>(), static_cast<std::size_t>(values.numel())));
}

// What differs between tensors that aren't tied.
std::string print_of(const std::vector<ModelWeights>& models, const std::string& name) {
  std::string print;
  for (const ModelWeights& model : models) {
    if (!model.tensors.has(name)) return {};
    const at::Tensor& values = model.tensors[name];
    for (const std::int64_t extent : values.sizes()) print += std::to_string(extent) + " ";
    print += checksum_text(bytes_of(values));
  }
  return print;
}

// Weights in forms that would be the base's still.
bool other_weights(const fs::path& path) {
  constexpr auto kForms = std::to_array<std::string_view>(
      {".bin", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".onnx_data", ".ot", ".pt", ".pth",
       ".safetensors", ".tflite"});
  const std::string end = path.extension().string();
  return std::find(kForms.begin(), kForms.end(), end) != kForms.end();
}

bool hidden(const fs::path& place) {
  return std::any_of(place.begin(), place.end(),
                     [](const fs::path& part) { return part.string().starts_with("."); });
}

void write_weights(const std::string& to, const std::string& from, const Parameters& tensors,
                   const std::map<std::string, std::string>& names) {
  const WeightFile file = open_weights(from);
  AtomicFile out(to);
  formats::TensorHeaderWriter header;
  for (const formats::Tensor& tensor : file.tensors.list) {
    const auto name = names.find(tensor.name);
    const bool merged = name != names.end();
    header.add(tensor.name, merged ? "F32" : tensor.type.c_str(), tensor.shape,
               merged ? bytes_of(tensors[name->second]).size()
                      : formats::bytes_of(file.input, file.tensors, tensor).size());
  }
  header.write(out);
  for (const formats::Tensor& tensor : file.tensors.list) {
    const auto name = names.find(tensor.name);
    const auto bytes = name != names.end() ? bytes_of(tensors[name->second])
                                           : formats::bytes_of(file.input, file.tensors, tensor);
    out.write(bytes.data(), bytes.size());
  }
  out.commit();
}

}  // namespace

ModelWeights read_model_weights(const std::string& folder) {
  ModelWeights model;
  model.folder = folder;
  const encode::Modules modules = encode::find_modules(folder);
  std::map<std::string, at::Tensor> tensors;
  const TransformerNames names(modules.transformer);
  for (const std::string& path : weight_files(modules.transformer)) {
    read_file(path, names, model, tensors);
  }
  std::size_t dense = 0;
  for (const auto& [kind, place] : modules.ahead) {
    const std::string path = place + "/model.safetensors";
    if (!fs::exists(path)) continue;
    std::string prefix = "pooling.";
    if (kind == "Dense") prefix = "dense." + std::to_string(dense++) + ".";
    if (kind == encode::kConcepts) {
      prefix = "concepts.";
      model.concepts = encode::read_concept_names(Json::read(place + "/" + encode::kConceptsFile));
    }
    const std::string_view dropped = encode::is_head(kind) ? "linear." : "";
    const auto name_of = [&](const std::string& name) {
      return std::optional(prefix +
                           (name.starts_with(dropped) ? name.substr(dropped.size()) : name));
    };
    read_file(path, name_of, model, tensors);
  }
  for (const auto& [name, value] : tensors) model.tensors.add(name, value);
  model.tokenizer = read_tokenizer(modules.transformer);
  const std::string merge = folder + "/" + kMergeFile;
  if (fs::exists(merge)) model.merged_from = Json::read(merge).text("base_hash", "");
  return model;
}

std::string hash_of(const Parameters& tensors) {
  std::map<std::string, at::Tensor> by_name;
  for (const Parameter& each : tensors) by_name.emplace(each.name, each.value);
  std::string all;
  for (const auto& [name, value] : by_name) {
    all += name + " ";
    for (const std::int64_t extent : value.sizes()) all += std::to_string(extent) + " ";
    all += checksum_text(bytes_of(value.detach().to(torch::kCPU, torch::kFloat32).contiguous()));
    all += "\n";
  }
  return checksum_text(std::as_bytes(std::span(all)));
}

void tie_equal_weights(std::vector<ModelWeights>& models) {
  if (models.empty()) return;
  std::map<std::string, std::string> first_of;  // by print
  std::map<std::string, std::string> tied;      // to the name that stays
  for (const Parameter& each : models[0].tensors) {
    if (each.value.dim() < 2) continue;
    const std::string print = print_of(models, each.name);
    if (print.empty()) continue;
    const auto [at, fresh] = first_of.emplace(print, each.name);
    if (!fresh) tied[each.name] = at->second;
  }
  for (ModelWeights& model : models) {
    Parameters once;
    for (const Parameter& each : model.tensors) {
      if (!tied.contains(each.name)) once.add(each.name, each.value);
    }
    model.tensors = once;
    for (auto& [file, names] : model.files) {
      for (auto& [in_file, name] : names) {
        if (tied.contains(name)) name = tied[name];
      }
    }
  }
}

TaskVectors task_vectors_of(const std::vector<ModelWeights>& base_and_models) {
  const ModelWeights& base = base_and_models.at(0);
  const std::span models = std::span(base_and_models).subspan(1);
  const std::string hash = hash_of(base.tensors);
  for (const ModelWeights& model : models) {
    check_tokenizers(base, model);
    if (!model.merged_from.empty() && model.merged_from != hash) {
      refuse(model.folder + ": merged on a base of hash " + model.merged_from + ", but " +
             base.folder + " has " + hash);
    }
  }
  return make_task_vectors({base.folder, base.tensors}, named(models));
}

TaskVectors plain_vectors_of(const std::vector<ModelWeights>& models) {
  for (const ModelWeights& model : models) check_tokenizers(models.at(0), model);
  return make_plain_vectors(named(models));
}

void write_merged(const std::string& output, const ModelWeights& like, const Parameters& tensors,
                  const nlohmann::ordered_json& record) {
  std::vector<fs::path> places;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(like.folder)) {
    if (entry.is_regular_file()) places.push_back(place_in(like.folder, entry.path()));
  }
  // Only now, since it may lie inside.
  encode::NewFolder folder(output);
  for (const fs::path& place : places) {
    const std::string from = (fs::path(like.folder) / place).string();
    const auto weights = like.files.find(place.string());
    if (weights != like.files.end()) {
      write_weights(folder.file(place.string()), from, tensors, weights->second);
    } else if (!other_weights(place) && !hidden(place) && place != kMergeFile) {
      fs::copy_file(from, folder.file(place.string()));
    }
  }
  encode::write_json(folder.file(kMergeFile), record);
  folder.commit();
}

}  // namespace kith::learn
