// The files of a model folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kith::encode {

// Paths within the folder of all its files, in order.
std::vector<std::string> model_files(const std::string& folder);

// Of their names and bytes: differs for models that differ.
std::uint64_t model_checksum(const std::string& folder);
// As manifests hold it: 16 hexadecimal digits.
std::string checksum_text(std::uint64_t sum);

}  // namespace kith::encode
