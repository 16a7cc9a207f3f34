// What stands behind the C face: the handles, and how C++ calls become status codes.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include "kith/control.h"
#include "kith/error.h"
#include "kith/kith.h"
#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/vectors.h"

struct kith_labels {
  kith::Labels labels;
};

struct kith_vectors {
  kith::Vectors vectors;
};

namespace kith::face {

// Notes the exception being handled as this thread's last error and returns its status. Call it in
// a catch block only.
kith_status note_current_exception() noexcept;

// Runs `body`; nothing it throws gets out.
template <class Body>
kith_status guarded(Body&& body) noexcept {
  try {
    body();
    return KITH_OK;
  } catch (...) {
    return note_current_exception();
  }
}

// `pointer`, or an error naming the parameter.
template <class T>
T* required(T* pointer, const char* parameter) {
  if (pointer == nullptr) {
    throw Error(ErrorCode::invalid_argument, std::string(parameter) + ": NULL, expected a pointer");
  }
  return pointer;
}

template <class Struct>
void check_struct_size(std::size_t size, const char* type) {
  if (size < sizeof(std::size_t)) {
    throw Error(ErrorCode::invalid_argument, std::string(type) + ": struct_size is " +
                                                 std::to_string(size) + ", expected sizeof(" +
                                                 type + ") = " + std::to_string(sizeof(Struct)));
  }
}

// The caller's options as this version of the struct: fields that an older header lacks are zero;
// fields that only a newer one has must be zero.
template <class Options>
Options sized_copy(const Options* given, const char* type) {
  Options options{};
  if (given == nullptr) return options;
  const std::size_t size = given->struct_size;
  check_struct_size<Options>(size, type);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(Options); i < size; ++i) {
    if (bytes[i] != 0) {
      throw Error(ErrorCode::unsupported,
                  std::string(type) + ": an option of a newer version is set (byte " +
                      std::to_string(i) + "); this is kith " KITH_VERSION_STRING);
    }
  }
  std::memcpy(&options, given, size < sizeof(Options) ? size : sizeof(Options));
  return options;
}

Control control_of(const kith_control* control);
AnyMatrixView view_of(const kith_matrix* matrix, const char* parameter);
Metric metric_of(kith_metric metric);
Labels labels_of(const kith_labels* labels);

// Row by row into the caller's arrays, distances as customary values; `values` may be NULL.
void copy_neighbours(const Neighbours& found, Metric metric, std::uint32_t* ids, float* values);

}  // namespace kith::face
