#include "learn/loss/causal_lm.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "learn/loss/check.h"
#include "learn/loss/token_loss.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// All tokens but the first of each sequence.
std::vector<std::int64_t> followers(std::span<const std::size_t> begin) {
  std::vector<std::int64_t> found;
  for (std::size_t s = 1; s < begin.size(); ++s) {
    for (std::size_t t = begin[s - 1] + 1; t < begin[s]; ++t) {
      found.push_back(static_cast<std::int64_t>(t));
    }
  }
  return found;
}

}  // namespace

Tensor causal_lm(const Tensor& hidden, const Tensor& table, const Tensor& bias,
                 const Tensor& tokens, std::span<const std::size_t> begin, const Tensor& counted) {
  expect_shape("causal_lm: hidden", hidden, {kAnySize, kAnySize});
  expect_shape("causal_lm: tokens", tokens, {hidden.size(0)});
  expect_begin("causal_lm", begin, hidden.size(0));

  Tensor chosen = index_tensor(followers(begin), hidden);
  if (counted.defined()) {
    expect_shape("causal_lm: counted", counted, {hidden.size(0)});
    if (counted.scalar_type() != torch::kBool) refuse("causal_lm: counted is not of type bool");
    chosen = chosen.masked_select(counted.index_select(0, chosen));
  }
  const Tensor losses = token_losses("causal_lm", hidden.index_select(0, chosen - 1), table, bias,
                                     tokens.index_select(0, chosen));
  return losses.sum() / std::max<std::int64_t>(losses.size(0), 1);
}

}  // namespace kith::learn
