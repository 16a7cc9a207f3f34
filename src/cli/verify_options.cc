#include "cli/verify_options.h"

#include <algorithm>

#include "cli/inputs.h"
#include "cli/options.h"
#include "formats/kith_file.h"
#include "index/verifier_content.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

// --disk-file is the index's own.
OpenOptions verifier_options(const VerifyChoices& choices, const DiskChoices& disk) {
  OpenOptions options = open_options(disk);
  options.disk_file = choices.disk_file;
  return options;
}

}  // namespace

void add_verify_options(CLI::App& verb, VerifyChoices& choices) {
  verb.add_option("--verify", choices.file,
                  "Rank what INDEX finds by vectors of another model on disk, from\n"
                  "kith build --verify")
      ->type_name("FILE");
  verb.add_option("--verify-queries", choices.queries,
                  "QUERIES as that model's vectors (default: as they are, where dimensions agree)")
      ->type_name("FILE");
  verb.add_option("--verify-disk-file", choices.disk_file,
                  "Where that model's vectors are, if elsewhere than its file says")
      ->type_name("FILE");
  verb.add_option("--candidate-weight", choices.weight,
                  "Add so many times the similarity that INDEX finds; for ip and cosine\n"
                  "(default: 0)")
      ->check(finite_number())
      ->type_name("W");
}

void check_verify_options(const VerifyChoices& choices) {
  if (!choices.file.empty()) return;
  const std::pair<const char*, bool> others[] = {{"--verify-queries", !choices.queries.empty()},
                                                 {"--verify-disk-file", !choices.disk_file.empty()},
                                                 {"--candidate-weight", choices.weight != 0}};
  for (const auto& [name, given] : others) {
    if (given) refuse(std::string(name) + ": expected --verify, too");
  }
}

VerifiedIndex::VerifiedIndex(const Index& index, const std::string& index_path,
                             const VerifyChoices& choices, const DiskChoices& disk)
    : index_(index),
      choices_(choices),
      verifier_(Verifier::open(choices.file, verifier_options(choices, disk))) {
  verifier_.check_fits(index);
  if (choices.weight != 0 && index.metric() != verifier_.metric()) {
    refuse("--candidate-weight: similarities of one kind can be added, but " + index_path +
           " is of " + std::string(name(index.metric())) + " and " + choices.file + " of " +
           std::string(name(verifier_.metric())));
  }
}

void VerifiedIndex::take_queries(const AnyMatrixView& queries, const std::string& names_of,
                                 const ReadOptions& read) {
  rows_ = queries;
  if (!choices_.queries.empty()) {
    file_ = read_vectors(choices_.queries, read);
    rows_ = file_.rows;
    if (rows_.rows() != queries.rows()) {
      refuse(choices_.queries + ": " + std::to_string(rows_.rows()) + " vectors for " +
             std::to_string(queries.rows()) + " of " + names_of + ", expected one each");
    }
  }
  if (rows_.dim() != verifier_.dim()) {
    refuse((choices_.queries.empty() ? names_of : choices_.queries) + ": " +
           std::to_string(rows_.dim()) + " dimensions, but " + choices_.file + " has " +
           std::to_string(verifier_.dim()) +
           (choices_.queries.empty() ? ": expected --verify-queries with that model's" : ""));
  }
}

void VerifiedIndex::take_stored(const std::vector<Id>& ids) {
  if (!choices_.queries.empty()) {
    refuse("--verify-queries: --like searches for stored vectors, which " + choices_.file + " has");
  }
  decoded_ = Matrix<float>(ids.size(), verifier_.dim());
  for (std::size_t i = 0; i < ids.size(); ++i) verifier_.vector(ids[i], decoded_.row(i));
  rows_ = decoded_.view();
}

Neighbours VerifiedIndex::search(const AnyMatrixView& queries, std::size_t first, std::size_t k,
                                 std::size_t candidates, const SearchOptions& options) const {
  const std::size_t wanted = std::clamp(candidates, std::size_t{1}, index_.id_limit());
  const Neighbours found = index_.search(queries, wanted, options);
  RerankOptions how;
  how.candidate_weight = choices_.weight;
  how.control = options.control;
  const auto rank = [&] {
    return verifier_.rerank(rows_.slice(first, queries.rows()), found, k, how);
  };
  return choices_.queries.empty() ? rank() : naming("query", choices_.queries, rank);
}

std::string VerifiedIndex::summary() const {
  return verifier_.info().codec + ", dimension " + std::to_string(verifier_.dim());
}

void add_verifier(Record& record, const std::string& file, const VerifierInfo& info) {
  record.add("verify_file", "verified by", file);
  record.add("verify_codec", "  codec", info.codec);
  record.add("verify_dim", "  dimension", info.dim);
  record.add("verify_disk_file", "  vectors on disk", info.disk.file);
  record.add("verify_disk_bytes", "  size", disk_cell(info.disk.bytes, info.vectors));
}

bool is_verifier(const std::string& path) {
  const Meta meta = KithFileReader::open(path, false).meta();
  return meta.has("kind") && meta.string("kind") == kVerifierKind;
}

Record verifier_record(const std::string& path, const DiskChoices& disk) {
  OpenOptions open = open_options(disk);
  open.verify_disk = true;
  const VerifierInfo info = Verifier::open(path, open).info();
  Record record;
  record.add("file", path);
  record.add("format", "kith verifier of an index's candidates, version " +
                           std::to_string(info.file_version));
  record.add("checksums", "verified");
  record.add("codec", info.codec);
  record.add("metric", name(info.metric));
  record.add("vectors", info.vectors);
  record.add("dim", "dimension", info.dim);
  record.add("element", "built from", name(info.element));
  add_disk(record, info.disk, info.vectors);
  return record;
}

}  // namespace kith::cli
