// What the tests of the formats share: a folder that goes away, small random vectors, and a
// format's bytes without a file of its own.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "formats/format.h"
#include "kith/error.h"
#include "kith/vectors.h"

namespace kith::formats {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // In memory where possible: whole files are synced, and on a disk that takes milliseconds.
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    const auto parent = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "kith-formats-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string file_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The caller keeps `bytes`.
inline Input input_of(std::string_view bytes, std::string name = "test") {
  Input in;
  in.name = std::move(name);
  in.bytes = {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  in.control.threads = 1;
  return in;
}

template <class T>
Matrix<T> random_matrix(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Matrix<T> matrix(rows, dim);
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      if constexpr (sizeof(T) == 1) {
        matrix(i, j) = static_cast<T>(random.below(256));
      } else {
        matrix(i, j) = static_cast<T>(static_cast<float>(random.normal()));
      }
    }
  }
  return matrix;
}

inline bool same_rows(const AnyMatrixView& a, const AnyMatrixView& b) {
  if (a.type() != b.type() || a.rows() != b.rows() || a.dim() != b.dim()) return false;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    if (std::memcmp(a.row(i), b.row(i), a.dim() * size_of(a.type())) != 0) return false;
  }
  return true;
}

inline bool same_labels(const Labels& a, const Labels& b) {
  if (a.kind() != b.kind() || a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a.text(i) != b.text(i)) return false;
  }
  return true;
}

}  // namespace kith::formats
