// Between LibTorch's tensors and kith's matrices and files.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "encode/tensor_store.h"
#include "kith/matrix.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

at::Tensor tensor_of(MatrixView<const float> matrix);  // [rows, cols]
Matrix<float> matrix_of(const at::Tensor& tensor);     // of two dimensions

// One or two dimensions; throws as TensorStore::read does.
at::Tensor read_tensor(const encode::TensorStore& store, const std::string& name,
                       at::IntArrayRef shape);

// A safetensors file of float32.
void write_parameters(const std::string& path, const Parameters& parameters);

}  // namespace kith::learn
