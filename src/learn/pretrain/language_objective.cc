#include "learn/pretrain/language_objective.h"

#include "learn/refuse.h"

namespace kith::learn {

std::unique_ptr<LanguageObjective> make_objective(const TextModel& model,
                                                  std::span<const std::uint32_t> special,
                                                  const LanguageOptions& options,
                                                  std::uint64_t seed) {
  if (options.kind == "mlm") return masked_objective(model, special, options, seed);
  if (options.kind == "clm") return causal_objective(model);
  if (options.kind == "smae") return autoencoder_objective(model, special, options, seed);
  if (options.kind == "ftp") return future_objective(model, options, seed);
  refuse("objective '" + options.kind + "', expected mlm, clm, smae or ftp");
}

}  // namespace kith::learn
