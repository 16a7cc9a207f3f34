// Values for a recipe's settings.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace kith::cli {

// As TOML writes a text, which JSON's fit.
inline std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

}  // namespace kith::cli
