// Parts of safetensors files that hold vectors: rows, labels, whole numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/tensors.h"

namespace kith::formats {

// The rows of a 2-D tensor, in place when aligned. Throws unsupported for other shapes and types.
Vectors read_tensor_rows(const Input& in, const Tensors& tensors, const Tensor& tensor);
// The labels of the tensor `name` (safetensors.cc says how they are stored), or none.
Labels read_tensor_labels(const Input& in, const Tensors& tensors, const std::string& name,
                          std::size_t rows);
// A 1-D tensor of whole numbers (I32, U32, I64, U64), none below 0.
std::vector<std::uint64_t> read_tensor_counts(const Input& in, const Tensors& tensors,
                                              const Tensor& tensor);

}  // namespace kith::formats
