// The tensors of a model folder: one model.safetensors, or the shards that
// model.safetensors.index.json lists; and those that model.kith holds in fewer bytes
// (packed_tensors.h), which are made whole as they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "encode/packed_tensors.h"
#include "formats/tensors.h"
#include "kith/matrix.h"

namespace kith::encode {

class TensorStore {
 public:
  // Throws not_found when the folder has none of these files or lacks a shard, corrupt when the
  // index and the shards disagree or a tensor is in two files.
  static TensorStore open_folder(const std::string& folder);
  static TensorStore open_file(const std::string& path);

  bool has(const std::string& name) const {
    return places_.contains(name) || packed_.contains(name);
  }
  std::vector<std::string> names() const;
  // Throws not_found when there is no such tensor.
  const std::vector<std::uint64_t>& shape(const std::string& name) const;
  // Whether read() takes it: tensors of other types than floats may stand in published files.
  bool is_float(const std::string& name) const;
  // Those of model.kith, by name; null for others.
  const PackedTensor* packed(const std::string& name) const;
  // All files that tensors are in.
  std::vector<std::string> files() const;
  // For messages: the file, or the index of several.
  const std::string& path() const { return path_; }

  // A tensor of rows x cols, or (rows 1) of just cols, as floats. Throws not_found, corrupt when
  // the shape differs or a value isn't finite, unsupported for types other than F32, F16 and BF16;
  // each names the file and the tensor.
  Matrix<float> read(const std::string& name, std::size_t rows, std::size_t cols) const;

 private:
  struct Shard {
    formats::Input input;
    formats::Tensors tensors;
  };
  struct Place {
    const Shard* shard;
    const formats::Tensor* tensor;
  };

  const Shard& add(const std::string& path);
  void add_packed(const std::string& path);
  const Place& place_of(const std::string& name) const;

  std::string path_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::map<std::string, Place> places_;
  std::string packed_path_;  // empty: none
  std::map<std::string, PackedTensor> packed_;
  std::map<std::string, std::vector<std::uint64_t>> packed_shapes_;
};

}  // namespace kith::encode
