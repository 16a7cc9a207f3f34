#include "datasets/gzip.h"

#include <zlib.h>

#include <memory>

#include "kith/error.h"

namespace kith::datasets {

std::string read_gzip(const std::string& path) {
  const auto close = [](gzFile file) { gzclose(file); };
  const std::unique_ptr<gzFile_s, decltype(close)> file(gzopen(path.c_str(), "rb"), close);
  if (!file) throw Error(ErrorCode::not_found, path + ": cannot be opened");
  std::string all;
  char buffer[1 << 16];
  for (;;) {
    const int bytes = gzread(file.get(), buffer, sizeof buffer);
    if (bytes < 0) throw Error(ErrorCode::corrupt, path + ": not a whole gzip file");
    if (bytes == 0) break;
    all.append(buffer, static_cast<std::size_t>(bytes));
  }
  int error = Z_OK;
  gzerror(file.get(), &error);
  if (error != Z_OK) throw Error(ErrorCode::corrupt, path + ": not a whole gzip file");
  return all;
}

}  // namespace kith::datasets
