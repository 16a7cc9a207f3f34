// What the tests of encoders share: a random checkpoint in memory under the names its published
// model uses, which can be written as a Hugging Face folder.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/random.h"
#include "formats/tensors.h"
#include "formats/test_files.h"
#include "kith/half.h"

namespace kith::encode {

struct Checkpoint {
  struct Tensor {
    std::vector<std::uint64_t> shape;
    std::vector<float> values;
  };

  nlohmann::json config;
  std::map<std::string, Tensor> tensors;
  std::uint64_t seed = 1;

  // Random values of this spread around a middle.
  void add(const std::string& name, std::vector<std::uint64_t> shape, double spread,
           double middle = 0) {
    Tensor tensor{std::move(shape), {}};
    std::size_t count = 1;
    for (const std::uint64_t extent : tensor.shape) count *= extent;
    Random random(seed++);
    for (std::size_t i = 0; i < count; ++i) {
      tensor.values.push_back(static_cast<float>(middle + spread * random.normal()));
    }
    tensors[name] = std::move(tensor);
  }
  void add_linear(const std::string& name, std::size_t out, std::size_t in, bool bias = true,
                  bool transposed = false) {
    const double spread = 1.5 / std::sqrt(static_cast<double>(in));
    add(name + ".weight",
        transposed ? std::vector<std::uint64_t>{in, out} : std::vector<std::uint64_t>{out, in},
        spread);
    if (bias) add(name + ".bias", {out}, 0.3);
  }
  void add_norm(const std::string& name, std::size_t width, bool bias = true) {
    add(name + ".weight", {width}, 0.3, 1);
    if (bias) add(name + ".bias", {width}, 0.3);
  }
  const std::vector<float>& operator[](const std::string& name) const {
    return tensors.at(name).values;
  }
  bool has(const std::string& name) const { return tensors.contains(name); }
  std::size_t setting(const char* key) const { return config.at(key).get<std::size_t>(); }
};

inline void write_json(const std::string& path, const nlohmann::json& json) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  formats::write_bytes(path, json.dump());
}

// Names in `tensors` that `wanted` accepts.
template <class Wanted>
void write_tensors(const std::string& path, const Checkpoint& checkpoint, ElementType type,
                   const Wanted& wanted) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  AtomicFile file(path);
  formats::TensorHeaderWriter header;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!wanted(name)) continue;
    header.add(name, formats::tensor_type(type), tensor.shape,
               tensor.values.size() * size_of(type));
  }
  header.write(file);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!wanted(name)) continue;
    for (const float value : tensor.values) {
      const Half half(value);
      const BFloat16 brain(value);
      if (type == ElementType::f32) file.write(&value, sizeof value);
      if (type == ElementType::f16) file.write(&half, sizeof half);
      if (type == ElementType::bf16) file.write(&brain, sizeof brain);
    }
  }
  file.commit();
}

// The checkpoint as a folder with one file of weights.
inline void write_folder(const std::string& folder, const Checkpoint& checkpoint,
                         ElementType type = ElementType::f32) {
  write_json(folder + "/config.json", checkpoint.config);
  write_tensors(folder + "/model.safetensors", checkpoint, type,
                [](const std::string&) { return true; });
}

// Rounds every weight to what a narrower type keeps.
template <class T>
void round_weights(Checkpoint& checkpoint) {
  for (auto& [name, tensor] : checkpoint.tensors) {
    for (float& value : tensor.values) value = static_cast<float>(T(value));
  }
}

}  // namespace kith::encode
