// Sets of vectors into the files that vector_sets.cc reads.
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "formats/json_text.h"
#include "formats/labels_file.h"
#include "formats/npy.h"
#include "formats/numbers.h"
#include "formats/safetensors.h"
#include "formats/zip_writer.h"
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

// Counted from the first set.
std::vector<std::uint64_t> offsets_of(const VectorSetsView& sets) {
  std::vector<std::uint64_t> offsets(sets.offsets.begin(), sets.offsets.end());
  for (std::uint64_t& offset : offsets) offset -= sets.offsets.front();
  return offsets;
}

// `vectors`, `offsets`, and labels as tensors of `sets`: 64-bit numbers first and bytes last, so
// that everything is aligned without gaps.
void write_tensors(AtomicFile& file, const VectorSetsView& sets, const Labels& labels,
                   const std::string& name, const Control& control) {
  const bool strings = labels.kind() == Labels::Kind::strings;
  const auto numbers = strings ? labels.offsets() : labels.numbers();
  const std::size_t row_bytes = sets.dim() * size_of(sets.vectors.type());
  const std::vector<std::uint64_t> offsets = offsets_of(sets);

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
  header.write(file);
  file.write(numbers.data(), numbers.size_bytes());
  file.write(offsets.data(), offset_bytes);
  for (std::size_t i = 0; i < sets.total(); ++i) {
    throw_if_cancelled(control);
    file.write(sets.vectors.row(sets.offsets.front() + i), row_bytes);
  }
  if (strings) file.write(labels.bytes());
}

// As numpy.savez(path, vectors=..., offsets=...) does.
void write_npz(AtomicFile& file, const VectorSetsView& sets, const std::string& name,
               const Control& control) {
  formats::StoredZipWriter zip(file);
  const auto begin = [&](const std::string& array, const std::string& header) {
    zip.begin(array + ".npy");
    zip.write(header.data(), header.size());
  };
  begin(name,
        formats::npy_header(formats::npy_descr(sets.vectors.type()), {sets.total(), sets.dim()}));
  const std::size_t row_bytes = sets.dim() * size_of(sets.vectors.type());
  for (std::size_t i = 0; i < sets.total(); ++i) {
    throw_if_cancelled(control);
    zip.write(sets.vectors.row(sets.offsets.front() + i), row_bytes);
  }
  zip.end();
  const std::vector<std::uint64_t> offsets = offsets_of(sets);
  begin("offsets", formats::npy_header("<i8", {offsets.size()}));
  zip.write(offsets.data(), offsets.size() * sizeof(std::uint64_t));
  zip.end();
  zip.finish();
}

// {"_id": ..., "vectors": [[...], ...]}, a line a set.
void write_lines(AtomicFile& file, const VectorSetsView& sets, const Labels& labels,
                 const std::string& name, const Control& control) {
  std::vector<float> row(sets.dim());
  char number[formats::kFloatText];
  for (std::size_t i = 0; i < sets.size(); ++i) {
    throw_if_cancelled(control);
    std::string line = "{";
    if (labels.kind() != Labels::Kind::none) {
      const bool strings = labels.kind() == Labels::Kind::strings;
      line +=
          "\"_id\": " + (strings ? formats::json_string(labels.text(i)) : labels.text(i)) + ", ";
    }
    line += formats::json_string(name) + ": [";
    const AnyMatrixView set = sets.set(i);
    for (std::size_t v = 0; v < set.rows(); ++v) {
      set.copy_row(v, row.data());
      line += v == 0 ? "[" : ", [";
      for (std::size_t j = 0; j < row.size(); ++j) {
        if (j != 0) line += ", ";
        line.append(number, formats::print_float(row[j], number));
      }
      line += "]";
    }
    file.write(line + "]}\n");
  }
}

std::string format_to_write(const std::string& path, const WriteOptions& options) {
  const auto ends = [&](std::string_view end) { return path.ends_with(end); };
  if (options.format.empty())
    return ends(".npz") ? "npz" : ends(".jsonl") ? "jsonl" : "safetensors";
  for (const char* known : {"npz", "jsonl", "safetensors"}) {
    if (options.format == known) return known;
  }
  refuse("format '" + options.format + "', expected npz, safetensors or jsonl");
}

}  // namespace

// The labels' file of an .npz appears last and a stale one goes first, as with vectors.
void write_vector_sets(const std::string& path, const VectorSetsView& sets, const Labels& labels,
                       const WriteOptions& options) {
  check(path, sets, labels);
  const std::string format = format_to_write(path, options);
  const std::string name = options.dataset.empty() ? "vectors" : options.dataset;
  AtomicFile file(path);
  std::optional<AtomicFile> beside;
  if (format == "npz") {
    write_npz(file, sets, name, options.control);
    if (labels.kind() != Labels::Kind::none) {
      formats::write_labels(beside.emplace(formats::labels_path(path)), labels);
    }
    ::unlink(formats::labels_path(path).c_str());
  } else if (format == "jsonl") {
    write_lines(file, sets, labels, name, options.control);
  } else {
    write_tensors(file, sets, labels, name, options.control);
  }
  file.commit();
  if (beside) beside->commit();
}

}  // namespace kith
