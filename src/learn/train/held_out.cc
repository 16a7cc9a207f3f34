#include "learn/train/held_out.h"

#include <unordered_map>

#include "learn/torch.h"

namespace kith::learn {

HeldOut::HeldOut(const std::vector<Example>& examples) {
  std::unordered_map<std::string_view, std::int64_t> places;
  for (const Example& example : examples) {
    queries_.emplace_back(example.query);
    const auto next = static_cast<std::int64_t>(documents_.size());
    const auto [at, fresh] = places.emplace(example.positive, next);
    if (fresh) documents_.emplace_back(example.positive);
    answers_.push_back(at->second);
  }
}

double HeldOut::reciprocal_rank(const at::Tensor& scores) const {
  constexpr std::int64_t kDepth = 10;
  const at::Tensor wanted = scores.gather(1, torch::tensor(answers_).unsqueeze(1));
  const at::Tensor rank = (scores < wanted).logical_not().sum(1);
  const at::Tensor gain = rank.to(torch::kFloat64).reciprocal().masked_fill(rank > kDepth, 0);
  return gain.mean().item<double>();
}

}  // namespace kith::learn
