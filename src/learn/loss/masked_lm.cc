#include "learn/loss/masked_lm.h"

#include <algorithm>

#include "learn/loss/token_loss.h"
#include "learn/torch.h"

namespace kith::learn {

Tensor masked_lm(const Tensor& hidden, const Tensor& table, const Tensor& bias,
                 const Tensor& targets) {
  const Tensor losses = token_losses("masked_lm", hidden, table, bias, targets);
  return losses.sum() / std::max<std::int64_t>(losses.size(0), 1);
}

}  // namespace kith::learn
