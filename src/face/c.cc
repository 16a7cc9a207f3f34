// The C face but for the index: errors, labels, vectors in files, exact search.
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include "face/handles.h"
#include "kith/exact.h"
#include "kith/kith.h"

namespace kith::face {
namespace {

// A plain array, so that noting "out of memory" needs no memory.
thread_local std::array<char, 1024> last_error{};

void note(const char* message) noexcept {
  std::strncpy(last_error.data(), message, last_error.size() - 1);
}

kith_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return KITH_INVALID_ARGUMENT;
    case ErrorCode::not_found:
      return KITH_NOT_FOUND;
    case ErrorCode::io:
      return KITH_IO;
    case ErrorCode::corrupt:
      return KITH_CORRUPT;
    case ErrorCode::unsupported:
      return KITH_UNSUPPORTED;
    case ErrorCode::cancelled:
      return KITH_CANCELLED;
  }
  return KITH_INTERNAL;
}

template <class T>
AnyMatrixView typed_view(const kith_matrix& matrix, const char* parameter) {
  const std::size_t row_bytes = matrix.dim * sizeof(T);
  if (matrix.stride_bytes != 0 &&
      (matrix.stride_bytes < row_bytes || matrix.stride_bytes % alignof(T) != 0)) {
    throw Error(ErrorCode::invalid_argument,
                std::string(parameter) + ": stride_bytes is " +
                    std::to_string(matrix.stride_bytes) + ", expected a multiple of " +
                    std::to_string(alignof(T)) + " that is at least " + std::to_string(row_bytes));
  }
  if (reinterpret_cast<std::uintptr_t>(matrix.data) % alignof(T) != 0) {
    throw Error(ErrorCode::invalid_argument, std::string(parameter) +
                                                 ": data isn't aligned to its elements of " +
                                                 std::to_string(alignof(T)) + " bytes");
  }
  return MatrixView<const T>(static_cast<const T*>(matrix.data), matrix.rows, matrix.dim,
                             matrix.stride_bytes);
}

template <class T>
kith_matrix described(const MatrixView<const T>& view) {
  return {view.data(), view.rows(), view.cols(), view.stride_bytes(),
          static_cast<kith_element>(kElementType<T>)};
}

}  // namespace

kith_status note_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    note(error.what());
    return status_of(error.code());
  } catch (const std::bad_alloc&) {
    note("out of memory");
    return KITH_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    note(error.what());
    return KITH_INTERNAL;
  } catch (...) {
    note("an exception of unknown type");
    return KITH_INTERNAL;
  }
}

Control control_of(const kith_control* given) {
  const kith_control options = sized_copy(given, "kith_control");
  Control control;
  control.threads = options.threads;
  // C has no std::atomic<bool>, but its bytes are the same wherever kith builds.
  static_assert(sizeof(std::atomic<bool>) == 1 && std::atomic<bool>::is_always_lock_free);
  control.cancel = reinterpret_cast<const std::atomic<bool>*>(options.cancel);
  if (options.progress != nullptr) {
    control.progress = [call = options.progress, context = options.context](
                           std::string_view stage, std::size_t done, std::size_t total) {
      call(context, std::string(stage).c_str(), done, total);
    };
  }
  return control;
}

AnyMatrixView view_of(const kith_matrix* matrix, const char* parameter) {
  const kith_matrix& m = *required(matrix, parameter);
  if (m.data == nullptr && m.rows > 0 && m.dim > 0) {
    throw Error(ErrorCode::invalid_argument, std::string(parameter) + ": data is NULL, expected " +
                                                 std::to_string(m.rows) + " rows");
  }
  if (m.rows > kMaxVectors || m.dim > kMaxDim) {
    throw Error(ErrorCode::invalid_argument,
                std::string(parameter) + ": " + std::to_string(m.rows) + " x " +
                    std::to_string(m.dim) + ", expected at most " + std::to_string(kMaxVectors) +
                    " x " + std::to_string(kMaxDim));
  }
  switch (m.element) {
    case KITH_F32:
      return typed_view<float>(m, parameter);
    case KITH_F16:
      return typed_view<Half>(m, parameter);
    case KITH_BF16:
      return typed_view<BFloat16>(m, parameter);
    case KITH_I8:
      return typed_view<std::int8_t>(m, parameter);
    case KITH_U8:
      return typed_view<std::uint8_t>(m, parameter);
    default:
      throw Error(ErrorCode::invalid_argument, std::string(parameter) + ": element is " +
                                                   std::to_string(m.element) +
                                                   ", expected a kith_element (0 to 4)");
  }
}

Metric metric_of(kith_metric metric) {
  if (metric < KITH_L2 || metric > KITH_COSINE) {
    throw Error(ErrorCode::invalid_argument,
                "metric: " + std::to_string(metric) + ", expected a kith_metric (0 to 2)");
  }
  return static_cast<Metric>(metric);
}

Labels labels_of(const kith_labels* labels) {
  return labels == nullptr ? Labels() : labels->labels;
}

void copy_neighbours(const Neighbours& found, Metric metric, std::uint32_t* ids, float* values) {
  const std::size_t k = found.k();
  for (std::size_t query = 0; query < found.queries(); ++query) {
    std::memcpy(ids + query * k, found.ids.row(query), k * sizeof(Id));
    if (values == nullptr) continue;
    const float* distances = found.distances.row(query);
    for (std::size_t i = 0; i < k; ++i) values[query * k + i] = customary(metric, distances[i]);
  }
}

}  // namespace kith::face

using kith::face::guarded;
using kith::face::required;

extern "C" {

const char* kith_version(void) { return KITH_VERSION_STRING; }

const char* kith_last_error(void) { return kith::face::last_error.data(); }

kith_status kith_labels_from_numbers(const uint64_t* numbers, size_t count, kith_labels** labels) {
  return guarded([&] {
    required(labels, "labels");
    if (count > 0) required(numbers, "numbers");
    *labels = new kith_labels{kith::Labels(std::vector<std::uint64_t>(numbers, numbers + count))};
  });
}

kith_status kith_labels_from_strings(const char* const* strings, size_t count,
                                     kith_labels** labels) {
  return guarded([&] {
    required(labels, "labels");
    if (count > 0) required(strings, "strings");
    std::vector<std::string> copies;
    copies.reserve(count);
    for (std::size_t i = 0; i < count; ++i) copies.emplace_back(required(strings[i], "strings"));
    *labels = new kith_labels{kith::Labels(copies)};
  });
}

void kith_labels_free(kith_labels* labels) { delete labels; }

kith_label_kind kith_labels_kind(const kith_labels* labels) {
  return static_cast<kith_label_kind>(kith::face::labels_of(labels).kind());
}

size_t kith_labels_size(const kith_labels* labels) { return kith::face::labels_of(labels).size(); }

kith_status kith_labels_number(const kith_labels* labels, size_t i, uint64_t* number) {
  return guarded([&] {
    const kith::Labels& own = required(labels, "labels")->labels;
    required(number, "number");
    if (own.kind() != kith::Labels::Kind::numbers || i >= own.size()) {
      throw kith::Error(kith::ErrorCode::invalid_argument,
                        "label " + std::to_string(i) + ": not one of " +
                            std::to_string(own.size()) + " labels that are numbers");
    }
    *number = own.number(i);
  });
}

kith_status kith_labels_string(const kith_labels* labels, size_t i, const char** text,
                               size_t* length) {
  return guarded([&] {
    const kith::Labels& own = required(labels, "labels")->labels;
    required(text, "text");
    required(length, "length");
    if (own.kind() != kith::Labels::Kind::strings || i >= own.size()) {
      throw kith::Error(kith::ErrorCode::invalid_argument,
                        "label " + std::to_string(i) + ": not one of " +
                            std::to_string(own.size()) + " labels that are strings");
    }
    const std::string_view label = own.string(i);
    *text = label.data();
    *length = label.size();
  });
}

kith_status kith_labels_find(const kith_labels* labels, const char* label, size_t rows,
                             uint32_t* row) {
  return guarded([&] {
    required(row, "row");
    const auto found = kith::face::labels_of(labels).find(required(label, "label"), rows);
    if (!found) {
      throw kith::Error(kith::ErrorCode::not_found, "label \"" + std::string(label) +
                                                        "\": none of " + std::to_string(rows) +
                                                        " vectors has it");
    }
    *row = static_cast<std::uint32_t>(*found);
  });
}

kith_status kith_read_vectors(const char* path, const kith_read_options* options,
                              kith_vectors** vectors) {
  return guarded([&] {
    required(vectors, "vectors");
    const kith_read_options given = kith::face::sized_copy(options, "kith_read_options");
    kith::ReadOptions read;
    if (given.format != nullptr) read.format = given.format;
    if (given.dataset != nullptr) read.dataset = given.dataset;
    read.control = kith::face::control_of(given.control);
    *vectors = new kith_vectors{kith::read_vectors(required(path, "path"), read)};
  });
}

void kith_vectors_free(kith_vectors* vectors) { delete vectors; }

kith_matrix kith_vectors_rows(const kith_vectors* vectors) {
  if (vectors == nullptr) return {};
  return std::visit([](const auto& view) { return kith::face::described(view); },
                    vectors->vectors.rows.variant());
}

kith_status kith_vectors_labels(const kith_vectors* vectors, kith_labels** labels) {
  return guarded([&] {
    required(labels, "labels");
    *labels = new kith_labels{required(vectors, "vectors")->vectors.labels};
  });
}

const char* kith_vectors_format(const kith_vectors* vectors) {
  return vectors == nullptr ? "" : vectors->vectors.format.c_str();
}

kith_status kith_write_vectors(const char* path, const kith_matrix* rows, const kith_labels* labels,
                               const kith_control* control) {
  return guarded([&] {
    kith::WriteOptions write;
    write.control = kith::face::control_of(control);
    kith::write_vectors(required(path, "path"), kith::face::view_of(rows, "rows"),
                        kith::face::labels_of(labels), write);
  });
}

kith_status kith_exact_search(const kith_matrix* base, const kith_matrix* queries, size_t k,
                              kith_metric metric, const kith_control* control, uint32_t* ids,
                              float* values) {
  return guarded([&] {
    required(ids, "ids");
    kith::ExactOptions options;
    options.k = k;
    options.metric = kith::face::metric_of(metric);
    options.control = kith::face::control_of(control);
    const kith::Neighbours found = kith::exact_search(
        kith::face::view_of(base, "base"), kith::face::view_of(queries, "queries"), options);
    kith::face::copy_neighbours(found, options.metric, ids, values);
  });
}

}  // extern "C"
