#include "kith/set_index.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/topk.h"
#include "codec/token_store.h"
#include "index/checks.h"
#include "index/fde_directions.h"
#include "index/implementation.h"
#include "index/maxsim.h"
#include "index/string_sections.h"
#include "kith/error.h"
#include "kith/maxsim.h"

namespace kith {
namespace {

constexpr const char* kKind = "sets";

FdeOptions resolve_encoding(const VectorSetsView& sets, const SetBuildOptions& options) {
  FdeOptions fde = options.fde;
  fde.seed = options.seed;
  if (fde.inner_dim > sets.dim()) fde.inner_dim = 0;
  const auto mean = static_cast<double>(sets.total()) / static_cast<double>(sets.size());
  fde.fill_empty = options.fill.value_or(mean >= std::exp2(static_cast<double>(fde.planes)));
  return fde;
}

void save_encoding(Meta& meta, const FdeOptions& options) {
  meta.set("fde.version", kFdeVersion);
  meta.set("fde.seed", options.seed);
  meta.set("fde.repetitions", std::uint64_t{options.repetitions});
  meta.set("fde.planes", std::uint64_t{options.planes});
  meta.set("fde.inner_dim", std::uint64_t{options.inner_dim});
  meta.set("fde.projection", options.projection);
  meta.set("fde.final_dim", std::uint64_t{options.final_dim});
  meta.set("fde.fill", std::uint64_t{options.fill_empty});
}

FdeEncoder load_encoder(const KithFileReader& reader, const Meta& meta, std::size_t dim) {
  if (const std::uint64_t version = meta.number("fde.version"); version != kFdeVersion) {
    throw Error(ErrorCode::unsupported, reader.name() + ": encodings of version " +
                                            std::to_string(version) + ", this kith makes version " +
                                            std::to_string(kFdeVersion));
  }
  FdeOptions options;
  options.seed = meta.number("fde.seed");
  options.repetitions = meta.number("fde.repetitions", kMaxDim);
  options.planes = meta.number("fde.planes", kMaxDim);
  options.inner_dim = meta.number("fde.inner_dim", kMaxDim);
  options.projection = meta.string("fde.projection");
  options.final_dim = meta.number("fde.final_dim", kMaxDim);
  options.fill_empty = meta.number("fde.fill", 1) != 0;
  try {
    return FdeEncoder(dim, options);
  } catch (const Error& error) {
    reader.fail(std::string("section meta: ") + error.what());
  }
}

std::vector<std::uint64_t> load_offsets(const KithFileReader& reader, std::size_t sets,
                                        std::size_t vectors) {
  const auto stored = reader.array<std::uint64_t>("sets.offsets", sets + 1);
  bool ascend = stored.front() == 0 && stored.back() == vectors;
  for (std::size_t i = 0; i < sets; ++i) ascend = ascend && stored[i] < stored[i + 1];
  if (!ascend) {
    reader.fail("section sets.offsets: expected numbers that ascend from 0 to " +
                std::to_string(vectors));
  }
  return {stored.begin(), stored.end()};
}

}  // namespace

class SetIndex::Implementation {
 public:
  Implementation(FdeEncoder encoder, std::unique_ptr<Index::Implementation> candidates,
                 std::unique_ptr<TokenStore> tokens, std::vector<std::uint64_t> offsets)
      : encoder(std::move(encoder)),
        candidates(std::move(candidates)),
        tokens(std::move(tokens)),
        offsets(std::move(offsets)) {}

  std::size_t size() const { return offsets.size() - 1; }
  // The hits of queries [first, first + count) into their rows of the result.
  void search(const VectorSetsView& queries, std::size_t first, std::size_t count,
              const SetSearchOptions& options, Neighbours& result) const;

  FdeEncoder encoder;
  std::unique_ptr<Index::Implementation> candidates;
  std::unique_ptr<TokenStore> tokens;
  std::vector<std::uint64_t> offsets;

 private:
  // The MaxSim of one query with each of `ids`; the threads share the sets.
  std::vector<float> score(const PackedQueries& query, std::span<const Id> ids,
                           const Control& control) const;
};

std::vector<float> SetIndex::Implementation::score(const PackedQueries& query,
                                                   std::span<const Id> ids,
                                                   const Control& control) const {
  constexpr std::size_t kGrain = 16;
  std::vector<float> scores(ids.size());
  std::vector<std::unique_ptr<MaxSimScorer>> scorers(thread_count(control));
  parallel_for(control, ids.size(), control.threads == 1 ? ids.size() : kGrain,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 auto& scorer = scorers[worker];
                 if (!scorer) scorer = std::make_unique<MaxSimScorer>(query);
                 for (std::size_t i = begin; i < end; ++i) {
                   const std::uint64_t start = offsets[ids[i]];
                   scorer->score(*tokens, start, offsets[ids[i] + 1] - start, &scores[i]);
                 }
               });
  return scores;
}

void SetIndex::Implementation::search(const VectorSetsView& queries, std::size_t first,
                                      std::size_t count, const SetSearchOptions& options,
                                      Neighbours& result) const {
  const std::size_t k = result.k();
  const std::size_t wanted = options.candidates != 0
                                 ? options.candidates
                                 : std::max(kCandidatesPerHit * k, kLeastCandidates);
  const Control quiet = without_progress(options.control);
  const VectorSetsView block = queries.slice(first, count);
  const Matrix<float> encoded = encoder.encode_queries(block, quiet);
  SearchOptions how;
  how.beam = options.beam;
  how.control = quiet;
  const Neighbours found = candidates->search(encoded, std::min(std::max(wanted, k), size()), how);

  VectorSetRows carved;
  if (options.carve) carved = carve(block, *options.carve);
  const VectorSetsView ranking = options.carve ? carved.view() : block;
  // Many queries: each thread takes whole ones. Few: they share each.
  Control outer = quiet, inner = quiet;
  (count >= thread_count(quiet) ? inner : outer).threads = 1;
  parallel_for(outer, count, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t q = begin; q < end; ++q) {
      const Id* ids = found.ids.row(q);
      const auto none = std::find(ids, ids + found.k(), kNoId);
      const std::span<const Id> some(ids, none);
      const std::vector<float> scores = score(PackedQueries(ranking.slice(q, 1)), some, inner);
      TopK best(k);
      for (std::size_t i = 0; i < some.size(); ++i) best.push(-scores[i], some[i]);
      put_hits(best.take_sorted(), first + q, result);
    }
  });
}

SetIndex::SetIndex(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
SetIndex::SetIndex(SetIndex&&) noexcept = default;
SetIndex& SetIndex::operator=(SetIndex&&) noexcept = default;
SetIndex::~SetIndex() = default;

SetIndex SetIndex::build(const VectorSetsView& sets, const Labels& labels,
                         const SetBuildOptions& options) {
  check_sets("base", sets, options.control);
  if (labels.kind() != Labels::Kind::none && labels.size() != sets.size()) {
    throw Error(ErrorCode::invalid_argument, std::to_string(labels.size()) + " labels for " +
                                                 std::to_string(sets.size()) +
                                                 " sets, expected one each");
  }
  FdeEncoder encoder(sets.dim(), resolve_encoding(sets, options));
  auto tokens =
      TokenStore::build(sets.vectors.slice(sets.offsets.front(), sets.total()),
                        {options.tokens, options.centroids, options.seed, options.control});
  if (!options.candidates.disk.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "disk '" + options.candidates.disk + "': sets of vectors can't be kept on disk");
  }
  BuildOptions candidates = options.candidates;
  candidates.metric = Metric::ip;
  candidates.seed = options.seed;
  candidates.control = options.control;
  auto index = build_index(encoder.encode_documents(sets, options.control), labels, candidates);
  std::vector<std::uint64_t> offsets(sets.offsets.begin(), sets.offsets.end());
  for (std::uint64_t& offset : offsets) offset -= sets.offsets.front();
  return SetIndex(std::make_unique<Implementation>(std::move(encoder), std::move(index),
                                                   std::move(tokens), std::move(offsets)));
}

SetIndex SetIndex::open(const std::string& path, const OpenOptions& options) {
  const KithFileReader reader = options.in_memory ? KithFileReader::read(path, options.verify)
                                                  : KithFileReader::open(path, options.verify);
  Meta meta = reader.meta();
  if (meta.string("kind") != kKind) {
    throw Error(ErrorCode::unsupported, path + ": index kind '" + meta.string("kind") +
                                            "', expected one of sets of vectors");
  }
  const std::size_t dim = meta.number("sets.dim", kMaxDim);
  const std::size_t vectors = meta.number("sets.vectors", kMaxVectors);
  FdeEncoder encoder = load_encoder(reader, meta, dim);
  meta.set("kind", meta.string("candidates.kind"));
  auto candidates = Index::Implementation::load(reader, meta);
  if (candidates->dim != encoder.encoded_dim() || candidates->metric != Metric::ip ||
      candidates->size() != candidates->present()) {
    reader.fail("section meta: encodings have " + std::to_string(encoder.encoded_dim()) +
                " dimensions under ip, none removed, but the index of them differs");
  }
  auto offsets = load_offsets(reader, candidates->size(), vectors);
  auto tokens = TokenStore::load(reader, meta, vectors, dim);
  return SetIndex(std::make_unique<Implementation>(std::move(encoder), std::move(candidates),
                                                   std::move(tokens), std::move(offsets)));
}

Neighbours SetIndex::search(const VectorSetsView& queries, std::size_t k,
                            const SetSearchOptions& options) const {
  constexpr std::size_t kQueriesAtOnce = 256;  // whose encodings are in memory
  check_k(k);
  if (options.carve && std::isnan(*options.carve)) {
    throw Error(ErrorCode::invalid_argument, "carve: threshold nan, expected a number");
  }
  if (queries.size() == 0) return Neighbours(0, k);
  check_sets("query", queries, options.control);
  check_same_dim(queries.vectors, dim(), "index");
  Neighbours result(queries.size(), k);
  Progress progress(options.control, "search", queries.size());
  for (std::size_t first = 0; first < queries.size(); first += kQueriesAtOnce) {
    const std::size_t count = std::min(kQueriesAtOnce, queries.size() - first);
    implementation_->search(queries, first, count, options, result);
    progress.add(count);
  }
  return result;
}

void SetIndex::save(const std::string& path, const Control& control) const {
  KithFileWriter writer;
  Meta meta;
  implementation_->candidates->save_all(writer, meta);
  meta.set("candidates.kind", meta.string("kind"));
  meta.set("kind", std::string(kKind));
  meta.set("sets.dim", std::uint64_t{dim()});
  meta.set("sets.vectors", implementation_->offsets.back());
  save_encoding(meta, encoder().options());
  writer.add_array<std::uint64_t>("sets.offsets", implementation_->offsets);
  implementation_->tokens->save(writer, meta);
  writer.add_text("meta", meta.text());
  writer.write(path, control, implementation_->candidates->plain_version());
}

std::size_t SetIndex::size() const { return implementation_->size(); }
std::size_t SetIndex::dim() const { return implementation_->encoder.dim(); }
const Labels& SetIndex::labels() const { return implementation_->candidates->labels; }
const FdeEncoder& SetIndex::encoder() const { return implementation_->encoder; }

SetInfo SetIndex::info() const {
  SetInfo info;
  info.sets = size();
  info.vectors = implementation_->offsets.back();
  info.dim = dim();
  info.tokens = implementation_->tokens->codec();
  info.encoding = encoder().identity();
  info.fill = encoder().options().fill_empty;
  info.candidates = implementation_->candidates->info();
  info.labels = labels().kind();
  info.file_version = info.candidates.file_version;
  info.bytes = info.candidates.bytes;
  info.bytes.emplace_back("sets.offsets", implementation_->offsets.size() * sizeof(std::uint64_t));
  for (const auto& part : implementation_->tokens->bytes()) info.bytes.push_back(part);
  return info;
}

}  // namespace kith
