#include "kith/verifier.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "codec/spec.h"
#include "index/checks.h"
#include "index/implementation.h"
#include "index/margin.h"
#include "index/verifier_content.h"
#include "index/verify.h"
#include "kith/error.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

Stage make_stage(const AnyMatrixView& rows, const VerifierOptions& options) {
  const CodecSpec spec = CodecSpec::parse(options.codec);
  if (!spec.rerank.empty() || spec.reduced != 0 || spec.parts() != 0) {
    refuse("verifier's codec '" + options.codec +
           "': expected one whose vectors are records of their own, such as f16 or lvq8, without "
           "'+' or a reduction");
  }
  return {spec.primary, spec.rotate, rows.dim(), options.metric, options.seed};
}

void check_weight(float weight, Metric metric) {
  if (!(weight >= 0) || !std::isfinite(weight)) {
    refuse("candidate weight " + std::to_string(weight) + ", expected a number from 0 on");
  }
  if (weight != 0 && metric == Metric::l2) {
    refuse("candidate weight " + std::to_string(weight) +
           ": similarities can be added, which ip and cosine have, but the metric is l2");
  }
}

void check_shapes(const Neighbours& candidates, std::size_t queries, bool weighed) {
  if (candidates.queries() != queries) {
    refuse("candidates of " + std::to_string(candidates.queries()) + " queries, but there are " +
           std::to_string(queries));
  }
  const Matrix<float>& distances = candidates.distances;
  if (weighed && (distances.rows() != queries || distances.cols() != candidates.k())) {
    refuse("candidates: " + std::to_string(distances.rows()) + " x " +
           std::to_string(distances.cols()) + " distances for " + std::to_string(queries) + " x " +
           std::to_string(candidates.k()) + " ids, but a candidate weight needs one each");
  }
}

// One query's candidates by id, at distance 0 unless distances count.
std::vector<Hit> candidates_of(const Neighbours& candidates, std::size_t query, std::size_t vectors,
                               bool weighed) {
  const auto fail = [&](const std::string& reason) {
    refuse("candidates of query " + std::to_string(query) + ": " + reason);
  };
  std::vector<Hit> hits;
  hits.reserve(candidates.k());
  for (std::size_t i = 0; i < candidates.k(); ++i) {
    const Id id = candidates.ids(query, i);
    if (id == kNoId) continue;
    if (id >= vectors) {
      fail("vector " + std::to_string(id) + ", but the verifier has " + std::to_string(vectors));
    }
    const float distance = weighed ? candidates.distances(query, i) : 0;
    if (!std::isfinite(distance)) {
      fail("vector " + std::to_string(id) + " at distance " + std::to_string(distance) +
           ", but a candidate weight needs a finite one");
    }
    hits.push_back({distance, id});
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(hits.begin(), hits.end(),
                                        [](const Hit& a, const Hit& b) { return a.id == b.id; });
  if (twice != hits.end()) fail("vector " + std::to_string(twice->id) + " is given twice");
  return hits;
}

// BiDR's score of two tiers, <q', d> + w <q, code>. A distance is a constant minus the similarity
// that people see, so that the result is one of the sum. `candidates` are by id.
void add_similarities(const std::vector<Hit>& candidates, Metric metric, float weight,
                      std::vector<Hit>& hits) {
  for (Hit& hit : hits) {
    const auto own =
        std::lower_bound(candidates.begin(), candidates.end(), hit.id,
                         [](const Hit& candidate, Id id) { return candidate.id < id; });
    hit.distance -= weight * customary(metric, own->distance);
  }
  std::sort(hits.begin(), hits.end());
}

}  // namespace

class Verifier::Implementation {
 public:
  Implementation(std::string file, VerifierContent held)
      : path(std::move(file)), content(std::move(held)) {}

  std::string path;
  VerifierContent content;
  std::uint64_t file_version = kTieredFileVersion;
  std::unique_ptr<AtomicFile> unnamed;  // until save()

  const Stage& stage() const { return content.stage; }
  void rerank_some(const AnyMatrixView& queries, const Neighbours& candidates, std::size_t first,
                   std::size_t end, const RerankOptions& options, Neighbours& result) const;
};

Verifier::Verifier(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

Verifier Verifier::build(const AnyMatrixView& rows, const VerifierOptions& options) {
  check_stored_rows(rows);
  if (options.file.empty()) refuse("verifier: expected a file to write");
  VerifierContent content{options.metric, rows.type(), rows.dim(), make_stage(rows, options)};
  Stage& stage = content.stage;
  stage.keep_on_disk(options.disk_file.empty() ? options.file + TierName::kSuffix
                                               : options.disk_file);
  auto file = std::make_unique<AtomicFile>(options.file);  // says so now if it can't be written
  checked_norms("verifier", rows, options.metric, options.control);
  stage.train(rows, options.seed, options.control);
  stage.resize(rows.rows());
  stage.encode(loader_of(rows), {}, options.control);
  content.vectors = TierName::of(*stage.tier(), options.file);

  KithFileWriter writer;
  save_verifier(writer, content);
  writer.write(*file, options.control, kTieredFileVersion);
  stage.tier()->sync();
  file->sync();
  auto made = std::make_unique<Implementation>(options.file, std::move(content));
  made->unnamed = std::move(file);
  return Verifier(std::move(made));
}

// As an index in two tiers is saved: the file that says where the vectors are changes last.
void Verifier::save() {
  if (implementation_->unnamed == nullptr) return;
  implementation_->stage().tier()->commit();
  implementation_->unnamed->commit();
  implementation_->unnamed.reset();
}

Verifier Verifier::open(const std::string& path, const OpenOptions& options) {
  const KithFileReader reader = KithFileReader::open(path, options.verify);
  auto opened = std::make_unique<Implementation>(path, read_verifier(reader));
  opened->file_version = reader.version();
  opened->content.vectors.open(opened->content.stage, path, options);
  return Verifier(std::move(opened));
}

// Some queries, whose candidates are read together.
void Verifier::Implementation::rerank_some(const AnyMatrixView& queries,
                                           const Neighbours& candidates, std::size_t first,
                                           std::size_t end, const RerankOptions& options,
                                           Neighbours& result) const {
  const float weight = options.candidate_weight;
  std::vector<Unverified> block(end - first);
  std::vector<std::vector<Hit>> found(weight != 0 ? end - first : 0);
  for (std::size_t i = 0; i < block.size(); ++i) {
    block[i].query.resize(queries.dim());
    queries.copy_row(first + i, block[i].query.data());
    stage().transform_query(block[i].query.data());
    block[i].hits = candidates_of(candidates, first + i, stage().size(), weight != 0);
    if (weight != 0) found[i] = block[i].hits;
    // They are judged anew: how far they were decides nothing about which are read.
    for (Hit& hit : block[i].hits) hit.distance = 0;
  }
  // With a weight the nearest by the vectors alone needn't be the best.
  verify(stage(), block, weight != 0 ? candidates.k() : result.k(), kNoMargin, options.control);
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (weight != 0) add_similarities(found[i], content.metric, weight, block[i].hits);
    put_hits(block[i].hits, first + i, result);
  }
}

Neighbours Verifier::rerank(const AnyMatrixView& queries, const Neighbours& candidates,
                            std::size_t k, const RerankOptions& options) const {
  check_k(k);
  check_same_dim(queries, dim(), "verifier");
  checked_norms("query", queries, metric(), options.control);
  check_weight(options.candidate_weight, metric());
  check_shapes(candidates, queries.rows(), options.candidate_weight != 0);
  Neighbours result(queries.rows(), k);
  Progress progress(options.control, "verify", queries.rows());
  parallel_for(options.control, queries.rows(), kVerifiedTogether,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 implementation_->rerank_some(queries, candidates, begin, end, options, result);
                 progress.add(end - begin);
               });
  return result;
}

void Verifier::check_fits(const Index& index) const {
  if (size() == index.id_limit()) return;
  refuse(implementation_->path + ": " + std::to_string(size()) +
         " vectors, but the index has room for " + std::to_string(index.id_limit()) +
         ": expected one each, of the same collection");
}

void Verifier::vector(Id id, float* out) const {
  if (id >= size()) {
    refuse("id " + std::to_string(id) + ", expected one below " + std::to_string(size()));
  }
  implementation_->stage().decode(id, out);
}

std::size_t Verifier::size() const { return implementation_->stage().size(); }
std::size_t Verifier::dim() const { return implementation_->content.dim; }
Metric Verifier::metric() const { return implementation_->content.metric; }

VerifierInfo Verifier::info() const {
  const VerifierContent& content = implementation_->content;
  VerifierInfo info;
  info.codec = content.stage.name();
  info.metric = content.metric;
  info.element = content.element;
  info.vectors = size();
  info.dim = content.dim;
  info.file_version = implementation_->file_version;
  for (const auto& [part, bytes] : content.stage.bytes("primary")) info.bytes += bytes;
  info.disk = disk_info(content.stage);
  return info;
}

}  // namespace kith
