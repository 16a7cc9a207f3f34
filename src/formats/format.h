// What a file format is to kith: how its content is recognised, and functions from bytes to vectors
// or neighbour lists and back. One source file a format; format.cc lists them. Readers work on
// bytes in memory and never trust them, so tests and fuzzers need no files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "kith/control.h"
#include "kith/vectors.h"

namespace kith::formats {

// A file's bytes, and the name by which errors call it.
struct Input {
  std::string name;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive; results share it
  std::string dataset;                // which array, in formats that hold several
  Control control;

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

struct VectorsOutput {
  AnyMatrixView rows;
  Labels labels;
  std::string dataset;
  Control control;
};

// What a glance at the content says.
enum class Evidence : std::uint8_t {
  none,     // it can't be this format
  fits,     // sizes and counts agree, but other formats may fit as well
  certain,  // it bears the format's mark
};

// A set of element types.
constexpr unsigned bit(ElementType type) { return 1u << static_cast<unsigned>(type); }

struct Format {
  std::string_view name;
  std::array<std::string_view, 3> extensions;  // with the dot; unused ones are empty
  Evidence (*inspect)(const Input&);
  // Null where the format can't.
  Vectors (*read_vectors)(const Input&) = nullptr;
  void (*write_vectors)(AtomicFile&, const VectorsOutput&) = nullptr;
  Neighbours (*read_neighbours)(const Input&) = nullptr;
  void (*write_neighbours)(AtomicFile&, const Neighbours&) = nullptr;
  unsigned elements = 0;      // element types that write_vectors takes
  bool holds_labels = false;  // else labels go to a companion file, see labels_file.h
  bool needs_labels = false;  // every row has a word; without labels, row numbers are written
};

extern const Format kFvecs, kBvecs, kIvecs;               // vecs.cc
extern const Format kFbin, kU8bin, kI8bin, kIbin;         // bin.cc
extern const Format kNpy;                                 // npy.cc
extern const Format kHdf5;                                // hdf5.cc
extern const Format kSafetensors;                         // safetensors.cc
extern const Format kFasttextVec, kWord2vecText, kGlove;  // text_vectors.cc
extern const Format kWord2vecBinary;                      // word2vec_binary.cc
extern const Format kWinkJson;                            // wink_json.cc

// Every format, in the order of help texts.
std::span<const Format* const> all_formats();

// The format that `wanted` names, or that the content shows, or else the extension; of the formats
// that can read `what`. Throws unsupported when none or several fit, invalid_argument for an
// unknown name.
enum class Content : std::uint8_t { vectors, neighbours, any };
const Format& format_to_read(const Input& input, const std::string& wanted, Content what);

// The format that `wanted` names, or else the extension.
const Format& format_to_write(const std::string& path, const std::string& wanted, Content what);

}  // namespace kith::formats
