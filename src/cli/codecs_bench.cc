#include "cli/codecs_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/measure.h"
#include "cli/stopwatch.h"
#include "codec/spec.h"
#include "index/ties.h"
#include "kith/exact.h"

namespace kith::cli {
namespace {

constexpr std::size_t kK = 10, kAmong = 100;

std::string family_of(const CodecSpec& spec, bool alone) {
  const std::string& word = spec.primary;
  if (spec.reduced > 0) return "leanvec";
  if (spec.parts() > 0) return alone ? "pq, scanned" : "pq in lists";
  if (const auto bits = bits_word(word)) {
    switch (bits->kind) {
      case BitsWord::Kind::learned:
        return "trained bits";
      case BitsWord::Kind::itq:
        return "itq";
      case BitsWord::Kind::signs:
        return "signs";
    }
  }
  for (const char* family : {"rabitq", "lvq", "sq8", "vq"}) {
    if (word.starts_with(family)) return family;
  }
  return "plain numbers";
}

// Of the parts whose names begin with one of these; all parts where there is none.
double bytes_of(const IndexInfo& info, const std::vector<std::string>& parts) {
  double sum = 0;
  for (const auto& [name, bytes] : info.bytes) {
    const bool counts =
        parts.empty() || std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
          return name.starts_with(part);
        });
    if (counts) sum += static_cast<double>(bytes);
  }
  return sum / static_cast<double>(info.vectors);
}

// How an index of a codec is built and searched.
struct Way {
  std::string kind, codec;  // of the index
  std::string held;
  std::vector<std::string> parts;  // of its bytes that count; all where there is none
  bool by_codes = true;            // what it finds is what its codes rank first
  bool exact_rerank = false;       // of candidates by codes, which an index can't be without
};

// Whether nothing re-ranks, as far as the name goes; reduced vectors and lists need something.
bool stands_alone(const std::string& codec) { return codec.find('+') == std::string::npos; }

CodecSpec parse(const std::string& codec) {
  std::string_view word = codec;
  const bool reduced = take_reduction(word) > 0;
  return CodecSpec::parse(reduced && stands_alone(codec) ? codec + "+f32" : codec);
}

Way way_of(const std::string& codec) {
  const CodecSpec spec = parse(codec);
  const bool alone = stands_alone(codec);
  if (spec.parts() > 0) {
    if (alone) return {"ivf", codec + "+f32", "scan of lists", {"ivf."}, true, true};
    return {"ivf", codec, "lists", {}, false, false};
  }
  if (!alone) return {"flat", codec, "scan, re-ranked", {}, false, false};
  if (spec.reduced > 0) return {"flat", codec + "+f32", "scan", {"primary."}, true, true};
  return {"flat", codec, "scan", {}, true, false};
}

SearchOptions search_options(const Way& way, const Index& index, std::size_t among) {
  SearchOptions options;
  if (way.exact_rerank) {
    options.beam = index.info().lists;
    options.rerank = among;
  }
  return options;
}

// recall@10, or of the ten nearest how many are among so many by the codes.
double recall(const CodecsBench& bench, const Index& index, const Way& way, std::size_t among) {
  SearchOptions options = search_options(way, index, among);
  options.control = bench.control;
  options.control.progress = nullptr;
  const std::size_t k = way.exact_rerank ? kK : among;
  Neighbours found = index.search(bench.queries, k, options);
  judge_by_similarity(found, bench.metric);
  return recall_at(found, bench.truth, kK, k);
}

void time_searches(const CodecsBench& bench, const Index& index, const Way& way,
                   CodecResult& result) {
  SearchOptions options = search_options(way, index, kK);
  options.control.threads = 1;
  const AskOne ask = [&](std::size_t query) {
    index.search(bench.queries.slice(query, 1), kK, options);
  };
  const std::size_t count =
      queries_within(bench.seconds, ask, bench.queries.rows(), options.control);
  std::vector<double> single, batched;
  for (std::size_t round = 0; round < bench.rounds; ++round) {
    single.push_back(measure(ask, bench.queries.rows(), count, options.control).qps_cpu);
    const Stopwatch watch;
    index.search(bench.queries, kK, options);
    batched.push_back(static_cast<double>(bench.queries.rows()) / watch.cpu_seconds());
  }
  result.single = median(single);
  result.batched = median(batched);
}

}  // namespace

std::vector<std::string> codecs_to_try(const AnyMatrixView& base, Metric metric) {
  const std::size_t dim = base.dim();
  std::vector<std::string> codecs;
  const auto add = [&](std::string codec) { codecs.push_back(std::move(codec)); };
  const auto parts = [&](std::size_t of) { return std::max<std::size_t>(1, dim / of); };
  if (base.type() == ElementType::u8) add("u8");
  if (base.type() == ElementType::i8) add("i8");
  for (const char* codec :
       {"bf16", "f16", "f32", "sq8", "lvq4", "rot-lvq4", "lvq8", "rot-lvq8", "lvq4x4", "lvq4x8",
        "lvq8x8", "rabitq1", "rabitq2", "rabitq3", "rabitq4", "rabitq6", "rabitq8"}) {
    add(codec);
  }
  if (dim >= 8) {
    for (const std::size_t of : {4, 2}) add(fmt::format("leanvec{}-rot-lvq8", dim / of));
  }
  if (metric == Metric::cosine) {
    for (const std::size_t times : {1, 2, 4}) add(fmt::format("signs{}", times * dim));
    for (const std::size_t of : {2, 1}) add(fmt::format("itq{}", parts(of)));
  }
  for (const std::size_t of : {16, 8, 4}) add(fmt::format("vq{}x8", parts(of)));
  for (const std::size_t of : {8, 4, 2}) add(fmt::format("pq{}", parts(of)));
  for (const std::size_t of : {8, 4, 2}) add(fmt::format("pq{}+rot-lvq8", parts(of)));
  add(fmt::format("pq{}+rot-lvq4x4", parts(2)));
  codecs.erase(std::unique(codecs.begin(), codecs.end()), codecs.end());
  return codecs;
}

void check_codec(const std::string& codec) { parse(codec); }

CodecResult measure_codec(const CodecsBench& bench, const std::string& codec,
                          const BuildOptions& trained) {
  const Way way = way_of(codec);
  BuildOptions build = trained;
  build.metric = bench.metric;
  build.index = way.kind;
  build.codec = way.codec;
  build.seed = bench.seed;
  build.control = bench.control;
  build.control.progress = nullptr;
  const Stopwatch watch;
  const Index index = Index::build(bench.base, Labels(), build);

  CodecResult result;
  result.build_cpu_seconds = watch.cpu_seconds();
  result.codec = codec;
  result.family = family_of(parse(codec), stands_alone(codec));
  result.held = way.held;
  result.bytes = bytes_of(index.info(), way.parts);
  result.recall = recall(bench, index, way, kK);
  if (way.by_codes && bench.base.rows() >= kAmong) {
    result.among_100 = recall(bench, index, way, kAmong);
  }
  time_searches(bench, index, way, result);
  return result;
}

}  // namespace kith::cli
