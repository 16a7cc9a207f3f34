// Reading little-endian numbers out of untrusted bytes, and saying where they are wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "formats/format.h"
#include "kith/error.h"

namespace kith::formats {

// "words.fvecs: byte 1204: what is wrong there".
[[noreturn]] inline void corrupt_at(const Input& in, std::size_t byte, const std::string& reason) {
  throw Error(ErrorCode::corrupt, in.name + ": byte " + std::to_string(byte) + ": " + reason);
}

// "words.txt: line 17: what is wrong there"; lines count from 1.
[[noreturn]] inline void corrupt_line(const Input& in, std::size_t line,
                                      const std::string& reason) {
  throw Error(ErrorCode::corrupt, in.name + ": line " + std::to_string(line) + ": " + reason);
}

// The number at `byte`; the caller has checked that it lies inside. (Every target of kith is
// little-endian.)
template <class T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// The number at `byte`, or an error saying that the file ends before it.
template <class T>
T read_at(const Input& in, std::size_t byte, const char* what) {
  if (in.bytes.size() < sizeof(T) || byte > in.bytes.size() - sizeof(T)) {
    corrupt_at(in, in.bytes.size(),
               std::string("the file ends inside ") + what + ", which takes bytes " +
                   std::to_string(byte) + " to " + std::to_string(byte + sizeof(T)));
  }
  return load<T>(in.bytes.data() + byte);
}

// Checks a shape read at `byte` against what kith can hold, so that rows * dim * 8 can't overflow.
void check_shape(const Input& in, std::size_t byte, std::uint64_t rows, std::uint64_t dim);

}  // namespace kith::formats
