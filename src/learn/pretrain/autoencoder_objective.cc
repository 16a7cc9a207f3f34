// SMAE, the pretraining of Starbucks (Zhuang et al., "Starbucks: improved training for 2D
// Matryoshka embeddings", 2024): at each of several sizes, a layer with a width, masked tokens are
// told from the state's leading components, and a decoder of one layer tells those of a text that
// is masked more heavily, with the first token's leading components in place of its first.
#include "encode/tensor_list.h"
#include "learn/loss/masked_lm.h"
#include "learn/pretrain/language_head.h"
#include "learn/pretrain/language_objective.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// One layer of its own behind the encoder's embeddings; it starts as the encoder's first.
Transformer decoder_of(const Transformer& encoder) {
  encode::Config config = encoder.config();
  config.layers.resize(1);
  Parameters parameters;
  for (const encode::TensorPlace& place : list_tensors(encoder.names(), config)) {
    const at::Tensor& own = encoder.parameters()[place.name];
    const bool of_layer = place.name.find(".0.") != std::string::npos;
    parameters.add(place.name, of_layer ? own.detach().clone() : own);
  }
  return {config, encoder.names(), std::move(parameters)};
}

class AutoencoderObjective : public LanguageObjective {
 public:
  AutoencoderObjective(const TextModel& model, std::span<const std::uint32_t> special,
                       const LanguageOptions& options, std::uint64_t seed)
      : model_(model),
        head_(LanguageHead::masked(model, seed)),
        masking_(model.tokenizer(), special, options.masking),
        rates_{options.encoder_rate, options.decoder_rate},
        sizes_(options.sizes),
        decoder_(decoder_of(model.transformer())) {
    const encode::Config& config = model.transformer().config();
    expect_sizes(sizes_, static_cast<std::int64_t>(config.layers.size()),
                 static_cast<std::int64_t>(config.width));
    if (!(rates_[0] <= rates_[1])) {
      refuse("smae: encoder_rate " + std::to_string(rates_[0]) + ", expected decoder_rate " +
             std::to_string(rates_[1]) + " or less");
    }
    for (const Parameter& each : decoder_.parameters()) {
      if (each.name.find(".0.") != std::string::npos) own_.add("decoder." + each.name, each.value);
    }
  }

  LanguageLoss loss(const Tokens& tokens, const ForwardOptions& forward,
                    std::int64_t first) const override {
    const std::vector<Corruption> corruptions =
        masking_.corrupt(tokens, rates_, forward.seed, first);
    const Corruption& light = corruptions[0];
    const Corruption& heavy = corruptions[1];
    Tokens read = tokens, decoded = tokens;
    read.ids = light.ids;
    decoded.ids = heavy.ids;
    const Transformer& encoder = model_.transformer();
    const std::vector<at::Tensor> states = encoder.states(read, encoder.layers(), forward);
    const at::Tensor embedded = decoder_.embed(decoded);
    const at::Tensor starts =
        torch::tensor(std::vector<std::int64_t>(tokens.begin.begin(), tokens.begin.end() - 1),
                      torch::kInt64)
            .to(tokens.ids.device());
    at::Tensor by_encoder, by_decoder;
    const auto add = [](at::Tensor& sum, const at::Tensor& value) {
      sum = sum.defined() ? sum + value : value;
    };
    for (const StarbucksSize& size : sizes_) {
      const at::Tensor state =
          states.at(static_cast<std::size_t>(size.layer)).narrow(1, 0, size.width);
      add(by_encoder, surprise(state.index_select(0, light.places), light));
      const at::Tensor summary = head_.transform(state.index_select(0, starts));
      const at::Tensor last =
          decoder_.states_of(embedded.index_copy(0, starts, summary), decoded, forward).back();
      add(by_decoder, surprise(last.index_select(0, heavy.places), heavy));
    }
    const double surprises = 2.0 * static_cast<double>(sizes_.size());
    return {.terms = {{.mean = by_encoder / surprises,
                       .weight = static_cast<double>(light.targets.size(0))},
                      {.mean = by_decoder / surprises,
                       .weight = static_cast<double>(heavy.targets.size(0))}}};
  }
  std::size_t terms() const override { return 2; }
  Parameters parameters() const override {
    Parameters all = head_.parameters();
    all.add("", own_);
    return all;
  }
  // The decoder has served its purpose.
  void add_to(TextModel::Extras& extras) const override { head_.add_to(extras); }

 private:
  at::Tensor surprise(const at::Tensor& states, const Corruption& corruption) const {
    return masked_lm(head_.transform(states), head_.table(), head_.bias(), corruption.targets);
  }

  const TextModel& model_;
  LanguageHead head_;
  Masking masking_;
  std::vector<double> rates_;
  std::vector<StarbucksSize> sizes_;
  Transformer decoder_;
  Parameters own_;
};

}  // namespace

std::unique_ptr<LanguageObjective> autoencoder_objective(const TextModel& model,
                                                         std::span<const std::uint32_t> special,
                                                         const LanguageOptions& options,
                                                         std::uint64_t seed) {
  return std::make_unique<AutoencoderObjective>(model, special, options, seed);
}

}  // namespace kith::learn
