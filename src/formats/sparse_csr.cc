#include "formats/sparse_csr.h"

#include <limits>
#include <utility>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "formats/bytes.h"

namespace kith {
namespace formats {
namespace {

constexpr std::size_t kHeader = 3 * sizeof(std::int64_t);

std::uint64_t read_count(const Input& in, std::size_t at, const char* what, std::uint64_t most) {
  const auto value = read_at<std::int64_t>(in, at, what);
  if (value < 0 || static_cast<std::uint64_t>(value) > most) {
    corrupt_at(in, at,
               "number of " + std::string(what) + " " + std::to_string(value) + ", expected 0 to " +
                   std::to_string(most));
  }
  return static_cast<std::uint64_t>(value);
}

void check_offsets(const Input& in, std::span<const std::uint64_t> offsets, std::uint64_t entries) {
  for (std::size_t row = 0; row < offsets.size(); ++row) {
    const std::uint64_t least = row == 0 ? 0 : offsets[row - 1];
    const bool last = row + 1 == offsets.size();
    if (offsets[row] < least || offsets[row] > entries || (row == 0 && offsets[row] != 0) ||
        (last && offsets[row] != entries)) {
      corrupt_at(in, kHeader + row * sizeof(std::uint64_t),
                 "row " + std::to_string(row) + " starts at entry " + std::to_string(offsets[row]) +
                     ", expected starts to ascend from 0 to " + std::to_string(entries));
    }
  }
}

}  // namespace

SparseVectors parse_csr(const Input& in) {
  constexpr std::uint64_t kMostEntries = std::uint64_t{1} << 40;
  const std::uint64_t rows = read_count(in, 0, "rows", kMaxVectors);
  const std::uint64_t columns =
      read_count(in, 8, "columns", std::numeric_limits<std::int32_t>::max());
  const std::uint64_t entries = read_count(in, 16, "entries", kMostEntries);
  const std::size_t terms_at = kHeader + (rows + 1) * sizeof(std::uint64_t);
  const std::size_t weights_at = terms_at + entries * sizeof(Term);
  const std::size_t expected = weights_at + entries * sizeof(float);
  if (in.bytes.size() != expected) {
    corrupt_at(in, 0,
               "the header says " + std::to_string(rows) + " rows with " + std::to_string(entries) +
                   " entries, which takes " + std::to_string(expected) +
                   " bytes, but the file has " + std::to_string(in.bytes.size()));
  }
  const auto at = [&](std::size_t byte) { return in.bytes.data() + byte; };
  SparseVectors result;
  result.rows = {{reinterpret_cast<const std::uint64_t*>(at(kHeader)), rows + 1},
                 {reinterpret_cast<const Term*>(at(terms_at)), entries},
                 {reinterpret_cast<const float*>(at(weights_at)), entries}};
  result.owner = in.owner;
  check_offsets(in, result.rows.offsets, entries);
  for (std::size_t i = 0; i < entries; ++i) {
    if (result.rows.terms[i] >= columns) {
      corrupt_at(in, terms_at + i * sizeof(Term),
                 "column " + std::to_string(static_cast<std::int32_t>(result.rows.terms[i])) +
                     ", expected 0 to " + std::to_string(columns - 1));
    }
  }
  return result;
}

}  // namespace formats

SparseVectors read_sparse(const std::string& path) {
  const auto file = MappedFile::open(path);
  formats::Input in;
  in.name = path;
  in.bytes = file->bytes();
  in.owner = file;
  return formats::parse_csr(in);
}

void write_sparse(const std::string& path, const SparseView& rows) {
  std::int64_t columns = 0;
  for (std::size_t i = 0; i < rows.terms.size(); ++i) {
    columns = std::max<std::int64_t>(columns, std::int64_t{rows.terms[i]} + 1);
  }
  const std::uint64_t first = rows.offsets.empty() ? 0 : rows.offsets.front();
  const std::uint64_t last = rows.offsets.empty() ? 0 : rows.offsets.back();
  const std::int64_t header[] = {static_cast<std::int64_t>(rows.rows()), columns,
                                 static_cast<std::int64_t>(last - first)};
  AtomicFile file(path);
  file.write(header, sizeof header);
  for (const std::uint64_t offset : rows.offsets) {
    const std::uint64_t from_zero = offset - first;
    file.write(&from_zero, sizeof from_zero);
  }
  if (rows.offsets.empty()) file.write(&first, sizeof first);
  const auto terms = rows.terms.subspan(first, last - first);
  const auto weights = rows.weights.subspan(first, last - first);
  file.write(terms.data(), terms.size_bytes());
  file.write(weights.data(), weights.size_bytes());
  file.commit();
}

}  // namespace kith
