#include "bench/peers/peer.h"

namespace kith::bench {

std::vector<Setting> breadth_settings(const std::string& word,
                                      const std::vector<std::size_t>& breadths) {
  std::vector<Setting> settings;
  for (const std::size_t breadth : breadths) {
    settings.push_back({word + "=" + std::to_string(breadth), breadth, 0});
  }
  return settings;
}

}  // namespace kith::bench
