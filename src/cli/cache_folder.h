// Where fetched packages and what is made of them lie, unless a person says otherwise.
#pragma once

#include <cstdlib>
#include <string>

namespace kith::cli {

inline std::string default_cache() {
  const char* home = std::getenv("XDG_CACHE_HOME");
  return home == nullptr || *home == '\0' ? ".cache" : std::string(home) + "/kith";
}

}  // namespace kith::cli
