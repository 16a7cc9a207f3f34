// LeanVec: does a reduction learned from queries, too, find more of what such queries ask for, and
// does a walk over reduced vectors pay? Of two kinds of vectors. Trained: a static embedding learns
// which long description of a package belongs to a short one, and the short ones ask for the long
// ones. TF-IDF with a truncated SVD, whose spectra are flat: queries from elsewhere are sentences
// in other languages than the base's, which is written in ASCII letters; what they share is names
// and loan words.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/copy_rows.h"
#include "base/cpu_time.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/leanvec.h"
#include "codec/rotation.h"
#include "kith/exact.h"
#include "kith/index.h"
#include "papers/common/data.h"
#include "papers/common/description_vectors.h"
#include "papers/common/paper.h"

namespace kith::papers {
namespace {

constexpr std::size_t kK = 10;
const char* const kMethods[] = {"id", "es", "fw", "es+fw"};

struct Setting {
  Matrix<float> base, training, queries;
  Neighbours truth;
};

// One kind of queries: its first rows test, the others teach.
Setting setting(const Matrix<float>& base, const Matrix<float>& asked, std::size_t tests,
                const Control& control) {
  std::vector<std::uint32_t> numbers(asked.rows());
  std::iota(numbers.begin(), numbers.end(), 0u);
  const std::span<const std::uint32_t> all(numbers);
  Setting one{
      base.clone(), copy_rows(asked, all.subspan(tests)), copy_rows(asked, all.first(tests)), {}};
  one.truth = cosine_truth(one.base, one.queries, 100, control);
  return one;
}

// recall@10 of exact search among reduced vectors, without re-ranking.
template <class Reduce, class ReduceQuery>
double recall_of(const Setting& setting, std::size_t reduced, const Control& control,
                 const Reduce& reduce, const ReduceQuery& reduce_query) {
  const auto apply = [&](const Matrix<float>& x, const auto& map) {
    Matrix<float> whole = x.clone(), narrow(x.rows(), reduced);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      map(whole.row(i));
      std::copy_n(whole.row(i), reduced, narrow.row(i));
    }
    return narrow;
  };
  ExactOptions options;
  options.k = kK;
  options.metric = Metric::ip;
  options.control = control;
  Neighbours found =
      exact_search(apply(setting.base, reduce), apply(setting.queries, reduce_query), options);
  return recall_at(found, setting.truth, kK);
}

// An index's recall at a beam, its rate at the narrowest beam that reaches 0.9 (0 when none does),
// its size and what building it took.
void measure_index(const Setting& setting, const std::string& table, const std::string& row,
                   const BuildOptions& options, const Control& control, Results& results) {
  constexpr std::size_t kBeams[] = {10, 12, 14, 16,  20,  24,  28,  32,  40,  48,  56,
                                    64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768};
  constexpr double kRecall = 0.9;
  constexpr int kRounds = 5;
  const double before = cpu_seconds();
  const Index index = Index::build(setting.base, Labels(), options);
  const double build = cpu_seconds() - before;
  SearchOptions search;
  search.control = control;
  search.control.threads = 1;
  double rate = 0, at_64 = 0;
  for (const std::size_t beam : kBeams) {
    search.beam = beam;
    const double recall = recall_at(index.search(setting.queries, kK, search), setting.truth, kK);
    if (beam == 64) at_64 = recall;
    if (recall < kRecall || rate > 0) continue;
    std::vector<double> seconds;
    for (int round = 0; round < kRounds; ++round) {
      const double start = cpu_seconds();
      index.search(setting.queries, kK, search);
      seconds.push_back(cpu_seconds() - start);
    }
    std::nth_element(seconds.begin(), seconds.begin() + kRounds / 2, seconds.end());
    rate = static_cast<double>(setting.queries.rows()) / seconds[kRounds / 2];
  }
  std::size_t bytes = 0;
  for (const auto& [part, size] : index.info().bytes) bytes += size;
  results.add(table, row, "recall@10 at beam 64", at_64);
  results.add(table, row, "queries/CPU-s at 0.9", rate);
  results.add(table, row, "bytes/vector",
              static_cast<double>(bytes) / static_cast<double>(setting.base.rows()));
  results.add(table, row, "build CPU s", build);
}

// Reductions by themselves: what they lose and what exact search among reduced vectors finds.
void measure_reductions(const Setting& setting, const std::string& table, std::size_t reduced,
                        const Trial& trial, Results& results) {
  const std::size_t dim = setting.base.cols();
  for (const char* method : kMethods) {
    LeanVec leanvec(dim, reduced, Metric::ip);
    leanvec.train(setting.base, setting.training, parse_leanvec(method), trial.control);
    const std::string row = std::string("LeanVec ") + method;
    results.add(table, row, "loss", leanvec.loss());
    results.add(table, row, "recall@10 of the reduction",
                recall_of(
                    setting, reduced, trial.control, [&](float* x) { leanvec.reduce(x); },
                    [&](float* x) { leanvec.reduce_query(x); }));
    trial.step();
  }
  // After a random rotation any coordinates are as good as any others: the control.
  const Rotation rotation(dim, trial.seed);
  const auto turn = [&](float* x) { rotation.apply(x); };
  results.add(table, "random projection", "recall@10 of the reduction",
              recall_of(setting, reduced, trial.control, turn, turn));
  trial.step();
}

// Codes of equal size without re-ranking: locally-adaptive ones and those with one range a
// dimension.
void measure_codes(const Setting& setting, const std::string& table, const Trial& trial,
                   Results& results) {
  for (const char* codec : {"sq8", "lvq8"}) {
    BuildOptions options;
    options.metric = Metric::cosine;
    options.index = "flat";
    options.codec = codec;
    options.seed = trial.seed;
    options.control = trial.control;
    SearchOptions search;
    search.rerank = kK;
    search.control = trial.control;
    const Index index = Index::build(setting.base, Labels(), options);
    results.add(table, codec, "recall@10 of the codes",
                recall_at(index.search(setting.queries, kK, search), setting.truth, kK));
    trial.step();
  }
}

struct Texts {
  Matrix<float> base, near, far;  // of ASCII letters, of ASCII letters, of others
};

Texts debian_sentences(const Trial& trial) {
  constexpr std::size_t kBase = 30000, kQueries = 5500;
  const Sample sample = load_sample("debian-256", 100000, 1, trial);
  std::vector<std::uint32_t> ascii, other;
  // The set lies source by source: in random order, base and queries come from the same ones.
  for (const std::uint32_t i : random_permutation(sample.base.rows(), trial.seed)) {
    const std::string text = sample.labels.text(i);
    const bool plain = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 128; });
    (plain ? ascii : other).push_back(i);
  }
  const std::span<const std::uint32_t> plain(ascii);
  return {copy_rows(sample.base, plain.first(kBase)),
          copy_rows(sample.base, plain.subspan(kBase, kQueries)),
          copy_rows(sample.base, std::span(other).first(kQueries))};
}

// Rows and near queries of one falling spectrum, far queries of one that starts elsewhere.
Texts made_up(const Trial& trial) {
  constexpr std::size_t kDim = 64;
  const Rotation rotation(kDim, 5);
  Random random(trial.seed);
  const auto rows = [&](std::size_t count, std::size_t first) {
    Matrix<float> x(count, kDim);
    for (std::size_t i = 0; i < count; ++i) {
      double norm = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        const auto place = static_cast<double>((j + kDim - first) % kDim);
        x(i, j) = static_cast<float>(std::pow(0.93, place) * random.normal());
        norm += double{x(i, j)} * x(i, j);
      }
      for (std::size_t j = 0; j < kDim; ++j) x(i, j) /= static_cast<float>(std::sqrt(norm));
      rotation.apply(x.row(i));
    }
    return x;
  };
  return {rows(3000, 0), rows(600, 0), rows(600, 20)};
}

constexpr char kTrained[] = "trained", kTfIdf[] = "TF-IDF";
constexpr const char* kKinds[] = {kTrained, kTfIdf};
std::string near_table(const std::string& kind) { return kind + ": queries like the base"; }
std::string far_table(const std::string& kind) { return kind + ": queries from elsewhere"; }

Texts package_descriptions(const Trial& trial) {
  constexpr std::size_t kWidth = 384, kBase = 30000, kQueries = 5500, kTests = 500;
  DescriptionVectors vectors =
      description_vectors(trial, kWidth, kBase, kQueries, kTests, kQueries - kTests);
  Matrix<float> asking(kQueries, kWidth);  // those that test first
  for (std::size_t i = 0; i < kQueries; ++i) {
    const float* from = i < kTests ? vectors.tests.row(i) : vectors.taught.row(i - kTests);
    std::copy_n(from, kWidth, asking.row(i));
  }
  return {std::move(vectors.base), std::move(vectors.others), std::move(asking)};
}

void measure_kind(const std::string& kind, const Texts& texts, const Trial& trial,
                  Results& results) {
  const std::size_t tests = trial.quick ? 100 : 500;
  const std::size_t dim = texts.base.cols(), reduced = dim * 3 / 8;
  const Setting near = setting(texts.base, texts.near, tests, trial.control);
  measure_reductions(near, near_table(kind), reduced, trial, results);
  measure_codes(near, near_table(kind), trial, results);
  const Setting far = setting(texts.base, texts.far, tests, trial.control);
  const std::string table = far_table(kind);
  measure_reductions(far, table, reduced, trial, results);

  BuildOptions options;
  options.metric = Metric::cosine;
  options.index = "graph";
  options.degree = 48;
  options.seed = trial.seed;
  options.control = trial.control;
  for (const char* codec : {"f32", "lvq8", "lvq4x8"}) {
    options.codec = codec;
    measure_index(far, table, codec, options, trial.control, results);
    trial.step();
  }
  options.codec = "leanvec" + std::to_string(reduced) + "-rot-lvq8+f16";
  options.train_queries = far.training;  // margins are measured with them, whatever the method
  for (const char* method : kMethods) {
    options.leanvec = method;
    measure_index(far, table, std::string("LeanVec ") + method, options, trial.control, results);
    trial.step();
  }
}

void measure(const Trial& trial, Results& results) {
  trial.expect(std::size(kKinds) * (2 * (std::size(kMethods) + 1) + 2 + 3 + std::size(kMethods)));
  for (const std::string kind : kKinds) {
    const bool learned = kind == kTrained;
    measure_kind(kind,
                 trial.quick ? made_up(trial)
                 : learned   ? package_descriptions(trial)
                             : debian_sentences(trial),
                 trial, results);
  }
}

const char kReduced[] = "recall@10 of the reduction";

std::vector<Claim> claims_of(const std::string& kind) {
  const std::string far = far_table(kind), near = near_table(kind);
  return {
      {kind + ": learned from queries of their kind, a reduction finds more for queries from "
              "elsewhere than one learned from the vectors alone",
       "shown if recall@10 of both es and fw minus that of id is above 0, refuted if that of "
       "one is below",
       [=](const Results& results) {
         const Judgement parts[] = {
             above("es - id", results.difference(far, "LeanVec es", "LeanVec id", kReduced)),
             above("fw - id", results.difference(far, "LeanVec fw", "LeanVec id", kReduced))};
         return all_of(parts);
       }},
      {kind + ": a reduction learned from the vectors finds more for queries like them than a "
              "random projection of the same size",
       "shown if recall@10 of id minus that of the random projection is above 0",
       [=](const Results& results) {
         return above("id - random",
                      results.difference(near, "LeanVec id", "random projection", kReduced));
       }},
      {kind + ": at recall 0.9 a walk over reduced vectors answers more queries a second than "
              "one over float32",
       "shown if the rate of the es index minus that of f32 is above 0, for queries from "
       "elsewhere",
       [=](const Results& results) {
         return above("es - f32",
                      results.difference(far, "LeanVec es", "f32", "queries/CPU-s at 0.9"));
       }},
      {kind + ": locally-adaptive codes of 8 bits find more than those of one range a dimension",
       "shown if recall@10 of lvq8 minus that of sq8 is above 0, both without re-ranking",
       [=](const Results& results) {
         return above("lvq8 - sq8",
                      results.difference(near, "lvq8", "sq8", "recall@10 of the codes"));
       }}};
}

std::vector<Claim> all_claims() {
  std::vector<Claim> all;
  for (const char* kind : kKinds) {
    for (Claim& each : claims_of(kind)) all.push_back(std::move(each));
  }
  return all;
}

const Registration registration({
    .slug = "leanvec",
    .title = "LeanVec: Searching vectors faster by making them fit",
    .authors = "Tepper, Bhati, Aguerrebere, Hildebrand and Willke",
    .year = 2024,
    .source = "arXiv 2312.16335",
    .data = {"debian", "debian-256", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims = all_claims(),
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
