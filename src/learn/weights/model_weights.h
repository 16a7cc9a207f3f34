// The weights of a model's folder as named tensors, and folders written with others in their place:
// what merging reads and writes.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "encode/concepts.h"
#include "learn/nn/parameters.h"
#include "learn/weights/task_vectors.h"

namespace kith::learn {

struct ModelWeights {
  std::string folder;
  // Every tensor of floats that the transformer's and the modules' files hold, as float32, in the
  // alphabet's order, named as TextModel::parameters() names them: "transformer." and the published
  // name, "pooling." and its name, "dense.0.weight". Not those of heads that vectors don't need
  // (pooler, lm_head ...), and not buffers of whole numbers.
  Parameters tensors;
  // Weight files, by their place in the folder, and of each tensor there the name it has above;
  // tensors that aren't listed stay as they are.
  std::map<std::string, std::map<std::string, std::string>> files;
  // tokenizer.json without its truncation and padding, which change no id; null where there is
  // none.
  nlohmann::json tokenizer;
  std::vector<encode::NamedConcept> concepts;  // of a model whose dimensions have names
  std::string merged_from;  // hash of the base, where the folder is a merged model; else empty
};

// Throws not_found without weights, corrupt for files that break their format or hold values that
// aren't finite, unsupported for weights other than F32, F16 and BF16.
ModelWeights read_model_weights(const std::string& folder);

// 16 hexadecimal digits over names, shapes and values (as float32): the same for a base in other
// files or shards, different for any other base.
std::string hash_of(const Parameters& tensors);

// Tables and weights that are equal in all of these models (an output layer tied to the embeddings,
// say, in files that hold both) are there once; the others' names lead to it in `files`. Tensors of
// fewer than two dimensions stay: a norm's ones are equal without being tied.
void tie_equal_weights(std::vector<ModelWeights>& models);

// Task vectors of folders: base, then models. Throws what make_task_vectors does, invalid_argument
// when tokenizers or lists of concepts differ or a merged model has another base, naming both
// folders.
TaskVectors task_vectors_of(const std::vector<ModelWeights>& base_and_models);
// Without a base: plain weights.
TaskVectors plain_vectors_of(const std::vector<ModelWeights>& models);

// What a folder of a merged model says of itself, in merge.json.
inline constexpr const char* kMergeFile = "merge.json";

// Writes the folder `output`, all of it or nothing: the files of `like`, its weights replaced, in
// F32, and `record` as merge.json. Weights in other files (PyTorch's, ONNX ...) would be the base's
// still and aren't copied. `tensors`: as make_task_vectors and add_to_base give them. Throws what
// encode::NewFolder does.
void write_merged(const std::string& output, const ModelWeights& like, const Parameters& tensors,
                  const nlohmann::ordered_json& record);

}  // namespace kith::learn
