// Files compressed by gzip (and dictzip, which is gzip with an index that readers may pass over).
#pragma once

#include <string>

namespace kith::datasets {

// The whole content. Throws not_found, or corrupt naming the file.
std::string read_gzip(const std::string& path);

}  // namespace kith::datasets
