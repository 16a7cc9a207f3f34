#include "learn/loss/masked_lm.h"
#include "learn/pretrain/language_head.h"
#include "learn/pretrain/language_objective.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

class MaskedObjective : public LanguageObjective {
 public:
  MaskedObjective(const TextModel& model, std::span<const std::uint32_t> special,
                  const LanguageOptions& options, std::uint64_t seed)
      : model_(model),
        head_(LanguageHead::masked(model, seed)),
        masking_(model.tokenizer(), special, options.masking),
        rate_(options.mask_rate) {}

  LanguageLoss loss(const Tokens& tokens, const ForwardOptions& forward,
                    std::int64_t first) const override {
    const Corruption hidden = masking_.corrupt(tokens, {rate_}, forward.seed, first).front();
    Tokens corrupted = tokens;
    corrupted.ids = hidden.ids;
    const Transformer& transformer = model_.transformer();
    const at::Tensor last = transformer.states(corrupted, transformer.layers(), forward).back();
    const at::Tensor states = head_.transform(last.index_select(0, hidden.places));
    return {.terms = {{.mean = masked_lm(states, head_.table(), head_.bias(), hidden.targets),
                       .weight = static_cast<double>(hidden.targets.size(0))}}};
  }
  Parameters parameters() const override { return head_.parameters(); }
  void add_to(TextModel::Extras& extras) const override { head_.add_to(extras); }

 private:
  const TextModel& model_;
  LanguageHead head_;
  Masking masking_;
  double rate_;
};

}  // namespace

std::unique_ptr<LanguageObjective> masked_objective(const TextModel& model,
                                                    std::span<const std::uint32_t> special,
                                                    const LanguageOptions& options,
                                                    std::uint64_t seed) {
  return std::make_unique<MaskedObjective>(model, special, options, seed);
}

}  // namespace kith::learn
