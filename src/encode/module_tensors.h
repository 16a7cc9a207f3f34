// The tensors of one module behind a transformer: each read by its name, what is left over refused.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "encode/tensor_store.h"
#include "encode/weights.h"
#include "kith/matrix.h"
#include "simd/dense.h"

namespace kith::encode {

class ModuleTensors {
 public:
  // `prefix` stands before every name; tensors without it are another's. `module` is how errors
  // call it: "a Dense module".
  ModuleTensors(const TensorStore& store, std::string prefix, std::string module)
      : store_(store), prefix_(std::move(prefix)), module_(std::move(module)) {}

  const TensorStore& store() const { return store_; }
  std::string full_name(const std::string& name) const { return prefix_ + name; }

  // These throw what TensorStore::read does.
  Matrix<float> read(const std::string& name, std::size_t rows, std::size_t cols);
  // NAME.weight and NAME.bias.
  Norm norm(const std::string& name, std::size_t width);
  simd::PackedWeights dense(const std::string& name, std::size_t outputs, std::size_t inputs,
                            bool bias);

  // Of what was read.
  std::size_t parameters() const { return parameters_; }
  // Throws corrupt for a tensor that nothing was read from.
  void refuse_extra() const;

 private:
  const TensorStore& store_;
  const std::string prefix_, module_;
  std::set<std::string> used_;
  std::size_t parameters_ = 0;
};

}  // namespace kith::encode
