#include "bench/peers/peer.h"

namespace kith::bench {

std::vector<Setting> breadth_settings(const std::string& word,
                                      const std::vector<std::size_t>& breadths) {
  std::vector<Setting> settings;
  for (const std::size_t breadth : breadths) {
    settings.push_back(breadth_setting(word, breadth));
  }
  return settings;
}

}  // namespace kith::bench
