#include "encode/key_value_cache.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "encode/rotary.h"
#include "kith/error.h"

namespace kith::encode {

KeyValueCache::KeyValueCache(const Config& config, std::size_t sequences, std::size_t most)
    : most_(most), head_dim_(config.head_dim), slots_(sequences), lengths_(sequences) {
  const bool causal =
      std::ranges::all_of(config.layers, [](const LayerPlan& plan) { return plan.forward == 0; });
  const bool by_length = std::ranges::any_of(
      config.rotary, [&](const Rotary& rotary) { return depends_on_length(rotary, most); });
  if (!causal || by_length || config.distance_bias != DistanceBias::none ||
      config.embedding_width != 0 || config.unpositioned ||
      config.context.extension != Extension::none) {
    throw Error(
        ErrorCode::unsupported,
        "a model of type " + config.architecture +
            " can't write texts: expected a causal one within the length it was trained on");
  }
  std::iota(slots_.begin(), slots_.end(), std::size_t{0});
  const std::size_t width = config.kv_heads * config.head_dim * most;
  for (std::size_t l = 0; l < config.layers.size(); ++l) {
    keys_.emplace_back(sequences, width);
    values_.emplace_back(sequences, width);
  }
}

void KeyValueCache::keep(const std::vector<bool>& kept) {
  std::vector<std::size_t> slots;
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    if (kept[s]) slots.push_back(slots_[s]);
  }
  slots_ = std::move(slots);
}

}  // namespace kith::encode
