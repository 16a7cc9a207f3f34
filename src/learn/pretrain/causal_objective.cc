#include "learn/loss/causal_lm.h"
#include "learn/pretrain/language_head.h"
#include "learn/pretrain/language_objective.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

class CausalObjective : public LanguageObjective {
 public:
  explicit CausalObjective(const TextModel& model)
      : model_(model), head_(LanguageHead::causal(model)) {}

  LanguageLoss loss(const Tokens& tokens, const ForwardOptions& forward,
                    std::int64_t) const override {
    const Transformer& transformer = model_.transformer();
    const at::Tensor last = transformer.states(tokens, transformer.layers(), forward).back();
    const std::vector<std::size_t> begin(tokens.begin.begin(), tokens.begin.end());
    return {.terms = {{.mean = causal_lm(last, head_.table(), {}, tokens.ids, begin, {}),
                       .weight = static_cast<double>(tokens.count() - tokens.sequences())}}};
  }
  Parameters parameters() const override { return head_.parameters(); }
  void add_to(TextModel::Extras& extras) const override { head_.add_to(extras); }

 private:
  const TextModel& model_;
  LanguageHead head_;
};

}  // namespace

std::unique_ptr<LanguageObjective> causal_objective(const TextModel& model) {
  return std::make_unique<CausalObjective>(model);
}

}  // namespace kith::learn
