// Sets of vectors into a safetensors file: `vectors`, `offsets`, and labels as tensors of `sets`.
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "formats/safetensors.h"
#include "kith/error.h"
#include "kith/vector_sets.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check(const std::string& path, const VectorSetsView& sets, const Labels& labels) {
  if (sets.size() == 0 || sets.dim() == 0) refuse(path + ": no sets, expected at least one");
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets.offsets[i] >= sets.offsets[i + 1]) {
      refuse(path + ": set " + std::to_string(i) + " is empty, expected a vector");
    }
  }
  if (sets.offsets.back() > sets.vectors.rows()) {
    refuse(path + ": the last set ends at vector " + std::to_string(sets.offsets.back()) +
           ", but there are " + std::to_string(sets.vectors.rows()));
  }
  if (labels.kind() != Labels::Kind::none && labels.size() != sets.size()) {
    refuse(path + ": " + std::to_string(labels.size()) + " labels for " +
           std::to_string(sets.size()) + " sets");
  }
}

}  // namespace

// 64-bit numbers first and bytes last, so that everything is aligned without gaps.
void write_vector_sets(const std::string& path, const VectorSetsView& sets, const Labels& labels,
                       const WriteOptions& options) {
  check(path, sets, labels);
  const std::string name = options.dataset.empty() ? "vectors" : options.dataset;
  const bool strings = labels.kind() == Labels::Kind::strings;
  const auto numbers = strings ? labels.offsets() : labels.numbers();
  const std::size_t row_bytes = sets.dim() * size_of(sets.vectors.type());
  const std::uint64_t first = sets.offsets.front();
  std::vector<std::uint64_t> offsets(sets.offsets.begin(), sets.offsets.end());
  for (std::uint64_t& offset : offsets) offset -= first;

  formats::TensorHeaderWriter header;
  if (!numbers.empty()) {
    header.add(strings ? "sets.label_offsets" : "sets.labels", "U64", {numbers.size()},
               numbers.size_bytes());
  }
  const std::size_t offset_bytes = offsets.size() * sizeof(std::uint64_t);
  header.add("offsets", "I64", {offsets.size()}, offset_bytes);
  header.add(name, formats::tensor_type(sets.vectors.type()), {sets.total(), sets.dim()},
             sets.total() * row_bytes);
  if (strings) {
    header.add("sets.labels", "U8", {labels.bytes().size()}, labels.bytes().size());
  }
  AtomicFile file(path);
  header.write(file);
  file.write(numbers.data(), numbers.size_bytes());
  file.write(offsets.data(), offset_bytes);
  for (std::size_t i = 0; i < sets.total(); ++i) {
    throw_if_cancelled(options.control);
    file.write(sets.vectors.row(first + i), row_bytes);
  }
  if (strings) file.write(labels.bytes());
  file.commit();
}

}  // namespace kith
