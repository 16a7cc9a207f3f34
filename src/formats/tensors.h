// The container of safetensors files (Hugging Face): a 64-bit length, a JSON header with each
// tensor's type, shape and byte range, then the tensors without gaps. safetensors.cc takes vectors
// from it, models take their weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "formats/format.h"

namespace kith::formats {

inline constexpr std::size_t kHeaderStart = sizeof(std::uint64_t);  // behind its length

struct Tensor {
  std::string name, type;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // from the first byte behind the header
};

struct Tensors {
  std::vector<Tensor> list;
  std::size_t data = 0;  // byte of the first tensor

  const Tensor* find(const std::string& name) const;
};

// Reads and checks the header: the bytes of each tensor lie inside and fit its shape and type,
// names are unique, tensors cover the data. Throws corrupt with the position.
Tensors read_tensors(const Input& in);

// Whether the content can be one.
bool looks_like_tensors(const Input& in);

std::span<const std::byte> bytes_of(const Input& in, const Tensors& tensors, const Tensor& tensor);

// "F32" for ElementType::f32 and so on.
const char* tensor_type(ElementType type);

// Writes the header: entries in the order in which the tensors' bytes will follow.
class TensorHeaderWriter {
 public:
  void add(const std::string& name, const char* type, const std::vector<std::uint64_t>& shape,
           std::uint64_t bytes);
  // The tensors start on a multiple of 64 bytes.
  void write(AtomicFile& file);

 private:
  std::string text_ = "{";
  std::uint64_t at_ = 0;
};

}  // namespace kith::formats
