// Where collections of texts lie.
#pragma once

#include <string>

namespace kith::cli {

// A name with a slash is a path; a bare one is a folder of $XDG_DATA_HOME/kith, or else of
// ~/.local/share/kith. Throws invalid_argument for what can't be a folder's name.
std::string collection_path(const std::string& name);

}  // namespace kith::cli
