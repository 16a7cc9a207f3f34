// libkith-hdf5.so: the part of the HDF5 format that needs the HDF5 library.
#include "formats/hdf5_module.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "kith/error.h"

namespace kith::formats {
namespace {

// An HDF5 identifier and the function that closes it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  bool valid() const { return id_ >= 0; }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

// HDF5 keeps global state and, built without threads, needs its callers one at a time. While this
// object lives they are, and HDF5 prints no error stack.
class Session {
 public:
  Session() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Session() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* print_data_ = nullptr;
};

// HDF5's own words for what went wrong deepest.
std::string last_reason() {
  std::string reason;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t* entry, void* out) -> herr_t {
        auto& text = *static_cast<std::string*>(out);
        if (text.empty() && entry->desc != nullptr) text = entry->desc;
        return 0;
      },
      &reason);
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

Handle checked(hid_t id, Handle::Close close, const std::string& what) {
  if (id < 0) throw Error(ErrorCode::corrupt, what + ": " + last_reason());
  return Handle(id, close);
}

void check(herr_t status, const std::string& what) {
  if (status < 0) throw Error(ErrorCode::corrupt, what + ": " + last_reason());
}

Handle open_file(const std::string& path) {
  return checked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose,
                 path + ": no readable HDF5 file");
}

// IEEE binary16, for which HDF5 1.10 has no name.
Handle half_type() {
  Handle type = checked(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "HDF5 type");
  check(H5Tset_fields(type, 15, 10, 5, 0, 10), "HDF5 half type");
  check(H5Tset_size(type, 2), "HDF5 half type");
  check(H5Tset_ebias(type, 15), "HDF5 half type");
  return type;
}

Handle memory_type(Hdf5Type type) {
  const auto copy = [](hid_t id) { return checked(H5Tcopy(id), H5Tclose, "HDF5 type"); };
  switch (type) {
    case Hdf5Type::f2:
      return half_type();
    case Hdf5Type::f4:
      return copy(H5T_IEEE_F32LE);
    case Hdf5Type::f8:
      return copy(H5T_IEEE_F64LE);
    case Hdf5Type::i1:
      return copy(H5T_STD_I8LE);
    case Hdf5Type::u1:
      return copy(H5T_STD_U8LE);
    case Hdf5Type::i4:
      return copy(H5T_STD_I32LE);
    case Hdf5Type::u4:
      return copy(H5T_STD_U32LE);
    case Hdf5Type::i8:
      return copy(H5T_STD_I64LE);
    case Hdf5Type::u8:
      return copy(H5T_STD_U64LE);
    case Hdf5Type::other:
      break;
  }
  throw Error(ErrorCode::unsupported, "HDF5: an element type that kith doesn't read");
}

// The type whose values the stored type holds, and whether it is stored the way memory has it.
Hdf5Type type_of(hid_t stored, bool& native) {
  const H5T_class_t kind = H5Tget_class(stored);
  const std::size_t size = H5Tget_size(stored);
  const bool is_signed = kind == H5T_INTEGER && H5Tget_sign(stored) == H5T_SGN_2;
  Hdf5Type type = Hdf5Type::other;
  if (kind == H5T_FLOAT && size == 2) type = Hdf5Type::f2;
  if (kind == H5T_FLOAT && size == 4) type = Hdf5Type::f4;
  if (kind == H5T_FLOAT && size == 8) type = Hdf5Type::f8;
  if (kind == H5T_INTEGER && size == 1) type = is_signed ? Hdf5Type::i1 : Hdf5Type::u1;
  if (kind == H5T_INTEGER && size == 4) type = is_signed ? Hdf5Type::i4 : Hdf5Type::u4;
  if (kind == H5T_INTEGER && size == 8) type = is_signed ? Hdf5Type::i8 : Hdf5Type::u8;
  native = false;
  if (type == Hdf5Type::other) return type;
  native = H5Tequal(stored, memory_type(type)) > 0;
  // Two-byte floats that aren't IEEE's (bfloat16, say) would lose digits or range.
  return type == Hdf5Type::f2 && !native ? Hdf5Type::other : type;
}

std::optional<std::uint64_t> offset_of(hid_t file, hid_t dataset) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  const Handle file_creation(H5Fget_create_plist(file), H5Pclose);
  hsize_t user_block = 1;
  const bool plain = creation.valid() && H5Pget_layout(creation) == H5D_CONTIGUOUS &&
                     H5Pget_external_count(creation) == 0 && file_creation.valid() &&
                     H5Pget_userblock(file_creation, &user_block) >= 0 && user_block == 0;
  if (!plain) return std::nullopt;
  const haddr_t offset = H5Dget_offset(dataset);
  if (offset == HADDR_UNDEF) return std::nullopt;
  return offset;
}

Hdf5Dataset describe_dataset(const std::string& path, hid_t file, const std::string& name) {
  const std::string what = path + ": dataset '" + name + "'";
  const Handle dataset = checked(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, what);
  const Handle space = checked(H5Dget_space(dataset), H5Sclose, what);
  const Handle type = checked(H5Dget_type(dataset), H5Tclose, what);
  Hdf5Dataset result;
  result.name = name;
  const int dimensions = std::max(0, H5Sget_simple_extent_ndims(space));
  std::vector<hsize_t> extents(static_cast<std::size_t>(dimensions));
  if (dimensions > 0) check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), what);
  result.shape.assign(extents.begin(), extents.end());
  bool native = false;
  result.type = type_of(type, native);
  if (native) result.offset = offset_of(file, dataset);
  return result;
}

// Variable or fixed length; anything odd reads as absent.
std::string text_attribute(hid_t file, const char* name) {
  if (H5Aexists(file, name) <= 0) return "";
  const Handle attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) return "";
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  const bool one = type.valid() && space.valid() && H5Tget_class(type) == H5T_STRING &&
                   H5Sget_simple_extent_npoints(space) == 1;
  if (!one) return "";
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute, type, &text) < 0 || text == nullptr) return "";
    std::string result(text);
    H5free_memory(text);
    return result;
  }
  std::string text(H5Tget_size(type), '\0');
  if (H5Aread(attribute, type, text.data()) < 0) return "";
  return text.substr(0, text.find('\0'));
}

std::vector<std::string> dataset_names(const std::string& path, hid_t file) {
  std::vector<std::string> names;
  check(H5Literate(
            file, H5_INDEX_NAME, H5_ITER_INC, nullptr,
            [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
              static_cast<std::vector<std::string>*>(out)->emplace_back(name);
              return 0;
            },
            &names),
        path + ": the root group");
  std::erase_if(names, [&](const std::string& name) {
    const Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose);
    return !object.valid() || H5Iget_type(object) != H5I_DATASET;
  });
  return names;
}

Hdf5File describe(const std::string& path) {
  const Session session;
  const Handle file = open_file(path);
  Hdf5File result;
  for (const std::string& name : dataset_names(path, file)) {
    result.datasets.push_back(describe_dataset(path, file, name));
  }
  result.distance = text_attribute(file, "distance");
  return result;
}

void read(const std::string& path, const std::string& name, Hdf5Type type, void* out) {
  const Session session;
  const std::string what = path + ": dataset '" + name + "'";
  const Handle file = open_file(path);
  const Handle dataset = checked(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, what);
  check(H5Dread(dataset, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, out), what);
}

std::size_t item_bytes(Hdf5Type type) { return H5Tget_size(memory_type(type)); }

// Rows are gathered into a buffer, since they may lie apart.
void write_array(hid_t file, const Hdf5Array& array) {
  constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
  const std::string what = "HDF5 dataset '" + array.name + "'";
  const hsize_t extents[2] = {array.rows, array.dim};
  const Handle space = checked(H5Screate_simple(2, extents, nullptr), H5Sclose, what);
  const Handle type = memory_type(array.type);
  const Handle dataset = checked(
      H5Dcreate2(file, array.name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose, what);
  const std::size_t row_bytes = array.dim * item_bytes(array.type);
  const std::size_t block = std::max<std::size_t>(1, kBlockBytes / row_bytes);
  std::vector<char> buffer(std::min(block, array.rows) * row_bytes);
  for (std::size_t first = 0; first < array.rows; first += block) {
    const std::size_t count = std::min(block, array.rows - first);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(buffer.data() + i * row_bytes, array.row(first + i), row_bytes);
    }
    const hsize_t start[2] = {first, 0}, piece[2] = {count, array.dim};
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, piece, nullptr), what);
    const Handle memory = checked(H5Screate_simple(2, piece, nullptr), H5Sclose, what);
    check(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, buffer.data()), what);
  }
}

void write(const std::vector<Hdf5Array>& arrays,
           const std::function<void(const void*, std::size_t)>& sink) {
  constexpr std::size_t kLeast = std::size_t{1} << 16, kMost = std::size_t{64} << 20;
  const Session session;
  const std::string what = "HDF5 file in memory";
  const Handle access = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
  std::size_t bytes = 0;
  for (const Hdf5Array& array : arrays) bytes += array.rows * array.dim * item_bytes(array.type);
  check(H5Pset_fapl_core(access, std::clamp(bytes / 8, kLeast, kMost), false), what);
  const Handle file =
      checked(H5Fcreate("kith-in-memory.hdf5", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose, what);
  for (const Hdf5Array& array : arrays) write_array(file, array);
  check(H5Fflush(file, H5F_SCOPE_GLOBAL), what);
  // Asked for no bytes, this tells the file's size without the room for growth.
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(size < 0 ? -1 : 0, what);
  void* memory = nullptr;  // the core driver's handle points to its pointer to the bytes
  check(H5Fget_vfd_handle(file, access, &memory), what);
  sink(*static_cast<void**>(memory), static_cast<std::size_t>(size));
}

}  // namespace
}  // namespace kith::formats

extern "C" const kith::formats::Hdf5Module* kith_hdf5_module() {
  static constexpr kith::formats::Hdf5Module kModule{KITH_VERSION, kith::formats::describe,
                                                     kith::formats::read, kith::formats::write};
  return &kModule;
}
