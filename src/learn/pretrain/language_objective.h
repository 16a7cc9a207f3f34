// What a language model learns to predict. One file an objective.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "learn/loss/starbucks.h"
#include "learn/nn/future_decoder.h"
#include "learn/nn/text_model.h"
#include "learn/nn/tokens.h"
#include "learn/pretrain/masking.h"

namespace kith::learn {

inline constexpr const char* kObjectiveKinds[] = {"mlm", "clm", "smae", "ftp"};

struct LanguageOptions {
  // mlm: masked tokens (Devlin et al., 2019); clm: the next token; smae: masked tokens at several
  // sizes, and an autoencoder (Starbucks, Zhuang et al., 2024); ftp: the next tokens from one state
  // (Walker, 2024).
  std::string kind = "mlm";
  double mask_rate = 0.15;
  MaskOptions masking;
  // smae: rates of what the encoder and the decoder read, and sizes, the last one the full model's.
  double encoder_rate = 0.2, decoder_rate = 0.4;
  std::vector<StarbucksSize> sizes;
  // ftp: of a text's states, the share that predicts in a step; weights of tokens farther on.
  FutureDecoderOptions future;
  double places = 0.25, decay = 0.8;
};

struct LanguageLoss {
  struct Term {
    at::Tensor mean;    // over what is predicted
    double weight = 0;  // how many that is
  };
  std::vector<Term> terms;  // which add up
  // Of ftp: the surprise at the first, the second ... token ahead, and how many tokens that is.
  std::vector<std::pair<double, double>> ahead = {};
};

class LanguageObjective {
 public:
  virtual ~LanguageObjective() = default;

  // The loss of some texts of a batch, the first of which is its `first`: what is random of a text
  // follows from forward.seed and its number, whatever texts are beside it (dropout apart).
  virtual LanguageLoss loss(const Tokens& tokens, const ForwardOptions& forward,
                            std::int64_t first) const = 0;
  virtual std::size_t terms() const { return 1; }
  // What is trained besides the model, by the names under which add_to() saves it.
  virtual Parameters parameters() const = 0;
  virtual void add_to(TextModel::Extras& extras) const = 0;
};

// `special`: ids that nothing is learned of. Throws invalid_argument and unsupported for options
// that don't fit the model. The model must outlive it.
std::unique_ptr<LanguageObjective> make_objective(const TextModel& model,
                                                  std::span<const std::uint32_t> special,
                                                  const LanguageOptions& options,
                                                  std::uint64_t seed);

std::unique_ptr<LanguageObjective> masked_objective(const TextModel& model,
                                                    std::span<const std::uint32_t> special,
                                                    const LanguageOptions& options,
                                                    std::uint64_t seed);
std::unique_ptr<LanguageObjective> causal_objective(const TextModel& model);
std::unique_ptr<LanguageObjective> autoencoder_objective(const TextModel& model,
                                                         std::span<const std::uint32_t> special,
                                                         const LanguageOptions& options,
                                                         std::uint64_t seed);
std::unique_ptr<LanguageObjective> future_objective(const TextModel& model,
                                                    const LanguageOptions& options,
                                                    std::uint64_t seed);

}  // namespace kith::learn
