#include "encode/module_tensors.h"

#include "kith/error.h"

namespace kith::encode {

Matrix<float> ModuleTensors::read(const std::string& name, std::size_t rows, std::size_t cols) {
  Matrix<float> values = store_.read(full_name(name), rows, cols);
  used_.insert(full_name(name));
  parameters_ += rows * cols;
  return values;
}

Norm ModuleTensors::norm(const std::string& name, std::size_t width) {
  Norm norm;
  norm.scale = read(name + ".weight", 1, width);
  norm.shift = read(name + ".bias", 1, width);
  return norm;
}

simd::PackedWeights ModuleTensors::dense(const std::string& name, std::size_t outputs,
                                         std::size_t inputs, bool bias) {
  const Matrix<float> rows = read(name + ".weight", outputs, inputs);
  if (!bias) return {rows, nullptr};
  return {rows, read(name + ".bias", 1, outputs).data()};
}

void ModuleTensors::refuse_extra() const {
  for (const std::string& name : store_.names()) {
    if (!name.starts_with(prefix_) || used_.contains(name)) continue;
    throw Error(ErrorCode::corrupt,
                store_.path() + ": tensor '" + name + "' has no place in " + module_);
  }
}

}  // namespace kith::encode
