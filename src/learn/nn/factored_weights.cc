#include "learn/nn/factored_weights.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "encode/compress.h"
#include "encode/modules.h"
#include "encode/tensor_store.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using encode::PackedTensor;
using encode::Packing;

constexpr char kPrefix[] = "transformer.";

// The trained parameter that a folder's tensor is, and its name in a folder that kith saves.
std::optional<Parameter> find_parameter(const Parameters& trained, const PackedTensor& tensor,
                                        std::string& saved) {
  std::optional<Parameter> found;
  for (const Parameter& each : trained) {
    if (!each.name.starts_with(kPrefix)) continue;
    const std::string own = each.name.substr(std::size(kPrefix) - 1);
    const bool same = own == tensor.name || tensor.name.ends_with("." + own);
    if (!same || (found && saved.size() >= own.size())) continue;
    saved = own;
    found = each;
  }
  const at::IntArrayRef none;
  const at::IntArrayRef shape = found ? found->value.sizes() : none;
  if (shape.size() != 2 || shape[0] != static_cast<std::int64_t>(tensor.rows) ||
      shape[1] != static_cast<std::int64_t>(tensor.cols)) {
    refuse("tensor '" + tensor.name + "': no trained tensor of the model is it, " +
           std::to_string(tensor.rows) + " x " + std::to_string(tensor.cols));
  }
  return found;
}

at::Tensor codes_of(const PackedTensor& tensor) {
  const std::vector<std::int64_t> codes(tensor.codes.begin(), tensor.codes.end());
  return torch::tensor(codes, torch::kInt64);
}

}  // namespace

FactoredWeights::FactoredWeights(const Parameters& trained, std::vector<PackedTensor> tensors) {
  for (PackedTensor& tensor : tensors) {
    if (tensor.packing != Packing::codes) {
      refuse("tensor '" + tensor.name + "': of low rank or bytes, expected codes (lr2vq or vq)");
    }
    std::string saved;
    const Parameter parameter = *find_parameter(trained, tensor, saved);
    Factored own;
    const at::Device device = parameter.value.device();
    own.whole = parameter.value;
    own.codes = codes_of(tensor).to(device);
    own.centres = tensor_of(tensor.centres.view()).to(device).set_requires_grad(true);
    if (tensor.expansion.rows() != 0) {
      own.expansion = tensor_of(tensor.expansion.view()).to(device).set_requires_grad(true);
    }
    tensor.name = saved;
    own.tensor = std::move(tensor);
    own.tensor.centres = {};
    own.tensor.expansion = {};
    trained_.add(parameter.name + ".centres", own.centres);
    if (own.expansion.defined()) trained_.add(parameter.name + ".expansion", own.expansion);
    all_.push_back(std::move(own));
  }
  for (const Parameter& each : trained) {
    const bool factored = std::ranges::any_of(
        all_, [&](const Factored& own) { return own.whole.is_same(each.value); });
    if (!factored) trained_.add(each.name, each.value);
  }
  load();
}

std::int64_t FactoredWeights::whole_values() const {
  std::int64_t sum = 0;
  for (const Factored& own : all_) sum += own.whole.numel();
  return sum;
}

std::int64_t FactoredWeights::factor_values() const {
  std::int64_t sum = 0;
  for (const Factored& own : all_) {
    sum += own.centres.numel() + (own.expansion.defined() ? own.expansion.numel() : 0);
  }
  return sum;
}

void FactoredWeights::load() const {
  const torch::NoGradGuard constant;
  for (const Factored& own : all_) {
    const at::Tensor book =
        own.expansion.defined() ? own.centres.mm(own.expansion) : own.centres;  // K x m
    at::Tensor whole = own.whole;
    whole.copy_(book.index_select(0, own.codes).view(whole.sizes()));
  }
}

void FactoredWeights::collect() const {
  const torch::NoGradGuard constant;
  const auto add = [](const at::Tensor& factor, const at::Tensor& gradient) {
    at::Tensor own = factor;
    if (own.grad().defined()) {
      own.mutable_grad().add_(gradient);
    } else {
      own.mutable_grad() = gradient.clone();
    }
  };
  for (const Factored& own : all_) {
    at::Tensor whole = own.whole;
    if (!whole.grad().defined()) continue;
    const auto sub = static_cast<std::int64_t>(own.tensor.sub);
    const at::Tensor s = whole.grad().to_dense().view({-1, sub});  // G x m
    // Sums over equal codes commute with B.
    const at::Tensor sums =
        torch::zeros({own.centres.size(0), sub}, s.options()).index_add_(0, own.codes, s);
    if (own.expansion.defined()) {
      add(own.centres, sums.mm(own.expansion.t()));
      add(own.expansion, own.centres.t().mm(sums));
    } else {
      add(own.centres, sums);
    }
    whole.mutable_grad() = at::Tensor();
  }
}

std::vector<PackedTensor> FactoredWeights::packed() const {
  std::vector<PackedTensor> tensors;
  for (const Factored& own : all_) {
    PackedTensor tensor = own.tensor.clone();
    tensor.centres = matrix_of(own.centres);
    encode::round_to_half(tensor.centres, tensor.name);
    if (own.expansion.defined()) {
      tensor.expansion = matrix_of(own.expansion);
      encode::round_to_half(tensor.expansion, tensor.name);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::vector<PackedTensor> factored_tensors(const CompressPlan& plan, const std::string& base) {
  const auto store = encode::TensorStore::open_folder(encode::find_modules(base).transformer);
  std::vector<PackedTensor> tensors;
  if (plan.kind == "codes") {
    for (const std::string& name : store.names()) {
      const PackedTensor* const packed = store.packed(name);
      if (packed == nullptr) continue;
      tensors.push_back(packed->clone());
    }
    if (tensors.empty()) {
      refuse(base + ": no compressed model, which `kith model compress` makes");
    }
    return tensors;
  }
  encode::CompressOptions options;
  options.sub = plan.sub;
  options.words = plan.words;
  for (const std::string& name : encode::large_matrices(store, options)) {
    const auto& shape = store.shape(name);
    tensors.push_back(
        encode::representations_of(name, store.read(name, shape[0], shape[1]), plan.sub, plan.dim));
  }
  return tensors;
}

}  // namespace kith::learn
