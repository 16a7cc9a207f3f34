// What `build` does when it is told nothing but the metric.
#include <algorithm>
#include <cmath>
#include <string>

#include "index/implementation.h"
#include "index/intrinsic_dimension.h"
#include "index/list_trial.h"
#include "kith/trained_binariser.h"
#include "kith/trained_codebooks.h"
#include "kith/trained_lists.h"

namespace kith {
namespace {

constexpr std::size_t kDefaultBuildBeam = 64;
// Below this many dimensions 4-bit codes are too coarse to walk on.
constexpr std::size_t kFewDimensions = 48;
// Of a part of a product code; with more, too many candidates must be re-scored.
constexpr std::size_t kPartDimensions = 2;
// With fewer look-ups a search, lists are quicker than a graph: the collections measured take 0.7
// and 1.6 million, where lists win, and 9.6 million, where they are far behind.
constexpr double kMostLookups = 3e6;

std::size_t parts_of(std::size_t dim) { return (dim + kPartDimensions - 1) / kPartDimensions; }

std::string choose_codec(const std::string& index, ElementType element, std::size_t dim) {
  if (index != "ivf" && (element == ElementType::u8 || element == ElementType::i8)) {
    return std::string(name(element));
  }
  if (index == "flat") return std::string(name(element));
  if (index == "ivf") {
    return "pq" + std::to_string(parts_of(dim)) + "+rot-lvq4x8";
  }
  return dim < kFewDimensions ? "rot-lvq8+f16" : "rot-lvq4x8";
}

// The more directions neighbours lie in, the more edges it takes to have one that leads nearer:
// 2 d + 8, to the next multiple of 16 (docs/performance.md shows rates for each).
std::size_t choose_degree(const AnyMatrixView& rows, const BuildOptions& options) {
  constexpr std::size_t kStep = 16, kLeast = 32, kMost = 64;
  const double dimension =
      median_intrinsic_dimension(rows, options.metric, options.seed, options.control);
  const auto wanted = static_cast<std::size_t>(std::ceil(2 * dimension + 8));
  return std::clamp((wanted + kStep - 1) / kStep * kStep, kLeast, kMost);
}

// Scanning the lists probed and finding them then cost alike.
std::size_t choose_lists(std::size_t rows) {
  constexpr std::size_t kStep = 32;
  const auto wanted = static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(rows)));
  return std::max(kStep, wanted / kStep * kStep);
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

// Fills in what trained lists decide; refuses what they don't fit.
void resolve_trained(BuildOptions& options, const AnyMatrixView& rows) {
  if (options.trained == nullptr) return;
  const TrainedLists& trained = *options.trained;
  if (trained.dim() != rows.dim()) {
    refuse("trained lists of " + std::to_string(trained.dim()) + " dimensions for vectors of " +
           std::to_string(rows.dim()));
  }
  if (trained.metric() != options.metric) {
    refuse("trained lists under " + std::string(name(trained.metric())) + ", but the metric is " +
           std::string(name(options.metric)));
  }
  if (options.index != "auto" && options.index != "ivf") {
    refuse("trained lists with index '" + options.index + "', expected ivf");
  }
  if (options.balance != 0) refuse("trained lists can't be balanced");
  if (options.lists != 0 && options.lists != trained.lists()) {
    refuse(std::to_string(options.lists) + " lists, but " + std::to_string(trained.lists()) +
           " were trained");
  }
  options.index = "ivf";
  options.lists = trained.lists();
  if (options.codec == "auto") {
    options.codec = trained.codec() + "+rot-lvq4x8";
  } else if (CodecSpec::parse(options.codec).primary != trained.codec()) {
    refuse("codec '" + options.codec + "', but " + trained.codec() + " was trained");
  }
}

// The trained codec, unless a name says where it is; in an inverted file after `in_lists`.
void resolve_codec(BuildOptions& options, const std::string& trained,
                   const std::string& in_lists = {}) {
  if (options.codec == "auto") {
    const bool lists = options.index == "ivf" || options.lists != 0 || options.balance != 0;
    options.codec = (lists ? in_lists : std::string()) + trained;
    return;
  }
  const CodecSpec spec = CodecSpec::parse(options.codec);
  if (spec.primary != trained && spec.rerank != trained) {
    refuse("codec '" + options.codec + "', but " + trained + " was trained");
  }
}

// Fills in the codec that a binariser is; refuses what it doesn't fit.
void resolve_binariser(BuildOptions& options, const AnyMatrixView& rows) {
  if (options.binariser == nullptr) return;
  const TrainedBinariser& trained = *options.binariser;
  if (trained.dim() != rows.dim()) {
    refuse("a trained binariser of " + std::to_string(trained.dim()) +
           " dimensions for vectors of " + std::to_string(rows.dim()));
  }
  if (options.metric != Metric::cosine) {
    refuse("a trained binariser is for cosine, but the metric is " +
           std::string(name(options.metric)));
  }
  if (options.trained != nullptr) refuse("trained lists and a trained binariser, expected one");
  resolve_codec(options, trained.codec());
}

// Likewise trained codewords.
void resolve_codebooks(BuildOptions& options, const AnyMatrixView& rows) {
  if (options.codebooks == nullptr) return;
  const TrainedCodebooks& trained = *options.codebooks;
  if (trained.dim() != rows.dim()) {
    refuse("trained codebooks of " + std::to_string(trained.dim()) + " dimensions for vectors of " +
           std::to_string(rows.dim()));
  }
  if (trained.metric() != options.metric) {
    refuse("trained codebooks under " + std::string(name(trained.metric())) +
           ", but the metric is " + std::string(name(options.metric)));
  }
  if (options.trained != nullptr || options.binariser != nullptr) {
    refuse("trained codebooks and trained lists or a binariser, expected one");
  }
  resolve_codec(options, trained.codec(), "pq" + std::to_string(parts_of(rows.dim())) + "+");
  const CodecSpec spec = CodecSpec::parse(options.codec);
  const bool first = spec.primary == trained.codec();
  if ((first && (spec.rotate || spec.reduced != 0)) || (!first && spec.rotate_rerank)) {
    refuse("codec '" + options.codec + "', but " + trained.codec() +
           " was trained on vectors as they are");
  }
}

// What one option asks for decides; otherwise the data does, in a small trial.
std::string choose_index(const BuildOptions& options, const AnyMatrixView& rows) {
  const bool product = options.codec != "auto" && CodecSpec::parse(options.codec).parts() != 0;
  if (options.lists != 0 || options.balance != 0 || product) return "ivf";
  if (rows.rows() < Index::kFlatBelow) return "flat";
  const bool bytes = rows.type() == ElementType::u8 || rows.type() == ElementType::i8;
  const bool steered = options.degree != 0 || options.build_beam != 0 || options.order != "random";
  if (bytes || steered || options.codec != "auto") return "graph";
  const double lookups = lookups_by_lists(rows, options.metric, choose_lists(rows.rows()),
                                          parts_of(rows.dim()), options.seed, options.control);
  return lookups <= kMostLookups ? "ivf" : "graph";
}

// Product codes need lists, and what re-ranks them; of other codes lists can't hold all kinds.
void check_codec(const BuildOptions& options) {
  const CodecSpec spec = CodecSpec::parse(options.codec);
  const bool lists = options.index == "ivf", product = spec.parts() != 0;
  const char* wrong = nullptr;
  if (product && !lists) wrong = "product codes need index ivf";
  if (product && (spec.rerank.empty() || spec.rotate)) {
    wrong = "expected pqN+CODEC or opqN+CODEC, for example pq32+rot-lvq8";
  }
  if (lists && spec.reduced != 0) wrong = "lists can't hold reduced vectors";
  if (wrong == nullptr) return;
  throw Error(ErrorCode::invalid_argument,
              "codec '" + options.codec + "' with index '" + options.index + "': " + wrong);
}

void check_lists(const BuildOptions& options, const std::string& index) {
  constexpr double kLeastBalance = 1.2;  // k-means sees a sample, whose lists vary more than this
  const bool lists = options.lists != 0, balance = options.balance != 0;
  if (index != "ivf" && (lists || balance)) {
    throw Error(ErrorCode::invalid_argument, std::string(lists ? "lists" : "balance") +
                                                 " with index '" + index +
                                                 "': only an inverted file (ivf) has lists");
  }
  if (balance && !(options.balance >= kLeastBalance && std::isfinite(options.balance))) {
    throw Error(ErrorCode::invalid_argument, "balance " + std::to_string(options.balance) +
                                                 ", expected 0 or at least 1.2 (times the mean)");
  }
}

// Fills in how a reduction is learned; refuses what is given for one where there is none.
void resolve_leanvec(BuildOptions& options) {
  const bool reduced = CodecSpec::parse(options.codec).reduced != 0;
  const bool queries = options.train_queries.rows() != 0;
  if (!reduced && (queries || options.leanvec != "auto")) {
    throw Error(ErrorCode::invalid_argument, "codec '" + options.codec +
                                                 "' learns nothing from queries, expected "
                                                 "leanvecN-CODEC+CODEC with N dimensions");
  }
  if (reduced && options.leanvec == "auto") options.leanvec = queries ? "es" : "id";
}

// What finds candidates whose vectors are on disk.
std::string choose_small_codec(const std::string& index, std::size_t dim) {
  if (index == "ivf") return "pq" + std::to_string(parts_of(dim));
  return dim < kFewDimensions ? "rot-lvq8" : "rot-lvq4";
}

void check_disk(const BuildOptions& options) {
  if (options.disk.empty()) {
    if (!options.disk_file.empty()) refuse("a disk file without a codec for it: expected both");
    return;
  }
  CodecSpec::parse(options.disk);
  if (options.disk.find('+') != std::string::npos) {
    refuse("disk '" + options.disk + "': expected one codec, without '+'");
  }
  if (options.codec != "auto" && options.codec.find('+') != std::string::npos) {
    refuse("codec '" + options.codec +
           "' with vectors on disk: expected it without '+', for what "
           "re-ranks is " +
           options.disk + " on disk");
  }
  if (options.binariser != nullptr || options.trained != nullptr) {
    refuse("disk '" + options.disk + "': not with what was trained elsewhere");
  }
}

void check_range(const char* what, std::size_t value, std::size_t low, std::size_t high) {
  if (value < low || value > high) {
    throw Error(ErrorCode::invalid_argument, std::string(what) + " " + std::to_string(value) +
                                                 ", expected " + std::to_string(low) + " to " +
                                                 std::to_string(high));
  }
}

}  // namespace

BuildOptions resolve(const BuildOptions& options, const AnyMatrixView& rows) {
  BuildOptions resolved = options;
  check_disk(options);
  resolve_trained(resolved, rows);
  resolve_binariser(resolved, rows);
  resolve_codebooks(resolved, rows);
  if (resolved.index == "auto") {
    resolved.index = choose_index(resolved, rows);
  } else if (resolved.index != "flat" && resolved.index != "graph" && resolved.index != "ivf") {
    throw Error(ErrorCode::invalid_argument,
                "index '" + resolved.index + "': expected auto, graph, flat or ivf");
  }
  if (resolved.codec == "auto") {
    resolved.codec = options.disk.empty() ? choose_codec(resolved.index, rows.type(), rows.dim())
                                          : choose_small_codec(resolved.index, rows.dim());
  }
  if (!options.disk.empty()) resolved.codec += "+" + options.disk;
  check_codec(resolved);
  check_lists(resolved, resolved.index);
  resolve_leanvec(resolved);
  if (resolved.degree == 0) {
    resolved.degree = resolved.index == "graph" ? choose_degree(rows, resolved) : 48;
  }
  check_range("degree", resolved.degree, 4, 1024);
  if (resolved.index == "ivf") {
    if (resolved.lists == 0) resolved.lists = choose_lists(rows.rows());
    check_range("lists", resolved.lists, 1, kMaxVectors);
  }
  if (resolved.build_beam == 0) {
    resolved.build_beam = std::max(kDefaultBuildBeam, resolved.degree * 4 / 3);
  }
  check_range("build beam", resolved.build_beam, 1, 100000);
  if (!(resolved.recall > 0 && resolved.recall <= 1)) {
    throw Error(ErrorCode::invalid_argument, "recall " + std::to_string(resolved.recall) +
                                                 ", expected a number above 0 and up to 1");
  }
  return resolved;
}

}  // namespace kith
