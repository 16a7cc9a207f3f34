// HDF5 in the layout of ann-benchmarks: 2-D datasets train, test, neighbors and distances, and an
// attribute `distance` of the root. The HDF5 library lives in a module, libkith-hdf5.so, loaded
// when a file needs it; datasets stored in one piece are mapped like any other file.
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "formats/hdf5_module.h"
#include "formats/rows.h"

namespace kith::formats {
namespace {

constexpr const char* kModuleFile = "libkith-hdf5.so";
constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
// No filter of HDF5 packs this tightly; more is a lie about the shape.
constexpr std::uint64_t kMaxCompression = 2000;

// The folder of the library or program that this code is in.
std::filesystem::path own_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&all_formats), &info) == 0) return ".";
  return std::filesystem::absolute(info.dli_fname).parent_path();
}

const Hdf5Module& load_module(const std::string& file_name) {
  const std::filesystem::path folder = own_folder();
  std::string reason = "it is not in " + folder.string() + " or " + (folder / "kith").string();
  for (const std::filesystem::path& candidate :
       {folder / kModuleFile, folder / "kith" / kModuleFile}) {
    if (!std::filesystem::exists(candidate)) continue;
    // Never unloaded: the HDF5 library leaves exit handlers behind.
    void* library = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char* message = library == nullptr ? ::dlerror() : nullptr;
    if (message != nullptr) reason = message;
    if (library == nullptr) continue;
    void* entry = ::dlsym(library, kHdf5Entry);
    const Hdf5Module* module = entry == nullptr ? nullptr : reinterpret_cast<Hdf5Entry*>(entry)();
    if (module != nullptr && std::string_view(module->version) == KITH_VERSION) return *module;
    reason = candidate.string() + " belongs to another version of kith";
  }
  throw Error(ErrorCode::unsupported,
              file_name + ": HDF5 needs the module " + kModuleFile + ", but " + reason +
                  "; install HDF5 (Debian: libhdf5-dev) and build and install kith with it");
}

const Hdf5Dataset* find(const Hdf5File& file, const std::string& name) {
  const auto at = std::ranges::find(file.datasets, name, &Hdf5Dataset::name);
  return at == file.datasets.end() ? nullptr : &*at;
}

const Hdf5Dataset& choose(const Input& in, const Hdf5File& file, const std::string& usual) {
  const std::string wanted = in.dataset.empty() ? usual : in.dataset;
  if (const Hdf5Dataset* dataset = find(file, wanted)) return *dataset;
  if (in.dataset.empty() && file.datasets.size() == 1) return file.datasets.front();
  std::string names;
  for (const Hdf5Dataset& dataset : file.datasets) {
    names += (names.empty() ? "" : ", ") + dataset.name;
  }
  throw Error(ErrorCode::not_found, in.name + ": no dataset '" + wanted +
                                        "'; there are: " + (names.empty() ? "none" : names));
}

[[noreturn]] void refuse(const Input& in, const Hdf5Dataset& dataset, ErrorCode code,
                         const std::string& reason) {
  throw Error(code, in.name + ": dataset '" + dataset.name + "' " + reason);
}

// An element of every type has one byte at least.
void check_dataset(const Input& in, const Hdf5Dataset& dataset) {
  if (dataset.shape.size() != 2) {
    refuse(in, dataset, ErrorCode::unsupported,
           "has " + std::to_string(dataset.shape.size()) +
               " dimensions; expected 2 (rows, components)");
  }
  const std::uint64_t rows = dataset.shape[0], dim = dataset.shape[1];
  if (rows < 1 || rows > kMaxVectors || dim < 1 || dim > kMaxDim ||
      rows * dim / kMaxCompression > in.bytes.size()) {
    refuse(in, dataset, ErrorCode::corrupt,
           "claims " + std::to_string(rows) + " rows of " + std::to_string(dim) + " in " +
               std::to_string(in.bytes.size()) + " bytes; expected 1 to " +
               std::to_string(kMaxVectors) + " rows of 1 to " + std::to_string(kMaxDim));
  }
}

// HDF5 fills rows without gaps; a matrix pads them, so they move apart from the last one on.
template <class T>
Matrix<T> read_matrix(const Input& in, const Hdf5Module& module, const Hdf5Dataset& dataset,
                      Hdf5Type type) {
  Matrix<T> matrix(dataset.shape[0], dataset.shape[1]);
  module.read(in.name, dataset.name, type, matrix.data());
  const std::size_t row_bytes = matrix.cols() * sizeof(T);
  auto* bytes = reinterpret_cast<std::byte*>(matrix.data());
  for (std::size_t i = matrix.rows(); i-- > 0;) {
    std::byte* row = bytes + i * matrix.stride_bytes();
    std::memmove(row, bytes + i * row_bytes, row_bytes);
    std::memset(row + row_bytes, 0, matrix.stride_bytes() - row_bytes);
  }
  return matrix;
}

template <class T>
Vectors dataset_rows(const Input& in, const Hdf5Module& module, const Hdf5Dataset& dataset) {
  const std::size_t rows = dataset.shape[0], dim = dataset.shape[1];
  const std::size_t bytes = rows * dim * sizeof(T);
  if (dataset.offset && *dataset.offset <= in.bytes.size() &&
      bytes <= in.bytes.size() - *dataset.offset) {
    return rows_in_place<T>(in, "hdf5", *dataset.offset, rows, dim, dim * sizeof(T));
  }
  return owned_rows("hdf5", read_matrix<T>(in, module, dataset, dataset.type));
}

Matrix<float> read_floats(const Input& in, const Hdf5Module& module, const Hdf5Dataset& dataset) {
  const auto wide = read_matrix<double>(in, module, dataset, Hdf5Type::f8);
  Matrix<float> result(wide.rows(), wide.cols());
  for (std::size_t i = 0; i < wide.rows(); ++i) {
    for (std::size_t j = 0; j < wide.cols(); ++j) {
      result(i, j) = narrow_double(in, wide(i, j), i, j);
    }
  }
  return result;
}

Vectors read_hdf5(const Input& in) {
  const Hdf5Module& module = load_module(in.name);
  const Hdf5File file = module.describe(in.name);
  const Hdf5Dataset& dataset = choose(in, file, "train");
  check_dataset(in, dataset);
  switch (dataset.type) {
    case Hdf5Type::f4:
      return dataset_rows<float>(in, module, dataset);
    case Hdf5Type::f2:
      return dataset_rows<Half>(in, module, dataset);
    case Hdf5Type::f8:
      return owned_rows("hdf5", read_floats(in, module, dataset));
    case Hdf5Type::i1:
      return dataset_rows<std::int8_t>(in, module, dataset);
    case Hdf5Type::u1:
      return dataset_rows<std::uint8_t>(in, module, dataset);
    default:
      refuse(in, dataset, ErrorCode::unsupported,
             "holds no floats of 2, 4 or 8 bytes and no integers of 1 byte");
  }
}

// ann-benchmarks states Euclidean distances with the root and cosine as 1 - cosine.
void to_customary(const std::string& metric, Matrix<float>& distances) {
  for (std::size_t i = 0; i < distances.rows(); ++i) {
    for (std::size_t j = 0; j < distances.cols(); ++j) {
      float& value = distances(i, j);
      if (metric == "euclidean") value *= value;
      if (metric == "angular") value = 1 - value;
    }
  }
}

Neighbours read_hdf5_neighbours(const Input& in) {
  const Hdf5Module& module = load_module(in.name);
  const Hdf5File file = module.describe(in.name);
  const Hdf5Dataset& dataset = choose(in, file, "neighbors");
  check_dataset(in, dataset);
  if (dataset.type == Hdf5Type::other || dataset.type == Hdf5Type::f2 ||
      dataset.type == Hdf5Type::f4 || dataset.type == Hdf5Type::f8) {
    refuse(in, dataset, ErrorCode::unsupported, "holds no whole numbers");
  }
  const auto raw = read_matrix<std::int64_t>(in, module, dataset, Hdf5Type::i8);
  Input ids = in;
  ids.bytes = {reinterpret_cast<const std::byte*>(raw.data()), raw.rows() * raw.stride_bytes()};
  Neighbours result;
  result.ids = read_ids<std::int64_t>(ids, 0, raw.rows(), raw.cols(), raw.stride_bytes());
  const Hdf5Dataset* distances = find(file, "distances");
  if (dataset.name != "neighbors" || distances == nullptr) return result;
  if (distances->shape != dataset.shape) {
    refuse(in, *distances, ErrorCode::corrupt, "has another shape than 'neighbors'");
  }
  result.distances = read_floats(in, module, *distances);
  to_customary(file.distance, result.distances);
  return result;
}

Hdf5Type stored_type(ElementType type) {
  switch (type) {
    case ElementType::f16:
      return Hdf5Type::f2;
    case ElementType::i8:
      return Hdf5Type::i1;
    case ElementType::u8:
      return Hdf5Type::u1;
    default:
      return Hdf5Type::f4;
  }
}

void write_arrays(AtomicFile& file, const std::vector<Hdf5Array>& arrays) {
  load_module("hdf5").write(arrays,
                            [&](const void* bytes, std::size_t size) { file.write(bytes, size); });
}

void write_hdf5(AtomicFile& file, const VectorsOutput& out) {
  write_arrays(file, {{out.dataset.empty() ? "train" : out.dataset, stored_type(out.rows.type()),
                       out.rows.rows(), out.rows.dim(), [&](std::size_t i) {
                         throw_if_cancelled(out.control);
                         return out.rows.row(i);
                       }}});
}

void write_hdf5_neighbours(AtomicFile& file, const Neighbours& found) {
  std::vector<Hdf5Array> arrays;
  arrays.push_back({"neighbors", Hdf5Type::i4, found.queries(), found.k(),
                    [&](std::size_t i) -> const void* { return found.ids.row(i); }});
  if (found.distances.rows() != 0) {
    arrays.push_back({"distances", Hdf5Type::f4, found.queries(), found.k(),
                      [&](std::size_t i) -> const void* { return found.distances.row(i); }});
  }
  write_arrays(file, arrays);
}

// The signature is at 0, or behind a user block of 512 bytes doubled any number of times.
Evidence inspect_hdf5(const Input& in) {
  constexpr std::size_t kFirstBlock = 512, kLastBlock = 1 << 16;
  for (std::size_t at = 0; at <= kLastBlock; at = at == 0 ? kFirstBlock : 2 * at) {
    if (at > in.bytes.size()) break;
    if (in.text().substr(at, kSignature.size()) == kSignature) return Evidence::certain;
  }
  return Evidence::none;
}

}  // namespace

constexpr Format kHdf5{.name = "hdf5",
                       .extensions = {".hdf5", ".h5"},
                       .inspect = inspect_hdf5,
                       .read_vectors = read_hdf5,
                       .write_vectors = write_hdf5,
                       .read_neighbours = read_hdf5_neighbours,
                       .write_neighbours = write_hdf5_neighbours,
                       .elements = bit(ElementType::f32) | bit(ElementType::f16) |
                                   bit(ElementType::i8) | bit(ElementType::u8)};

}  // namespace kith::formats
