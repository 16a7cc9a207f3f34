#include "learn/loss/token_loss.h"

#include "learn/loss/check.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void expect_in_vocabulary(const std::string& loss, const Tensor& targets, std::int64_t size) {
  if (!targets.is_cpu() || targets.numel() == 0) return;
  const auto least = targets.min().item<std::int64_t>(), most = targets.max().item<std::int64_t>();
  if (least >= 0 && most < size) return;
  refuse(loss + ": target " + std::to_string(least < 0 ? least : most) + ", expected 0 to " +
         std::to_string(size - 1));
}

}  // namespace

void expect_ids(const std::string& what, const Tensor& x) {
  if (x.scalar_type() != torch::kLong) refuse(what + " are not of type int64");
}

Tensor token_losses(const std::string& loss, const Tensor& hidden, const Tensor& table,
                    const Tensor& bias, const Tensor& targets) {
  const bool listed = targets.defined() && targets.dim() == 1;
  const std::int64_t rows = listed ? targets.size(0) : kAnySize;  // 0 too, if it is a list
  expect_shape(loss + ": table", table, {kAnySize, kAnySize});
  expect_shape(loss + ": targets", targets, {rows});
  expect_ids(loss + ": targets", targets);
  expect_shape(loss + ": hidden", hidden, {rows, table.size(1)});
  if (bias.defined()) expect_shape(loss + ": bias", bias, {table.size(0)});
  expect_in_vocabulary(loss, targets, table.size(0));
  const Tensor scores = torch::linear(hidden, table, bias);
  return torch::cross_entropy_loss(scores, targets, {}, at::Reduction::None);
}

void expect_begin(const std::string& loss, std::span<const std::size_t> begin,
                  std::int64_t tokens) {
  bool fits =
      begin.size() >= 2 && begin.front() == 0 && begin.back() == static_cast<std::size_t>(tokens);
  for (std::size_t s = 1; s < begin.size(); ++s) fits &= begin[s - 1] <= begin[s];
  if (!fits) {
    refuse(loss + ": begin, expected ascending numbers from 0 to " + std::to_string(tokens) +
           ", the number of tokens");
  }
}

Tensor index_tensor(const std::vector<std::int64_t>& numbers, const Tensor& like) {
  return torch::tensor(numbers, torch::kLong).to(like.device());
}

}  // namespace kith::learn
