#include "learn/nn/product_code.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "learn/torch.h"

namespace kith::learn {

ProductCode::ProductCode(const Codebooks& codebooks)
    : shape_(codebooks.dim(), codebooks.parts(), codebooks.bits()) {
  const std::size_t dim = shape_.dim(), parts = shape_.parts(), count = shape_.words();
  const std::size_t width = (dim + parts - 1) / parts;
  words_ = torch::zeros({static_cast<std::int64_t>(parts), static_cast<std::int64_t>(count),
                         static_cast<std::int64_t>(width)});
  std::vector<std::int64_t> places(parts * width, static_cast<std::int64_t>(dim)), back;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t from = shape_.begin(part), own = shape_.begin(part + 1) - from;
    float* const to = words_.data_ptr<float>() + part * count * width;
    for (std::size_t j = 0; j < own; ++j) {
      places[part * width + j] = static_cast<std::int64_t>(from + j);
      back.push_back(static_cast<std::int64_t>(part * width + j));
      for (std::size_t w = 0; w < count; ++w) {
        to[w * width + j] = codebooks.values()[(from + j) * count + w];
      }
    }
  }
  if (dim != parts * width) {
    places_ = torch::tensor(places);
    back_ = torch::tensor(back);
  }
  words_.set_requires_grad(true);
}

at::Tensor ProductCode::split(const at::Tensor& x) const {
  const std::int64_t rows = x.size(0);
  at::Tensor whole = x;
  if (places_.defined()) {
    whole = torch::cat({x, torch::zeros({rows, 1}, x.options())}, 1).index_select(1, places_);
  }
  return whole.view({rows, words_.size(0), words_.size(2)}).transpose(0, 1);
}

at::Tensor ProductCode::join(const at::Tensor& parts) const {
  const at::Tensor whole = parts.transpose(0, 1).flatten(1);
  return back_.defined() ? whole.index_select(1, back_) : whole;
}

at::Tensor ProductCode::quantise(const at::Tensor& x, double temperature) const {
  const at::Tensor parts = split(x);
  // -|x - w|^2 but for |x|^2, which all codewords of a part have in common.
  const at::Tensor nearness =
      2 * torch::bmm(parts, words_.transpose(1, 2)) - words_.square().sum(2).unsqueeze(1);
  const at::Tensor chosen =
      nearness.detach().argmax(2).unsqueeze(2).expand({-1, -1, words_.size(2)});
  const at::Tensor hard = words_.gather(1, chosen);
  if (!torch::GradMode::is_enabled()) return join(hard);
  const at::Tensor p = (nearness / temperature).softmax(2);
  // Zero, with the gradient of p; that of the codewords is `hard`'s.
  return join(hard + torch::bmm(p - p.detach(), words_.detach()));
}

Parameters ProductCode::parameters() const {
  Parameters all;
  all.add("words", words_);
  return all;
}

ProductCode ProductCode::constant() const {
  ProductCode same = *this;
  same.words_ = words_.detach();
  return same;
}

Codebooks ProductCode::codebooks() const {
  const at::Tensor now = words_.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const std::size_t count = shape_.words(), width = static_cast<std::size_t>(now.size(2));
  std::vector<float> values(shape_.dim() * count);
  for (std::size_t part = 0; part < shape_.parts(); ++part) {
    const float* const from = now.data_ptr<float>() + part * count * width;
    const std::size_t begin = shape_.begin(part);
    for (std::size_t j = begin; j < shape_.begin(part + 1); ++j) {
      for (std::size_t w = 0; w < count; ++w) {
        values[j * count + w] = from[w * width + (j - begin)];
      }
    }
  }
  Codebooks codebooks = shape_;
  codebooks.set(std::move(values));
  return codebooks;
}

void ProductCode::to(const at::Device& device) {
  words_.set_data(words_.to(device));
  if (!places_.defined()) return;
  places_ = places_.to(device);
  back_ = back_.to(device);
}

}  // namespace kith::learn
