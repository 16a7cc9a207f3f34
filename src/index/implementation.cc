#include "index/implementation.h"

#include <limits>

#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"

namespace kith {
namespace {

std::uint64_t enumerator(const Meta& meta, const std::string& key, std::uint64_t last) {
  return meta.number(key, last);
}

Labels load_labels(const KithFileReader& reader, const Meta& meta, std::size_t rows) {
  switch (static_cast<Labels::Kind>(enumerator(meta, "labels", 2))) {
    case Labels::Kind::none:
      break;
    case Labels::Kind::numbers:
      return Labels::numbers_view(reader.array<std::uint64_t>("labels.numbers", rows),
                                  reader.owner());
    case Labels::Kind::strings: {
      const auto offsets = reader.array<std::uint64_t>("labels.offsets", rows + 1);
      const std::span<const std::byte> text = reader.bytes("labels.text");
      try {
        return Labels::strings_view(
            offsets, {reinterpret_cast<const char*>(text.data()), text.size()}, reader.owner());
      } catch (const Error& error) {
        reader.fail(error.what());
      }
    }
  }
  return Labels();
}

std::size_t label_bytes(const Labels& labels) {
  return labels.numbers().size_bytes() + labels.offsets().size_bytes() + labels.bytes().size();
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
      primary_(
          Stage::load(reader, meta, "primary", meta.number("vectors", kMaxVectors), dim, metric)) {
  if (dim == 0) reader.fail("section meta: dim=0, expected at least 1");
  if (meta.number("rerank", 1) != 0) {
    rerank_.emplace(Stage::load(reader, meta, "rerank", size(), dim, metric));
  }
  if (best().reduced() != 0) reader.fail("section meta: reduced vectors re-rank");
  labels = load_labels(reader, meta, size());
}

void Index::Implementation::train(const AnyMatrixView& rows, const BuildOptions& options) {
  ReductionTraining training;
  if (primary_.reduced() != 0) {
    training.queries = options.train_queries;
    training.method = parse_leanvec(options.leanvec);
  }
  primary_.train(rows, options.seed, options.control, training);
  if (rerank_) rerank_->train(rows, options.seed, options.control);
}

void Index::Implementation::append(const AnyMatrixView& rows, const Control& control) {
  primary_.append(rows, control);
  if (rerank_) rerank_->append(rows, control);
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

DefaultBeam Index::Implementation::measure_beam(const AnyMatrixView& rows, std::span<const Id> held,
                                                const BuildOptions& options) const {
  const Matrix<float> queries = measuring_queries(rows, held, options);
  return choose_default_beam(rows, queries, metric, held, options.recall, options.control,
                             [&](const AnyMatrixView& queries, std::size_t k, std::size_t beam) {
                               SearchOptions search_options;
                               search_options.beam = beam;
                               search_options.control = without_progress(options.control);
                               return search(queries, k, search_options);
                             });
}

DefaultBeam Index::Implementation::try_smaller_codes(const std::string& name,
                                                     const AnyMatrixView& rows,
                                                     std::span<const Id> held,
                                                     const BuildOptions& options,
                                                     const DefaultBeam& finer) {
  constexpr double kMostBeams = 1.5;
  if (primary_.codec_name() != "lvq4x8" || finer.recall < options.recall) return finer;
  Stage smaller(name, primary_.rotates(), dim, metric, options.seed);
  smaller.train(rows, options.seed, options.control);
  smaller.append(rows, options.control);
  std::swap(primary_, smaller);
  const DefaultBeam coarser = measure_beam(rows, held, options);
  if (coarser.recall >= options.recall &&
      static_cast<double>(coarser.beam) <= kMostBeams * static_cast<double>(finer.beam)) {
    return coarser;
  }
  std::swap(primary_, smaller);
  return finer;
}

IndexInfo Index::Implementation::info() const {
  IndexInfo info;
  info.kind = kind();
  info.codec = codec_spec().name();
  info.metric = metric;
  info.element = element;
  info.vectors = size();
  info.dim = dim;
  info.default_beam = default_beam;
  info.tuned_recall = tuned_recall;
  info.labels = labels.kind();
  info.file_version = file_version;
  info.bytes = primary_.bytes("primary");
  if (rerank_) {
    for (auto& part : rerank_->bytes("rerank")) info.bytes.push_back(part);
  }
  if (labels.kind() != Labels::Kind::none) info.bytes.emplace_back("labels", label_bytes(labels));
  return info;
}

void Index::Implementation::save(const std::string& path, const Control& control) const {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", kind());
  meta.set("metric", static_cast<std::uint64_t>(metric));
  meta.set("dim", std::uint64_t{dim});
  meta.set("vectors", std::uint64_t{size()});
  meta.set("element", static_cast<std::uint64_t>(element));
  meta.set("beam", std::uint64_t{default_beam});
  meta.set("tuned_recall", tuned_recall);
  meta.set("labels", static_cast<std::uint64_t>(labels.kind()));
  meta.set("rerank", std::uint64_t{rerank_.has_value()});
  primary_.save(writer, meta, "primary");
  if (rerank_) rerank_->save(writer, meta, "rerank");
  save_parts(writer, meta);
  if (labels.kind() == Labels::Kind::numbers) {
    writer.add_array<std::uint64_t>("labels.numbers", labels.numbers());
  } else if (labels.kind() == Labels::Kind::strings) {
    writer.add_array<std::uint64_t>("labels.offsets", labels.offsets());
    writer.add("labels.text", std::as_bytes(std::span(labels.bytes())));
  }
  writer.add_text("meta", meta.text());
  writer.write(path, control);
}

std::unique_ptr<Index::Implementation> Index::Implementation::load(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  const std::string& kind = meta.string("kind");
  if (kind == "flat") return load_flat(reader, meta);
  if (kind == "graph") return load_graph(reader, meta);
  if (kind == "ivf") return load_ivf(reader, meta);
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
