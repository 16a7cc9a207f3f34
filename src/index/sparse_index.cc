#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "index/checks.h"
#include "index/inverted_index.h"
#include "index/string_sections.h"
#include "kith/error.h"
#include "kith/sparse.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check_shape(const char* what, const SparseView& rows) {
  const auto& offsets = rows.offsets;
  const bool ascending = std::is_sorted(offsets.begin(), offsets.end());
  if (rows.terms.size() != rows.weights.size() || !ascending ||
      (!offsets.empty() && offsets.back() > rows.terms.size())) {
    refuse(std::string(what) + " rows: offsets, terms and weights don't fit each other");
  }
}

void check_row(const char* what, const SparseView& rows, std::size_t row, float most) {
  for (std::size_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
    const float weight = rows.weights[i];
    if (!(weight >= 0 && weight <= most)) {
      refuse(std::string(what) + " row " + std::to_string(row) + ", term " +
             std::to_string(rows.terms[i]) + ": weight " + std::to_string(weight) +
             ", expected a number from 0 to " + std::to_string(most));
    }
    if (rows.terms[i] >= kMaxTerms) {
      refuse(std::string(what) + " row " + std::to_string(row) + ": term " +
             std::to_string(rows.terms[i]) + ", expected one below " + std::to_string(kMaxTerms));
    }
  }
}

// So that products and sums of weights stay finite; half floats end sooner.
constexpr float kMostWeight = 1e15f, kMostHalf = 65504;

void check_rows(const char* what, const SparseView& rows, float most) {
  check_shape(what, rows);
  for (std::size_t row = 0; row < rows.rows(); ++row) check_row(what, rows, row, most);
}

void check_base(const SparseView& rows, const Labels& labels, std::size_t before, Payload payload) {
  if (rows.rows() == 0) refuse("the base is empty: expected at least one row");
  if (before + rows.rows() > kMaxVectors) {
    refuse(std::to_string(before + rows.rows()) + " rows, an index holds at most " +
           std::to_string(kMaxVectors));
  }
  if (labels.kind() != Labels::Kind::none && labels.size() != rows.rows()) {
    refuse(std::to_string(labels.size()) + " labels for " + std::to_string(rows.rows()) +
           " rows, expected one each");
  }
  check_rows("base", rows, payload == Payload::f16 ? kMostHalf : kMostWeight);
}

}  // namespace

class SparseIndex::Implementation {
 public:
  Implementation(Postings postings, Labels labels)
      : lists(std::make_unique<InvertedIndex>(std::move(postings))), labels(std::move(labels)) {}

  const Postings& postings() const { return lists->postings(); }

  std::unique_ptr<InvertedIndex> lists;
  Labels labels;
  std::uint64_t file_version = kPlainFileVersion;
};

SparseIndex::SparseIndex(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
SparseIndex::SparseIndex(SparseIndex&&) noexcept = default;
SparseIndex& SparseIndex::operator=(SparseIndex&&) noexcept = default;
SparseIndex::~SparseIndex() = default;

SparseIndex SparseIndex::build(const SparseView& rows, const Labels& labels,
                               const SparseOptions& options) {
  const Payload payload = parse_payload(options.weights);
  check_base(rows, labels, 0, payload);
  const PlainPostings plain = Postings(payload).decode_and_append(rows, options.control);
  return SparseIndex(std::make_unique<Implementation>(
      Postings::encode(plain, rows.rows(), payload, {}, {}, options.control), labels));
}

SparseIndex SparseIndex::open(const std::string& path, const OpenOptions& options) {
  const KithFileReader reader = options.in_memory ? KithFileReader::read(path, options.verify)
                                                  : KithFileReader::open(path, options.verify);
  const Meta meta = reader.meta();
  if (meta.string("kind") != "sparse") {
    throw Error(ErrorCode::unsupported, path + ": index kind '" + meta.string("kind") +
                                            "', expected one of sparse vectors");
  }
  const std::size_t rows = meta.number("vectors", kMaxVectors);
  Postings postings = Postings::load(reader, meta, rows);
  if (postings.payload() == Payload::counts) reader.fail("section meta: counts, expected weights");
  auto implementation = std::make_unique<Implementation>(
      std::move(postings), load_strings(reader, meta, "labels", "labels", rows));
  implementation->file_version = reader.version();
  return SparseIndex(std::move(implementation));
}

Neighbours SparseIndex::search(const SparseView& queries, std::size_t k,
                               const SparseSearchOptions& options) const {
  check_k(k);
  check_rows("query", queries, kMostWeight);
  const std::size_t terms = implementation_->postings().terms();
  const auto make_query = [&](std::size_t row, std::vector<QueryTerm>& query) {
    for (std::size_t i = queries.offsets[row]; i < queries.offsets[row + 1]; ++i) {
      if (queries.terms[i] < terms && queries.weights[i] > 0) {
        query.push_back({queries.terms[i], queries.weights[i]});
      }
    }
    std::sort(query.begin(), query.end(),
              [](const QueryTerm& a, const QueryTerm& b) { return a.term < b.term; });
    const auto twice =
        std::adjacent_find(query.begin(), query.end(),
                           [](const QueryTerm& a, const QueryTerm& b) { return a.term == b.term; });
    if (twice != query.end()) {
      refuse("query row " + std::to_string(row) + ": term " + std::to_string(twice->term) +
             " stands twice, expected once");
    }
  };
  return implementation_->lists->search(queries.rows(), make_query, k, options.exhaustive,
                                        options.control);
}

void SparseIndex::add(const SparseView& rows, const Labels& labels, const Control& control) {
  const Postings& postings = implementation_->postings();
  check_base(rows, labels, size(), postings.payload());
  Labels all = appended(implementation_->labels, size(), labels, rows.rows());
  const PlainPostings plain = postings.decode_and_append(rows, control);
  Postings more =
      Postings::encode(plain, size() + rows.rows(), postings.payload(), {}, {}, control);
  implementation_->lists = std::make_unique<InvertedIndex>(std::move(more));
  implementation_->labels = std::move(all);
}

void SparseIndex::save(const std::string& path, const Control& control) const {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", std::string("sparse"));
  meta.set("vectors", std::uint64_t{size()});
  implementation_->postings().save(writer, meta);
  save_strings(writer, meta, "labels", "labels", implementation_->labels);
  writer.add_text("meta", meta.text());
  writer.write(path, control);
}

std::size_t SparseIndex::size() const { return implementation_->postings().docs(); }
const Labels& SparseIndex::labels() const { return implementation_->labels; }

SparseInfo SparseIndex::info() const {
  const Postings& postings = implementation_->postings();
  SparseInfo info;
  info.weights = name(postings.payload());
  info.rows = size();
  info.terms = postings.used_terms();
  info.postings = postings.size();
  info.labels = labels().kind();
  info.file_version = implementation_->file_version;
  info.bytes = postings.bytes();
  if (labels().kind() != Labels::Kind::none) {
    info.bytes.emplace_back("labels", string_bytes(labels()));
  }
  return info;
}

}  // namespace kith
