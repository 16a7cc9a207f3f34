#include "encode/model_files.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/checksum.h"
#include "base/mapped_file.h"

namespace kith::encode {

namespace fs = std::filesystem;

std::vector<std::string> model_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder).string());
  }
  std::ranges::sort(files);
  return files;
}

std::uint64_t model_checksum(const std::string& folder) {
  std::vector<std::uint64_t> sums;
  for (const std::string& file : model_files(folder)) {
    sums.push_back(checksum(std::as_bytes(std::span(file))));
    sums.push_back(checksum(MappedFile::open((fs::path(folder) / file).string())->bytes()));
  }
  return checksum(std::as_bytes(std::span(sums)));
}

std::string checksum_text(std::uint64_t sum) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(2 * sizeof sum, '0');
  for (std::size_t i = text.size(); i-- > 0; sum /= kDigits.size()) {
    text[i] = kDigits[sum % kDigits.size()];
  }
  return text;
}

}  // namespace kith::encode
