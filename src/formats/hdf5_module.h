// What libkith asks of libkith-hdf5.so, a module that it loads when a file is HDF5, so that libkith
// itself needs no HDF5. Both are built together; the version is compared all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kith::formats {

enum class Hdf5Type : std::uint8_t { f2, f4, f8, i1, u1, i4, u4, i8, u8, other };

struct Hdf5Dataset {
  std::string name;
  std::vector<std::uint64_t> shape;
  Hdf5Type type = Hdf5Type::other;
  // Where the elements lie in the file, when they lie there in one piece as little-endian values.
  std::optional<std::uint64_t> offset;
};

struct Hdf5File {
  std::vector<Hdf5Dataset> datasets;  // those of the root group
  std::string distance;               // the root's attribute of that name, or empty
};

// A matrix to be written: row i's elements are at row(i).
struct Hdf5Array {
  std::string name;
  Hdf5Type type;
  std::size_t rows, dim;
  std::function<const void*(std::size_t)> row;
};

// Every function throws kith::Error and may be called from any thread.
struct Hdf5Module {
  const char* version;
  Hdf5File (*describe)(const std::string& path);
  // All elements as `type` into `out`, row after row.
  void (*read)(const std::string& path, const std::string& dataset, Hdf5Type type, void* out);
  // Builds a file in memory and hands its bytes to `sink`.
  void (*write)(const std::vector<Hdf5Array>& arrays,
                const std::function<void(const void*, std::size_t)>& sink);
};

// The one symbol of the module.
inline constexpr const char* kHdf5Entry = "kith_hdf5_module";
using Hdf5Entry = const Hdf5Module*();

}  // namespace kith::formats
