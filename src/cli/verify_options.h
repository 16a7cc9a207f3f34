// How verbs rank an index's candidates by another model's vectors: --verify and what goes with it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "cli/disk_options.h"
#include "cli/table.h"
#include "kith/index.h"
#include "kith/vectors.h"
#include "kith/verifier.h"

namespace kith::cli {

inline constexpr std::size_t kDefaultCandidates = 1000;  // as many as BiDR's paper verifies

struct VerifyChoices {
  std::string file, queries, disk_file;
  float weight = 0;
};

// --verify, --verify-queries, --verify-disk-file and --candidate-weight.
void add_verify_options(CLI::App& verb, VerifyChoices& choices);
// Throws invalid_argument for those of them that were given without --verify.
void check_verify_options(const VerifyChoices& choices);

// An index's candidates, ranked by a verifier.
class VerifiedIndex {
 public:
  // The index outlives this. Throws as opening does, and when the two don't fit.
  VerifiedIndex(const Index& index, const std::string& index_path, const VerifyChoices& choices,
                const DiskChoices& disk);

  // The queries as its vectors: those of --verify-queries, one for each of the `names_of` queries
  // that the index gets, or else these themselves. Throws when their number or dimension is wrong.
  void take_queries(const AnyMatrixView& queries, const std::string& names_of,
                    const ReadOptions& read);
  // The same of stored vectors, which are the queries.
  void take_stored(const std::vector<Id>& ids);

  // The k best of so many candidates (or of all there are) of the queries first, first + 1 ...
  Neighbours search(const AnyMatrixView& queries, std::size_t first, std::size_t k,
                    std::size_t candidates, const SearchOptions& options) const;

  Metric metric() const { return verifier_.metric(); }
  std::size_t read_bytes() const { return verifier_.info().disk.read_bytes; }
  // "f16, dimension 768"
  std::string summary() const;

 private:
  const Index& index_;
  const VerifyChoices& choices_;
  Verifier verifier_;
  AnyMatrixView rows_;
  Vectors file_;           // keeps `rows_` alive, or
  Matrix<float> decoded_;  // this does
};

// What `kith build` says of the verifier that it made.
void add_verifier(Record& record, const std::string& file, const VerifierInfo& info);
// Whether `path` is one, and what `kith info` says of it.
bool is_verifier(const std::string& path);
Record verifier_record(const std::string& path, const DiskChoices& disk);

}  // namespace kith::cli
