#include "learn/nn/attention.h"

#include <cmath>

#include "learn/torch.h"

namespace kith::learn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

at::Tensor places(const Tokens& tokens) {
  return tokens.sequence * tokens.longest + tokens.position;
}

at::Tensor scatter(const at::Tensor& rows, const at::Tensor& places, std::int64_t count) {
  return torch::zeros({count, rows.size(1)}, rows.options()).index_copy(0, places, rows);
}

// Rows to `count` places of which the others are zeros. Autograd's own gradient of a gather would
// add up rows one by one, though no two meet.
struct Scatter : torch::autograd::Function<Scatter> {
  static Variable forward(AutogradContext* context, const Variable& rows, const Variable& places,
                          std::int64_t count) {
    context->save_for_backward({places});
    return scatter(rows, places, count);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {gradients[0].index_select(0, context->get_saved_variables()[0]), {}, {}};
  }
};

struct Gather : torch::autograd::Function<Gather> {
  static Variable forward(AutogradContext* context, const Variable& rows, const Variable& places) {
    context->save_for_backward({places});
    context->saved_data["count"] = rows.size(0);
    return rows.index_select(0, places);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const std::int64_t count = context->saved_data["count"].toInt();
    return {scatter(gradients[0], context->get_saved_variables()[0], count), {}};
  }
};

std::int64_t bounded(std::size_t reach, std::int64_t longest) {
  return reach == encode::kUnlimited ? longest : static_cast<std::int64_t>(reach);
}

// -inf where a token doesn't see a key, 0 elsewhere: [S, 1, T, T], [1, 1, T, T], or undefined where
// all see all.
at::Tensor hidden_keys(const Tokens& tokens, const encode::LayerPlan& plan,
                       const at::TensorOptions& options) {
  at::Tensor hidden;
  const std::int64_t longest = tokens.longest;
  if (tokens.count() != tokens.sequences() * longest) {
    hidden = token_mask(tokens).logical_not().view({tokens.sequences(), 1, 1, longest});
  }
  const std::int64_t back = bounded(plan.back, longest), forward = bounded(plan.forward, longest);
  if (back < longest || forward < longest) {
    const at::Tensor at = torch::arange(longest, tokens.ids.options());
    const at::Tensor ahead = at.unsqueeze(0) - at.unsqueeze(1);  // key - token
    const at::Tensor outside =
        (ahead > forward).logical_or(ahead < -back).view({1, 1, longest, longest});
    hidden = hidden.defined() ? hidden.logical_or(outside) : outside;
  }
  if (!hidden.defined()) return hidden;
  // Finite, so that rows of padding, which see nothing under a causal plan's far end, stay numbers.
  constexpr double kHidden = -1e30;
  return torch::zeros(hidden.sizes(), options).masked_fill(hidden, kHidden);
}

// [S, T, heads * dim] to [S, heads, T, dim], key-value heads repeated for the queries they serve.
at::Tensor by_head(const at::Tensor& padded, std::int64_t heads, std::int64_t dim,
                   std::int64_t repeat) {
  at::Tensor split = padded.view({padded.size(0), padded.size(1), heads, dim}).transpose(1, 2);
  if (repeat > 1) split = split.repeat_interleave(repeat, 1);
  return split;
}

}  // namespace

at::Tensor token_mask(const Tokens& tokens) {
  const at::Tensor at = torch::arange(tokens.longest, tokens.ids.options());
  return at.unsqueeze(0) < tokens.lengths.to(torch::kInt64).unsqueeze(1);
}

at::Tensor pad(const at::Tensor& rows, const Tokens& tokens) {
  return Scatter::apply(rows, places(tokens), tokens.sequences() * tokens.longest)
      .view({tokens.sequences(), tokens.longest, rows.size(1)});
}

at::Tensor unpad(const at::Tensor& padded, const Tokens& tokens) {
  return Gather::apply(padded.reshape({-1, padded.size(-1)}), places(tokens));
}

at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const Tokens& tokens, const AttentionShape& shape, const encode::LayerPlan& plan,
                  const at::Tensor& bias, double rate, Dropout& dropout) {
  const std::int64_t repeat = shape.heads / shape.kv_heads;
  const double scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  const at::Tensor q = by_head(pad(queries * scale, tokens), shape.heads, shape.head_dim, 1);
  const at::Tensor k = by_head(pad(keys, tokens), shape.kv_heads, shape.head_dim, repeat);
  const at::Tensor v = by_head(pad(values, tokens), shape.kv_heads, shape.head_dim, repeat);
  at::Tensor scores = q.matmul(k.transpose(2, 3));
  const at::Tensor hidden = hidden_keys(tokens, plan, scores.options());
  if (bias.defined()) scores = scores + bias;
  if (hidden.defined()) scores = scores + hidden;
  const at::Tensor weights = dropout(scores.softmax(-1), rate);
  const at::Tensor mixed = weights.matmul(v).transpose(1, 2);
  return unpad(mixed.reshape({tokens.sequences(), tokens.longest, shape.heads * shape.head_dim}),
               tokens);
}

}  // namespace kith::learn
