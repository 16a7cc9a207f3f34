#include "learn/loss/future_tokens.h"

#include <algorithm>
#include <vector>

#include "learn/loss/check.h"
#include "learn/loss/token_loss.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// decay^(k-1) over its sum where there is a target, else 0, [P, N]. In doubles: decay^N may be
// tiny.
Tensor weights(const Tensor& present, double decay) {
  const auto wide = present.options().dtype(torch::kDouble);
  const Tensor powers =
      torch::pow(torch::full({}, decay, wide), torch::arange(present.size(1), wide));
  const Tensor chosen = powers * present;
  const Tensor sums = chosen.sum(1, /*keepdim=*/true);
  return chosen / sums.masked_fill(sums == 0, 1);
}

}  // namespace

Tensor future_tokens(const Tensor& states, const Tensor& table, const Tensor& bias,
                     const Tensor& targets, const FutureTokensOptions& options) {
  expect_shape("future_tokens: states", states, {kAnySize, kAnySize, kAnySize});
  expect_shape("future_tokens: targets", targets, {states.size(0), states.size(1)});
  expect_ids("future_tokens: targets", targets);
  expect_not_negative("future_tokens: decay", options.decay);
  if (options.decay > 1) {
    refuse("future_tokens: decay " + std::to_string(options.decay) + ", expected 0 to 1");
  }
  const Tensor weight = weights(targets != kNoToken, options.decay);
  const Tensor places = weight.sum(1).sum().clamp_min(1);  // each adds 1 or 0
  const Tensor chosen = weight.flatten().nonzero().squeeze(1);
  const Tensor losses = token_losses("future_tokens", states.flatten(0, 1).index_select(0, chosen),
                                     table, bias, targets.flatten().index_select(0, chosen));
  const Tensor share = (weight.flatten().index_select(0, chosen) / places).to(losses.scalar_type());
  return (losses * share).sum();
}

Tensor future_targets(const Tensor& tokens, std::span<const std::size_t> begin,
                      std::span<const std::size_t> places, std::int64_t count) {
  expect_shape("future_targets: tokens", tokens, {kAnySize});
  expect_ids("future_targets: tokens", tokens);
  expect_begin("future_targets", begin, tokens.size(0));
  if (count < 1) refuse("future_targets: count " + std::to_string(count) + ", expected 1 or more");
  std::vector<std::int64_t> from;  // the token's place, or 0 beside a target beyond the end
  std::vector<std::int64_t> beyond;
  for (const std::size_t place : places) {
    if (place >= begin.back()) {
      refuse("future_targets: place " + std::to_string(place) + ", expected 0 to " +
             std::to_string(begin.back() - 1));
    }
    const std::size_t end = *std::upper_bound(begin.begin(), begin.end(), place);
    for (std::size_t k = 1; k <= static_cast<std::size_t>(count); ++k) {
      from.push_back(place + k < end ? static_cast<std::int64_t>(place + k) : 0);
      beyond.push_back(place + k < end ? 0 : 1);
    }
  }
  return tokens.index_select(0, index_tensor(from, tokens))
      .masked_fill(index_tensor(beyond, tokens) == 1, kNoToken)
      .view({static_cast<std::int64_t>(places.size()), count});
}

}  // namespace kith::learn
