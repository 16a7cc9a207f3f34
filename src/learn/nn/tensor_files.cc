#include "learn/nn/tensor_files.h"

#include <cstring>

#include "encode/model_folder.h"
#include "learn/torch.h"

namespace kith::learn {

at::Tensor tensor_of(MatrixView<const float> matrix) {
  at::Tensor tensor = torch::empty(
      {static_cast<std::int64_t>(matrix.rows()), static_cast<std::int64_t>(matrix.cols())});
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    std::memcpy(tensor.data_ptr<float>() + i * matrix.cols(), matrix.row(i),
                matrix.cols() * sizeof(float));
  }
  return tensor;
}

Matrix<float> matrix_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const auto cols = static_cast<std::size_t>(values.size(1));
  Matrix<float> matrix(static_cast<std::size_t>(values.size(0)), cols);
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    std::memcpy(matrix.row(i), values.data_ptr<float>() + i * cols, cols * sizeof(float));
  }
  return matrix;
}

at::Tensor read_tensor(const encode::TensorStore& store, const std::string& name,
                       at::IntArrayRef shape) {
  const auto cols = static_cast<std::size_t>(shape.back());
  const auto rows = shape.size() == 1 ? 1 : static_cast<std::size_t>(shape[0]);
  return tensor_of(store.read(name, rows, cols)).view(shape);
}

void write_parameters(const std::string& path, const Parameters& parameters) {
  std::vector<encode::NamedTensor> tensors;
  std::vector<at::Tensor> kept;
  for (const Parameter& each : parameters) {
    const at::Tensor& values =
        kept.emplace_back(each.value.detach().to(torch::kCPU, torch::kFloat32).contiguous());
    std::vector<std::uint64_t> shape(values.sizes().begin(), values.sizes().end());
    tensors.push_back(
        {each.name, shape, {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())}});
  }
  encode::write_tensors(path, tensors);
}

}  // namespace kith::learn
