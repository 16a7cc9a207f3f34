#include "learn/nn/segments.h"

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

struct SumSequences : torch::autograd::Function<SumSequences> {
  static Variable forward(AutogradContext* context, const Variable& rows, const Tokens& tokens) {
    context->save_for_backward({tokens.sequence});
    std::vector<at::Tensor> sums;
    for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
      sums.push_back(rows.narrow(0, tokens.begin[s], tokens.begin[s + 1] - tokens.begin[s]).sum(0));
    }
    return torch::stack(sums);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {gradients[0].index_select(0, context->get_saved_variables()[0]), {}};
  }
};

at::Tensor places(const Tokens& tokens, std::int64_t shift, std::size_t from) {
  std::vector<std::int64_t> all;
  for (std::size_t s = from; s + 1 < tokens.begin.size() + from; ++s) {
    all.push_back(tokens.begin[s] + shift);
  }
  return torch::tensor(all, torch::kInt64).to(tokens.ids.device());
}

}  // namespace

at::Tensor sum_sequences(const at::Tensor& rows, const Tokens& tokens) {
  return SumSequences::apply(rows, tokens);
}

at::Tensor counted_tokens(const Tokens& tokens, bool include_prompt) {
  if (include_prompt) return torch::ones({tokens.count()}, tokens.lengths.options());
  const at::Tensor prompts = tokens.prompts.to(torch::kFloat32);
  const at::Tensor empty = prompts >= tokens.lengths;
  if (empty.any().item<bool>()) {
    const std::int64_t which = empty.to(torch::kInt64).argmax().item<std::int64_t>();
    throw Error(ErrorCode::invalid_argument,
                "sequence " + std::to_string(which) +
                    ": nothing but a prompt, which the pooling leaves out");
  }
  return (tokens.position >= tokens.prompts.index_select(0, tokens.sequence)).to(torch::kFloat32);
}

at::Tensor mean_sequences(const at::Tensor& rows, const Tokens& tokens, bool include_prompt) {
  if (include_prompt) return sum_sequences(rows, tokens) / tokens.lengths.unsqueeze(1);
  const at::Tensor counted = counted_tokens(tokens, include_prompt).unsqueeze(1);
  return sum_sequences(rows * counted, tokens) / sum_sequences(counted, tokens);
}

at::Tensor first_tokens(const Tokens& tokens) { return places(tokens, 0, 0); }
at::Tensor last_tokens(const Tokens& tokens) { return places(tokens, -1, 1); }

}  // namespace kith::learn
