// The public face of the formats: finding the format, checking what readers return, writing whole
// files or nothing.
#include "kith/vectors.h"

#include <unistd.h>

#include <cstdio>
#include <numeric>
#include <optional>

#include "base/mapped_file.h"
#include "formats/finite.h"
#include "formats/format.h"
#include "formats/labels_file.h"
#include "formats/rows.h"
#include "kith/error.h"

namespace kith {
namespace {

using formats::Content;
using formats::Format;
using formats::Input;

Input open_input(const std::string& path, const ReadOptions& options) {
  const auto file = MappedFile::open(path);
  // Builds and searches pass over files from front to back: pages behind may go first where memory
  // is short.
  file->advise_sequential();
  return {path, file->bytes(), file, options.dataset, options.control};
}

void check_writable(const std::string& path, const Format& format, const AnyMatrixView& rows,
                    const Labels& labels) {
  if (rows.rows() == 0 || rows.dim() == 0 || rows.rows() > kMaxVectors || rows.dim() > kMaxDim) {
    throw Error(ErrorCode::invalid_argument,
                path + ": " + std::to_string(rows.rows()) + " rows of dimension " +
                    std::to_string(rows.dim()) + "; expected 1 to " + std::to_string(kMaxVectors) +
                    " rows of 1 to " + std::to_string(kMaxDim));
  }
  if (labels.kind() != Labels::Kind::none && labels.size() != rows.rows()) {
    throw Error(ErrorCode::invalid_argument, path + ": " + std::to_string(labels.size()) +
                                                 " labels for " + std::to_string(rows.rows()) +
                                                 " rows");
  }
  if ((format.elements & formats::bit(rows.type())) == 0) {
    throw Error(ErrorCode::unsupported, path + ": " + std::string(format.name) + " can't hold " +
                                            std::string(name(rows.type())));
  }
}

// Formats in which every row bears a word get row numbers where there are no labels.
Labels labels_to_write(const Format& format, const Labels& labels, std::size_t rows) {
  if (labels.kind() != Labels::Kind::none || !format.needs_labels) return labels;
  std::vector<std::uint64_t> numbers(rows);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
  return Labels(std::move(numbers));
}

std::vector<std::string> names(bool reading) {
  std::vector<std::string> result;
  for (const Format* format : formats::all_formats()) {
    const bool can = reading
                         ? format->read_vectors != nullptr || format->read_neighbours != nullptr
                         : format->write_vectors != nullptr || format->write_neighbours != nullptr;
    if (can) result.emplace_back(format->name);
  }
  return result;
}

}  // namespace

Vectors read_vectors(const std::string& path, const ReadOptions& options) {
  const Input input = open_input(path, options);
  const Format& format = formats::format_to_read(input, options.format, Content::vectors);
  Vectors vectors = format.read_vectors(input);
  if (options.check_finite) {
    formats::check_finite(path, vectors.rows, options.control);
  }
  if (!format.holds_labels) {
    vectors.labels = formats::read_labels_beside(path, vectors.rows.rows());
  }
  return vectors;
}

// The labels' file appears last and a stale one goes first, so that a kill between the two renames
// leaves rows without labels, never rows with another file's.
void write_vectors(const std::string& path, const AnyMatrixView& rows, const Labels& labels,
                   const WriteOptions& options) {
  const Format& format = formats::format_to_write(path, options.format, Content::vectors);
  check_writable(path, format, rows, labels);
  AtomicFile file(path);
  format.write_vectors(
      file, {rows, labels_to_write(format, labels, rows.rows()), options.dataset, options.control});
  const std::string beside = formats::labels_path(path);
  std::optional<AtomicFile> labels_file;
  if (!format.holds_labels && labels.kind() != Labels::Kind::none) {
    labels_file.emplace(beside);
    formats::write_labels(*labels_file, labels);
  }
  if (!format.holds_labels) ::unlink(beside.c_str());
  file.commit();
  if (labels_file) labels_file->commit();
}

Neighbours read_neighbours(const std::string& path, const ReadOptions& options) {
  const Input input = open_input(path, options);
  return formats::format_to_read(input, options.format, Content::neighbours).read_neighbours(input);
}

void write_neighbours(const std::string& path, const Neighbours& neighbours,
                      const WriteOptions& options) {
  const Format& format = formats::format_to_write(path, options.format, Content::neighbours);
  if (neighbours.queries() == 0 || neighbours.k() == 0 || neighbours.k() > kMaxDim) {
    throw Error(ErrorCode::invalid_argument, path + ": " + std::to_string(neighbours.queries()) +
                                                 " lists of " + std::to_string(neighbours.k()) +
                                                 " neighbours; expected at least 1 list of 1 to " +
                                                 std::to_string(kMaxDim));
  }
  AtomicFile file(path);
  format.write_neighbours(file, neighbours);
  file.commit();
}

std::vector<std::string> readable_formats() { return names(true); }
std::vector<std::string> writable_formats() { return names(false); }

}  // namespace kith
