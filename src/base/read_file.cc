#include "base/read_file.h"

#include <fstream>
#include <iterator>

#include "kith/error.h"

namespace kith {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::not_found, path + ": cannot be opened");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace kith
