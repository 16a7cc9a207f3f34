#include "kith/index.h"

#include <cmath>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "index/build_order.h"
#include "index/checks.h"
#include "index/implementation.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check_rows(const AnyMatrixView& rows, const Labels& labels) {
  check_stored_rows(rows);
  if (labels.kind() != Labels::Kind::none && labels.size() != rows.rows()) {
    refuse(std::to_string(labels.size()) + " labels for " + std::to_string(rows.rows()) +
           " vectors, expected one each");
  }
}

}  // namespace

Index::Index(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

std::unique_ptr<Index::Implementation> build_index(const AnyMatrixView& rows, const Labels& labels,
                                                   const BuildOptions& options) {
  check_rows(rows, labels);
  // First, because choosing looks at a sample, whose row numbers would mean nothing in an error.
  checked_norms("base", rows, options.metric, options.control);
  check_same_dim(options.train_queries, rows.dim(), "base");
  checked_norms("training query", options.train_queries, options.metric, options.control);
  if (!options.disk.empty() && options.disk_file.empty()) {
    refuse("disk '" + options.disk + "': expected a disk file, too");
  }
  const BuildOptions resolved = resolve(options, rows);
  check_order(resolved, labels);
  const bool choose_codec = options.codec == "auto" && options.binariser == nullptr &&
                            options.codebooks == nullptr && options.disk.empty();
  std::unique_ptr<Index::Implementation> implementation;
  if (resolved.index == "flat") {
    implementation = build_flat(rows, resolved);
  } else if (resolved.index == "ivf") {
    implementation = build_ivf(rows, resolved, choose_codec);
  } else {
    implementation = build_graph(rows, order_keys(rows, labels, resolved), resolved, choose_codec);
  }
  implementation->labels = labels;
  return implementation;
}

Index Index::build(const AnyMatrixView& rows, const Labels& labels, const BuildOptions& options) {
  return Index(build_index(rows, labels, options));
}

Index Index::open(const std::string& path, const OpenOptions& options) {
  auto implementation =
      Implementation::load(options.in_memory ? KithFileReader::read(path, options.verify)
                                             : KithFileReader::open(path, options.verify));
  implementation->open_tier(path, options);
  return Index(std::move(implementation));
}

Neighbours Index::search(const AnyMatrixView& queries, std::size_t k,
                         const SearchOptions& options) const {
  check_k(k);
  check_same_dim(queries, query_dim(), "index");
  checked_norms("query", queries, metric(), options.control);
  return implementation_->search(queries, k, options);
}

RangeNeighbours Index::range(const AnyMatrixView& queries, float radius,
                             const SearchOptions& options) const {
  check_same_dim(queries, query_dim(), "index");
  if (std::isnan(radius)) refuse("radius nan, expected a number");
  checked_norms("query", queries, metric(), options.control);
  return implementation_->range(queries, distance_from_customary(metric(), radius), options);
}

void Index::read_queries_by(const TrainedBinariser& binariser) {
  const std::lock_guard change(*change_);
  implementation_->read_queries_by(binariser.content());
}
std::size_t Index::query_dim() const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->query_dim();
}

std::vector<Id> Index::add(const AnyMatrixView& rows, const Labels& labels,
                           const Control& control) {
  check_rows(rows, labels);
  check_same_dim(rows, dim(), "index");
  checked_norms("row", rows, metric(), control);
  const std::lock_guard change(*change_);
  return implementation_->add({rows.rows(), loader_of(rows)}, labels, control);
}

void Index::remove(std::span<const Id> ids, const Control& control) {
  const std::lock_guard change(*change_);
  implementation_->remove(ids, control);
}

bool Index::contains(Id id) const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->contains(id);
}

std::optional<Id> Index::find(std::string_view label) const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->find(label);
}

void Index::save(const std::string& path, const Control& control) const {
  implementation_->save(path, control);
}

void Index::vector(Id id, float* out) const {
  const std::shared_lock lock(implementation_->mutex);
  if (id >= implementation_->size()) {
    refuse("id " + std::to_string(id) + ", expected one below " +
           std::to_string(implementation_->size()));
  }
  if (!implementation_->contains(id)) {
    throw Error(ErrorCode::not_found, "id " + std::to_string(id) + " was removed");
  }
  implementation_->best().decode(id, out);
}

std::size_t Index::size() const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->present();
}
std::size_t Index::id_limit() const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->size();
}
std::size_t Index::dim() const { return implementation_->dim; }
Metric Index::metric() const { return implementation_->metric; }
Labels Index::labels() const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->labels;
}
IndexInfo Index::info() const {
  const std::shared_lock lock(implementation_->mutex);
  return implementation_->info();
}

void Index::set_default_beam(std::size_t beam, double recall) {
  if (beam == 0) refuse("beam 0, expected at least 1");
  const std::unique_lock lock(implementation_->mutex);
  implementation_->default_beam = beam;
  implementation_->tuned_recall = recall;
}

}  // namespace kith
