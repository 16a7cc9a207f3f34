#include "index/implementation.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>
#include <shared_mutex>

#include "base/atomic_file.h"
#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"
#include "index/string_sections.h"
#include "index/verifier_content.h"

namespace kith {
namespace {

std::uint64_t enumerator(const Meta& meta, const std::string& key, std::uint64_t last) {
  return meta.number(key, last);
}

// Bits of a section "removed", which stand for ids below `rows`.
IdSet load_ids(const KithFileReader& reader, const std::string& section, std::size_t rows,
               std::size_t count) {
  const auto words = reader.array<std::uint64_t>(section, (rows + 63) / 64);
  if (rows % 64 != 0 && (words.back() >> (rows % 64)) != 0) {
    reader.fail("section " + section + ": an id beyond the vectors");
  }
  IdSet set(std::vector<std::uint64_t>(words.begin(), words.end()));
  if (set.size() != count) {
    reader.fail("section " + section + ": " + std::to_string(set.size()) + " ids, expected " +
                std::to_string(count));
  }
  return set;
}

void save_ids(KithFileWriter& writer, const std::string& section, const IdSet& ids,
              std::size_t rows) {
  std::vector<std::uint64_t> words((rows + 63) / 64);
  for (std::size_t at = 0; at < words.size(); ++at) words[at] = ids.word(at);
  writer.add_copy<std::uint64_t>(section, words);
}

}  // namespace

Index::Implementation::Implementation(Metric metric, std::size_t dim, ElementType element,
                                      const CodecSpec& codec, std::uint64_t seed)
    : metric(metric),
      dim(dim),
      element(element),
      primary_(codec.primary, codec.rotate, dim, metric, seed, codec.reduced) {
  if (!codec.rerank.empty()) rerank_.emplace(codec.rerank, codec.rotate_rerank, dim, metric, seed);
}

Index::Implementation::Implementation(const KithFileReader& reader, const Meta& meta)
    : metric(static_cast<Metric>(enumerator(meta, "metric", 2))),
      dim(meta.number("dim", kMaxDim)),
      element(static_cast<ElementType>(enumerator(meta, "element", 4))),
      default_beam(meta.number("beam", kMaxVectors)),
      tuned_recall(meta.real("tuned_recall")),
      file_version(reader.version()),
      primary_(Stage::load(reader, meta, "primary", meta.number("vectors", kMaxVectors), dim,
                           metric, meta.has("disk.identity") && meta.number("rerank", 1) == 0)) {
  if (dim == 0) reader.fail("section meta: dim=0, expected at least 1");
  if (meta.number("rerank", 1) != 0) {
    rerank_.emplace(
        Stage::load(reader, meta, "rerank", size(), dim, metric, meta.has("disk.identity")));
  }
  if (best().on_disk()) tier_name_ = TierName::read(meta);
  if (best().reduced() != 0) reader.fail("section meta: reduced vectors re-rank");
  labels = load_strings(reader, meta, "labels", "labels", size());
  if (meta.has("removed")) {
    removed_ = load_ids(reader, "removed", size(), meta.number("removed", size()));
    linked_ = load_ids(reader, "removed.linked", size(), meta.number("removed.linked", size()));
    linked_.for_each([&](Id id) {
      if (!removed_.contains(id)) reader.fail("section removed.linked: an id that isn't removed");
    });
  }
}

void Index::Implementation::train(const AnyMatrixView& rows, const BuildOptions& options) {
  StageTraining training;
  if (options.binariser != nullptr) training.binariser = options.binariser->content();
  if (options.codebooks != nullptr) training.codebooks = options.codebooks->codebooks();
  if (primary_.reduced() != 0) {
    training.queries = options.train_queries;
    training.method = parse_leanvec(options.leanvec);
  }
  if (!options.disk.empty()) {
    (rerank_ ? *rerank_ : primary_).keep_on_disk(options.disk_file);
  }
  primary_.train(rows, options.seed, options.control, training);
  if (rerank_) rerank_->train(rows, options.seed, options.control);
}

void Index::Implementation::store(const RowLoader& load, std::span<const Id> ids,
                                  const Control& control) {
  primary_.encode(load, ids, control);
  if (rerank_) rerank_->encode(load, ids, control);
}

void Index::Implementation::store_all(const AnyMatrixView& rows, const Control& control) {
  std::vector<Id> ids(rows.rows());
  std::iota(ids.begin(), ids.end(), Id{0});
  primary_.resize(rows.rows());
  if (rerank_) rerank_->resize(rows.rows());
  store(loader_of(rows), ids, control);
}

void Index::Implementation::refuse_on_disk(const char* change) const {
  if (!best().on_disk()) return;
  throw Error(ErrorCode::unsupported,
              std::string(change) + ": the vectors of this index are on disk, in " +
                  best().tier()->path() +
                  ", which isn't changed; build an index of all vectors anew");
}

void Index::Implementation::open_tier(const std::string& path, const OpenOptions& options) {
  if (!best().on_disk()) {
    if (options.disk_file.empty()) return;
    throw Error(ErrorCode::invalid_argument,
                path + ": has no vectors on disk, but is given " + options.disk_file + " for them");
  }
  tier_name_.open(rerank_ ? *rerank_ : primary_, path, options);
}

// Ids for new vectors, removed ones first, for now counted as removed.
std::vector<Id> Index::Implementation::claim(std::size_t count) {
  std::vector<Id> ids;
  ids.reserve(count);
  removed_.for_each([&](Id id) {
    if (ids.size() < count && !linked_.contains(id)) ids.push_back(id);
  });
  const std::size_t grown = size() + count - ids.size();
  if (grown > kMaxVectors) {
    throw Error(
        ErrorCode::invalid_argument,
        std::to_string(grown) + " vectors, an index holds at most " + std::to_string(kMaxVectors));
  }
  const std::unique_lock lock(mutex);
  for (Id next = static_cast<Id>(size()); ids.size() < count; ++next) ids.push_back(next);
  primary_.resize(grown);
  if (rerank_) rerank_->resize(grown);
  for (Id id : ids) {
    removed_.insert(id);
    linked_.insert(id);
  }
  return ids;
}

std::vector<Id> Index::Implementation::add(const Incoming& rows, const Labels& tail,
                                           const Control& control) {
  refuse_on_disk("add");
  constexpr std::size_t kStoredAtOnce = 1024;  // searches wait that long
  const Labels before = labels;
  const std::size_t slots = size();
  std::vector<Id> ids = claim(rows.count);
  try {
    const Control quiet = without_progress(control);
    for (std::size_t first = 0; first < ids.size(); first += kStoredAtOnce) {
      const std::size_t count = std::min(kStoredAtOnce, ids.size() - first);
      const std::unique_lock lock(mutex);
      store([&](std::size_t i, float* out) { rows.load(first + i, out); },
            std::span(ids).subspan(first, count), quiet);
    }
    link(ids, rows, control);
    Labels after = before.with(slots, ids, tail);
    const std::unique_lock lock(mutex);
    labels = std::move(after);
    for (Id id : ids) {
      removed_.erase(id);
      linked_.erase(id);
    }
  } catch (...) {
    unlink(false, {.threads = control.threads, .cancel = nullptr, .progress = {}});
    throw;
  }
  return ids;
}

void Index::Implementation::remove(std::span<const Id> ids, const Control& control) {
  IdSet seen;
  for (Id id : ids) {
    const char* const wrong = id >= size()            ? " is beyond the vectors"
                              : removed_.contains(id) ? " is removed already"
                              : seen.contains(id)     ? " is given twice"
                                                      : nullptr;
    if (wrong != nullptr) {
      throw Error(ErrorCode::invalid_argument,
                  "remove: id " + std::to_string(id) + wrong + ", nothing was removed");
    }
    seen.insert(id);
  }
  {
    const std::unique_lock lock(mutex);
    for (Id id : ids) {
      removed_.insert(id);
      linked_.insert(id);
    }
  }
  try {
    unlink(false, control);
  } catch (const Error& error) {
    // They are removed; making room of what they leave can wait.
    if (error.code() != ErrorCode::cancelled) throw;
  }
}

std::optional<Id> Index::Implementation::find(std::string_view label) const {
  for (std::size_t from = 0;;) {
    const std::optional<std::size_t> row = labels.find(label, size(), from);
    if (!row) return std::nullopt;
    if (contains(static_cast<Id>(*row))) return static_cast<Id>(*row);
    from = *row + 1;
  }
}

CodecSpec Index::Implementation::codec_spec() const {
  CodecSpec spec;
  spec.reduced = primary_.reduced();
  spec.rotate = primary_.rotates();
  spec.primary = primary_.codec_name();
  if (rerank_) {
    spec.rerank = rerank_->codec_name();
    spec.rotate_rerank = rerank_->rotates();
  }
  return spec;
}

Matrix<float> Index::Implementation::measuring_queries(const AnyMatrixView& rows,
                                                       std::span<const Id> held,
                                                       const BuildOptions& options) const {
  const AnyMatrixView& given = options.train_queries;
  if (given.rows() == 0) return copy_rows(rows, held);
  return copy_rows(given, random_sample(given.rows(), kBeamQueries, options.seed));
}

BeamTrial Index::Implementation::beam_trial(const AnyMatrixView& rows, std::span<const Id> held,
                                            const BuildOptions& options) const {
  return make_beam_trial(rows, measuring_queries(rows, held, options), metric, held,
                         options.control);
}

SearchWithBeam Index::Implementation::trial_search(const Control& control) const {
  return [this, quiet = without_progress(control)](const AnyMatrixView& queries, std::size_t k,
                                                   std::size_t beam) {
    SearchOptions options;
    options.beam = beam;
    options.control = quiet;
    return search(queries, k, options);
  };
}

DefaultBeam Index::Implementation::measure_beam(const BeamTrial& trial,
                                                const BuildOptions& options) const {
  return choose_default_beam(trial, options.recall, trial_search(options.control));
}

void Index::Implementation::read_queries_by(std::shared_ptr<const Binariser> binariser) {
  if (rerank_) {
    throw Error(ErrorCode::invalid_argument,
                "codes that others re-rank: only codes by a binariser alone can be searched by "
                "another one's queries");
  }
  const std::unique_lock lock(mutex);
  primary_.read_queries_by(std::move(binariser));
}

void Index::Implementation::recode(const std::string& name, const AnyMatrixView& rows,
                                   const BuildOptions& options) {
  primary_ = Stage(name, primary_.rotates(), dim, metric, options.seed);
  primary_.train(rows, options.seed, options.control);
  primary_.resize(rows.rows());
  std::vector<Id> ids(rows.rows());
  std::iota(ids.begin(), ids.end(), Id{0});
  primary_.encode(loader_of(rows), ids, options.control);
}

DefaultBeam Index::Implementation::try_smaller_codes(const std::string& name,
                                                     const AnyMatrixView& rows,
                                                     const BeamTrial& trial,
                                                     const BuildOptions& options,
                                                     const DefaultBeam& finer) {
  constexpr double kMostBeams = 1.5;
  const std::string before = primary_.codec_name();
  if (before != "lvq4x8" || finer.recall < options.recall) return finer;
  recode(name, rows, options);
  const DefaultBeam coarser = measure_beam(trial, options);
  if (coarser.recall >= options.recall &&
      static_cast<double>(coarser.beam) <= kMostBeams * static_cast<double>(finer.beam)) {
    return coarser;
  }
  recode(before, rows, options);
  return finer;
}

IndexInfo Index::Implementation::info() const {
  IndexInfo info;
  info.kind = kind();
  info.codec = codec_spec().name();
  info.metric = metric;
  info.element = element;
  info.vectors = present();
  info.removed = removed_.size();
  info.dim = dim;
  info.default_beam = default_beam;
  info.tuned_recall = tuned_recall;
  info.labels = labels.kind();
  info.file_version = file_version;
  info.bytes = primary_.bytes("primary");
  if (rerank_) {
    for (auto& part : rerank_->bytes("rerank")) info.bytes.push_back(part);
  }
  if (labels.kind() != Labels::Kind::none) info.bytes.emplace_back("labels", string_bytes(labels));
  if (!removed_.empty()) info.bytes.emplace_back("removed", 2 * ((size() + 63) / 64) * 8);
  if (best().on_disk()) info.disk = disk_info(best());
  return info;
}

void Index::Implementation::save_all(KithFileWriter& writer, Meta& meta) const {
  meta.set("kind", kind());
  meta.set("metric", static_cast<std::uint64_t>(metric));
  meta.set("dim", std::uint64_t{dim});
  meta.set("vectors", std::uint64_t{size()});
  meta.set("element", static_cast<std::uint64_t>(element));
  meta.set("beam", std::uint64_t{default_beam});
  meta.set("tuned_recall", tuned_recall);
  meta.set("rerank", std::uint64_t{rerank_.has_value()});
  primary_.save(writer, meta, "primary");
  if (rerank_) rerank_->save(writer, meta, "rerank");
  save_parts(writer, meta);
  save_strings(writer, meta, "labels", "labels", labels);
  if (!removed_.empty()) {
    meta.set("removed", std::uint64_t{removed_.size()});
    meta.set("removed.linked", std::uint64_t{linked_.size()});
    save_ids(writer, "removed", removed_, size());
    save_ids(writer, "removed.linked", linked_, size());
  }
}

std::uint32_t Index::Implementation::plain_version() const {
  return removed_.empty() ? kPlainFileVersion : kRemovedFileVersion;
}

void Index::Implementation::save(const std::string& path, const Control& control) const {
  const std::shared_lock lock(mutex);
  KithFileWriter writer;
  Meta meta;
  save_all(writer, meta);
  if (!best().on_disk()) {
    writer.add_text("meta", meta.text());
    writer.write(path, control, plain_version());
    return;
  }
  TierFile& tier = *best().tier();
  TierName::of(tier, path).write(meta);
  writer.add_text("meta", meta.text());
  // When the bytes of both are safe, two names change; the index's last, so that it never stands
  // beside vectors that aren't there. Between the two the old index has the new one's vectors,
  // which it refuses by their identity.
  AtomicFile file(path);
  writer.write(file, control, std::max(kTieredFileVersion, plain_version()));
  tier.sync();
  file.sync();
  tier.commit();
  file.commit();
}

std::unique_ptr<Index::Implementation> Index::Implementation::load(const KithFileReader& reader,
                                                                   const Meta& meta) {
  const std::string& kind = meta.string("kind");
  if (kind == "flat") return load_flat(reader, meta);
  if (kind == "graph") return load_graph(reader, meta);
  if (kind == "ivf") return load_ivf(reader, meta);
  if (kind == "sparse" || kind == "bm25") {
    throw Error(ErrorCode::unsupported, reader.name() + ": an inverted index of kind '" + kind +
                                            "', expected one of vectors: graph, flat or ivf");
  }
  if (kind == "sets") {
    throw Error(ErrorCode::unsupported,
                reader.name() +
                    ": an index of sets of vectors, expected one of vectors: graph, flat or ivf");
  }
  if (kind == kVerifierKind) {
    throw Error(ErrorCode::unsupported,
                reader.name() +
                    ": vectors that judge an index's candidates, expected an index (to search with "
                    "them, give them beside it: --verify)");
  }
  throw Error(ErrorCode::unsupported,
              reader.name() + ": index kind '" + kind + "', this kith knows graph, flat and ivf");
}

void put_hits(std::span<const Hit> hits, std::size_t query, Neighbours& result) {
  const std::size_t k = result.k();
  for (std::size_t i = 0; i < k; ++i) {
    const bool present = i < hits.size();
    result.ids(query, i) = present ? hits[i].id : kNoId;
    result.distances(query, i) =
        present ? hits[i].distance : std::numeric_limits<float>::infinity();
  }
}

RangeNeighbours range_neighbours(std::span<const std::vector<Hit>> hits) {
  RangeNeighbours result;
  for (const std::vector<Hit>& query : hits) {
    for (const Hit& hit : query) {
      result.ids.push_back(hit.id);
      result.distances.push_back(hit.distance);
    }
    result.offsets.push_back(result.ids.size());
  }
  return result;
}

}  // namespace kith
