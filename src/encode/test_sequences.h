// Random token ids for tests of encoders, as the engine and as the plain references take them.
#pragma once

#include <cstdint>
#include <vector>

#include "encode/test_models.h"
#include "kith/encoder.h"

namespace kith::encode {

// Ids above those that stand for padding.
inline std::vector<std::uint32_t> random_ids(std::size_t length, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint32_t> ids(length);
  for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(2 + random.below(kVocabulary - 2));
  return ids;
}

inline reference::Text text_of(const std::vector<std::uint32_t>& ids) {
  reference::Text text{.ids = ids, .types = {}, .mask = {}, .positions = {}};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    text.types.push_back(0);
    text.mask.push_back(1);
    text.positions.push_back(i);
  }
  return text;
}

}  // namespace kith::encode
