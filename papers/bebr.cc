// Binary embedding-based retrieval: how near do codes of few bits a dimension, made by a network of
// vectors and queries alike, come to exact search at equal bits, what does a scan of them cost, and
// do a new model's queries find what is wanted among an old model's codes? Vectors are a trained
// static embedding's of 128 dimensions, the new model's one of 256: long descriptions of packages,
// for which short ones ask, each with the one that belongs to it. Binarisers learn from other long
// ones and the short ones that ask for those.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/cpu_time.h"
#include "base/random.h"
#include "codec/any.h"
#include "kith/exact.h"
#include "kith/index.h"
#include "kith/text_encoder.h"
#include "kith/trained_binariser.h"
#include "kith/vectors.h"
#include "papers/common/data.h"
#include "papers/common/description_vectors.h"
#include "papers/common/paper.h"
#include "papers/common/static_embedding.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"
#include "simd/kernels.h"

namespace kith::papers {
namespace {

constexpr std::size_t kK = 10;
constexpr char kSigns[] = "signs of random directions", kItq[] = "ITQ", kWhole[] = "float32",
               kOldOld[] = "old queries, old codes",
               kApart[] = "new queries, old codes, trained apart",
               kNewOld[] = "new queries, old codes", kNewNew[] = "new queries, new codes",
               kSdc[] = "4 bits: whole numbers", kPlanes[] = "4 bits: 16 popcounts of planes";
constexpr char kUpgrade[] = "A new model's queries and an old one's codes, 256 bits",
               kSpeed[] = "Scans, 512 bits", kRate[] = "million distances/CPU-s";

// One model's vectors.
struct Sets {
  Matrix<float> base, training, taught, queries;
  std::vector<std::uint32_t> answers;  // the row of the base that each query asks for
  Neighbours truth;
};

Matrix<float> made_up(std::size_t count, std::size_t width, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> rows(count, width);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      rows(i, j) = static_cast<float>(random.normal() / (1 + 0.1 * static_cast<double>(j)));
    }
  }
  normalise(rows);
  return rows;
}

// What is asked, and what is told apart: numbers of texts.
struct Choice {
  std::vector<std::uint32_t> base, training, tests, taught, answers;
};

Choice choose(const RetrievalTask& task, std::size_t pairs, std::uint64_t seed) {
  constexpr std::size_t kBase = 20000, kTraining = 20000, kTests = 500, kTaught = 8000;
  Choice chosen;
  std::unordered_set<std::uint32_t> there;
  for (const std::uint32_t q : random_permutation(task.queries.texts.size(), seed)) {
    if (chosen.tests.size() == kTests) break;
    if (task.judgements[q].empty()) continue;
    const std::uint32_t answer = task.judgements[q].front().document;
    if (!there.insert(answer).second) continue;
    chosen.tests.push_back(q);
    chosen.base.push_back(answer);
  }
  for (const std::uint32_t d : random_permutation(task.corpus.texts.size(), seed)) {
    if (there.contains(d)) continue;
    if (chosen.base.size() < kBase) {
      chosen.base.push_back(d);
    } else if (chosen.training.size() < kTraining) {
      chosen.training.push_back(d);
    }
  }
  // In random order, so that ties of codes are broken in nobody's favour.
  const std::vector<std::uint32_t> places = random_permutation(chosen.base.size(), seed + 1);
  std::vector<std::uint32_t> shuffled(chosen.base.size());
  for (std::size_t i = 0; i < places.size(); ++i) shuffled[places[i]] = chosen.base[i];
  chosen.base = std::move(shuffled);
  chosen.answers.assign(places.begin(),
                        places.begin() + static_cast<std::ptrdiff_t>(chosen.tests.size()));
  chosen.taught = random_permutation(pairs, seed);
  chosen.taught.resize(std::min(kTaught, pairs));
  return chosen;
}

Sets encoded(const Trial& trial, std::size_t width) {
  const Task task = load_tasks(kDescriptionData, trial).front();
  const auto& retrieval = std::get<RetrievalTask>(task.content);
  const std::vector<TrainingPair> pairs = read_pairs("debian", "debian-summary", trial);
  const TextEncoder model = TextEncoder::open(static_embedding(trial, width));
  const Choice chosen = choose(retrieval, pairs.size(), trial.seed);
  TextEncodeOptions options;
  options.normalize = true;
  options.control = trial.control;
  const auto encode = [&](const std::vector<std::uint32_t>& which, const auto& text_of) {
    std::vector<std::string_view> texts;
    for (const std::uint32_t i : which) texts.emplace_back(text_of(i));
    return model.encode(texts, options).vectors;
  };
  const auto long_text = [&](std::uint32_t i) -> const std::string& {
    return retrieval.corpus.texts[i];
  };
  return {
      encode(chosen.base, long_text),
      encode(chosen.training, long_text),
      encode(chosen.taught, [&](std::uint32_t i) -> const std::string& { return pairs[i].query; }),
      encode(chosen.tests,
             [&](std::uint32_t i) -> const std::string& { return retrieval.queries.texts[i]; }),
      chosen.answers,
      {}};
}

Sets vectors_of(const Trial& trial, std::size_t width) {
  Sets one;
  if (trial.quick) {
    one = {made_up(1500, width / 4, 1), made_up(1500, width / 4, 2), made_up(300, width / 4, 3),
           made_up(40, width / 4, 4),   random_permutation(40, 5),   {}};
  } else {
    one = encoded(trial, width);
  }
  one.truth = cosine_truth(one.base.view(), one.queries.view(), kK, trial.control);
  return one;
}

// What a binariser is trained on.
struct Files {
  std::string vectors, queries;
};

Files files_of(const Sets& vectors, std::size_t width, const Trial& trial) {
  const auto file = [&](const char* name, const Matrix<float>& rows) {
    std::string path =
        data_path(trial, fmt::format("bebr-{}-{}-{}", name, width, trial.seed), {"debian"}, ".npy");
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    write_vectors(path, rows.view(), Labels());
    return path;
  };
  return {file("training", vectors.training), file("taught", vectors.taught)};
}

struct Shape {
  std::size_t dims = 0;
  int bits = 1;
};

// The file of one.
std::string binariser(const Files& files, const Shape& shape, const std::string& more_data,
                      const std::string& more_loss, const std::string& more_codec,
                      const Trial& trial) {
  const std::string folder = trained_codec(
      trial, "bebr",
      fmt::format("[data]\nvectors = \"{}\"\nqueries = \"{}\"\n{}[codec]\nkind = \"bebr\"\n"
                  "dims = {}\nbits = {}\n{}[loss]\n{}[train]\nsteps = {}\nbatch = {}\nseed = {}\n",
                  files.vectors, files.queries, more_data, shape.dims, shape.bits, more_codec,
                  more_loss, trial.quick ? 20 : 1000, trial.quick ? 64 : 256, trial.seed));
  return folder + "/binariser.kith";
}

std::shared_ptr<const TrainedBinariser> opened(const std::string& path) {
  return std::make_shared<const TrainedBinariser>(TrainedBinariser::open(path));
}

Index flat(const Sets& vectors, const std::string& codec,
           std::shared_ptr<const TrainedBinariser> trained, const Trial& trial) {
  BuildOptions options;
  options.metric = Metric::cosine;
  options.index = "flat";
  options.codec = codec;
  options.binariser = std::move(trained);
  options.seed = trial.seed;
  options.control = trial.control;
  return Index::build(vectors.base.view(), Labels(), options);
}

// The share of queries whose own vector is the first found.
double pairs_found(const Neighbours& found, const Sets& vectors) {
  double right = 0;
  for (std::size_t q = 0; q < found.queries(); ++q) {
    right += found.ids(q, 0) == vectors.answers[q] ? 1 : 0;
  }
  return right / static_cast<double>(found.queries());
}

// `depth`: candidates that codes decide on where others re-rank them.
void report(const std::string& table, const std::string& row, const Index& index,
            const Sets& vectors, bool codes_decide, const Trial& trial, Results& results) {
  const auto search = [&](std::size_t k) {
    SearchOptions options;
    options.beam = std::max<std::size_t>(index.info().lists, 1);
    options.rerank = codes_decide ? 0 : k;
    options.control = trial.control;
    return index.search(vectors.queries.view(), k, options);
  };
  results.add(table, row, "recall@10", recall_at(search(kK), vectors.truth, kK));
  results.add(table, row, "pair@1", pairs_found(search(1), vectors));
  std::size_t bytes = 0;
  for (const auto& [part, size] : index.info().bytes) {
    const bool of_vectors = part == "primary.rows" || part == "primary.codes" ||
                            part == "primary.norms" || part == "primary.errors";
    if (codes_decide ? of_vectors : part == "ivf.blocks") bytes += size;
  }
  results.add(table, row, "bytes/vector",
              static_cast<double>(bytes) / static_cast<double>(vectors.base.rows()));
}

std::string table_of(std::size_t bits) { return fmt::format("{} bits", bits); }
std::string row_of(int bits) { return fmt::format("BEBR, u = {}", bits - 1); }
std::string undistilled(int bits) { return row_of(bits) + ", without distillation"; }

constexpr std::array<std::size_t, 3> kBits = {128, 256, 512};
constexpr std::size_t kMiddle = 256;
constexpr std::array<int, 3> kWidths = {1, 2, 4};

void compare_product_codes(const Sets& vectors, std::size_t bits, const std::string& table,
                           const Trial& trial, Results& results) {
  BuildOptions options;
  options.metric = Metric::cosine;
  options.index = "ivf";
  options.lists = 1;
  options.codec = fmt::format("pq{}+f32", std::min(bits / 4, vectors.base.cols()));
  options.seed = trial.seed;
  options.control = trial.control;
  report(table, "product code", Index::build(vectors.base.view(), Labels(), options), vectors,
         false, trial, results);
}

// Codes of so many bits.
void compare(const Sets& vectors, const Files& files, std::size_t bits, const Trial& trial,
             Results& results) {
  const std::string table = table_of(bits);
  const std::size_t dim = vectors.base.cols(), asked = trial.quick ? bits / 4 : bits;
  const auto plain = [&](const std::string& row, const std::string& codec) {
    report(table, row, flat(vectors, codec, nullptr, trial), vectors, true, trial, results);
  };
  plain(kSigns, fmt::format("signs{}", asked));
  if (asked == dim) plain(kItq, fmt::format("itq{}", asked));
  compare_product_codes(vectors, asked, table, trial, results);
  plain("RaBitQ", fmt::format("rabitq{}", asked / dim));
  if (asked == 4 * dim) plain("LVQ", "lvq4");
  trial.step();
  const auto learned = [&](const std::string& row, int width, const std::string& loss,
                           const std::string& codec) {
    const Shape shape{asked / static_cast<std::size_t>(width), width};
    const auto trained = opened(binariser(files, shape, "", loss, codec, trial));
    report(table, row, flat(vectors, "auto", trained, trial), vectors, true, trial, results);
    trial.step();
  };
  for (const int width : kWidths) learned(row_of(width), width, "", "");
  if (bits != kMiddle) return;
  for (const int width : kWidths) learned(undistilled(width), width, "distillation = 0\n", "");
  learned(row_of(2) + ", without the linear way", 2, "", "skip = false\n");
}

// CPU seconds of a thousand scans' worth of one query, the least of some rounds.
template <class Work>
double rate_of(std::size_t rows, const Work& work) {
  constexpr int kRounds = 7, kScans = 20;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double before = cpu_seconds();
    for (int scan = 0; scan < kScans; ++scan) work();
    const double seconds = std::max(cpu_seconds() - before, 1e-9);
    best = std::max(best, static_cast<double>(rows) * kScans / seconds / 1e6);
  }
  return best;
}

double scan_rate(const AnyCodec& any, const Matrix<float>& queries) {
  return std::visit(
      [&]<class C>(const C& codec) {
        typename C::Query query;
        codec.prepare(queries.row(0), query);
        std::vector<float> out(codec.size());
        return rate_of(codec.size(),
                       [&] { codec.score_range(query, 0, codec.size(), out.data()); });
      },
      any);
}

AnyCodec coded(const std::string& name, std::shared_ptr<const Binariser> binariser,
               const Matrix<float>& rows) {
  AnyCodec any = make_codec(name, rows.cols(), Metric::cosine);
  if (auto* bits = std::get_if<Bits>(&any); bits != nullptr && binariser != nullptr) {
    bits->take(std::move(binariser));
  }
  std::visit(
      [&](auto& codec) {
        codec.train(rows);
        codec.resize(rows.rows());
        for (std::size_t i = 0; i < rows.rows(); ++i) codec.encode(static_cast<Id>(i), rows.row(i));
      },
      any);
  return any;
}

// The same products by planes of one bit: every plane of the query against every plane of a vector.
double planes_rate(const Bits& codec, const Matrix<float>& queries) {
  const auto bits = static_cast<std::size_t>(codec.binariser().bits);
  const std::size_t dims = codec.binariser().dims, bytes = (dims + 7) / 8, rows = codec.size();
  std::vector<std::vector<std::uint8_t>> planes(bits, std::vector<std::uint8_t>(rows * bytes)),
      query(bits, std::vector<std::uint8_t>(bytes));
  std::vector<std::uint8_t> codes(dims), plane(dims);
  const auto split = [&](std::size_t bit, std::uint8_t* into) {
    for (std::size_t j = 0; j < dims; ++j) {
      plane[j] = static_cast<std::uint8_t>((codes[j] >> bit) & 1);
    }
    simd::pack_odd(1, plane.data(), dims, into);
  };
  for (std::size_t i = 0; i < rows; ++i) {
    codec.unpack(static_cast<Id>(i), codes.data());
    for (std::size_t bit = 0; bit < bits; ++bit) split(bit, &planes[bit][i * bytes]);
  }
  codec.binariser().encode(queries.row(0), codes.data());
  for (std::size_t bit = 0; bit < bits; ++bit) split(bit, query[bit].data());
  std::vector<std::uint32_t> differ(rows);
  std::vector<std::int32_t> sums(rows);
  return rate_of(rows, [&] {
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t a = 0; a < bits; ++a) {
      for (std::size_t b = 0; b < bits; ++b) {
        simd::hamming_many(query[a].data(), planes[b].data(), bytes, rows, bytes, differ.data());
        const int weight = 1 << (a + b);
        for (std::size_t i = 0; i < rows; ++i) {
          sums[i] +=
              weight * (static_cast<std::int32_t>(dims) - 2 * static_cast<std::int32_t>(differ[i]));
        }
      }
    }
  });
}

void time_scans(const Sets& vectors, const Files& files, const Trial& trial, Results& results) {
  const std::size_t bits = trial.quick ? 128 : 512;
  const auto rate = [&](const std::string& row, const std::string& name,
                        std::shared_ptr<const Binariser> binariser) {
    const AnyCodec codec = coded(name, std::move(binariser), vectors.base);
    results.add(kSpeed, row, kRate, scan_rate(codec, vectors.queries));
    if (row == kSdc) {
      results.add(kSpeed, kPlanes, kRate, planes_rate(std::get<Bits>(codec), vectors.queries));
    }
  };
  rate(kWhole, "f32", nullptr);
  rate("LVQ, 4 bits", "lvq4", nullptr);
  rate("RaBitQ, 4 bits", "rabitq4", nullptr);
  for (const auto& [row, width] :
       {std::pair("1 bit: popcount", 1), {"2 bits: whole numbers", 2}, {kSdc, 4}}) {
    const auto trained = opened(
        binariser(files, {bits / static_cast<std::size_t>(width), width}, "", "", "", trial));
    rate(row, trained->codec(), trained->content());
  }
  trial.step();
}

void upgrade(const Sets& old, const Files& old_files, const Trial& trial, Results& results) {
  const std::size_t width = 256;
  const Sets fresh = vectors_of(trial, width);
  const Files files = files_of(fresh, width, trial);
  const Shape shape{trial.quick ? 32U : kMiddle / 2, 2};
  const std::string first = binariser(old_files, shape, "", "", "", trial);
  const std::string with =
      fmt::format("compatible_with = \"{}\"\nold_vectors = \"{}\"\n", first, old_files.vectors);
  const auto before = opened(first);
  const auto after = opened(binariser(files, shape, with, "", "", trial));
  trial.step();
  // Beside the neighbours by whole vectors of the model that asks.
  const auto report_found = [&](const std::string& row, const Index& index, const Sets& asking) {
    SearchOptions options;
    options.control = trial.control;
    const Neighbours found = index.search(asking.queries.view(), kK, options);
    results.add(kUpgrade, row, "recall@10", recall_at(found, asking.truth, kK));
    results.add(kUpgrade, row, "pair@1", pairs_found(found, asking));
  };
  Index index = flat(old, "auto", before, trial);
  report_found(kOldOld, index, old);
  index.read_queries_by(*after);
  report_found(kNewOld, index, fresh);
  report_found(kNewNew, flat(fresh, "auto", after, trial), fresh);
  // The controls: a binariser that knows nothing of the old one, made to look as if it did.
  const std::string apart = binariser(files, shape, "", "", "", trial);
  report_found("new queries, new codes, trained apart", flat(fresh, "auto", opened(apart), trial),
               fresh);
  Binariser alien = read_binariser(KithFileReader::open(apart, true));
  alien.compatible = before->version();
  index.read_queries_by(TrainedBinariser(std::make_shared<const Binariser>(std::move(alien))));
  report_found(kApart, index, fresh);
  trial.step();
}

void measure(const Trial& trial, Results& results) {
  constexpr std::size_t kWidth = 128;
  trial.expect(3 * 4 + 4 + 1 + 2);
  const Sets vectors = vectors_of(trial, kWidth);
  const Files files = files_of(vectors, kWidth, trial);
  for (const std::size_t bits : kBits) {
    compare(vectors, files, bits, trial, results);
    report(table_of(bits), kWhole, flat(vectors, "f32", nullptr, trial), vectors, true, trial,
           results);
  }
  time_scans(vectors, files, trial, results);
  upgrade(vectors, files, trial, results);
}

Judgement better(const Results& results, const std::string& row, const std::string& than,
                 std::span<const std::size_t> sizes, const std::string& column = "recall@10") {
  std::vector<Judgement> parts;
  for (const std::size_t bits : sizes) {
    parts.push_back(above(table_of(bits), results.difference(table_of(bits), row, than, column)));
  }
  return all_of(parts);
}

std::vector<double> times(const Results& results, const char* row, const char* than) {
  const auto a = results.values(kSpeed, row, kRate), b = results.values(kSpeed, than, kRate);
  std::vector<double> all;
  for (std::size_t i = 0; i < a.size(); ++i) all.push_back(a[i] / b[i]);
  return all;
}

const Registration registration({
    .slug = "bebr",
    .title = "Binary Embedding-based Retrieval at Tencent",
    .authors = "Gan, Ge, Zhou et al.",
    .year = 2023,
    .source = "KDD 2023, arXiv 2302.08714",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"A loop more finds more at equal bits",
          "shown if recall@10 of u = 1 minus that of u = 0 is above 0 at 128, 256 and 512 bits; "
          "refuted if below for one",
          [](const Results& results) { return better(results, row_of(2), row_of(1), kBits); }},
         {"Learned codes find more than signs of random directions",
          "shown if recall@10 of u = 1 minus that of the signs is above 0 at each size; refuted if "
          "below for one",
          [](const Results& results) { return better(results, row_of(2), kSigns, kBits); }},
         {"They find more than RaBitQ at equal bits", "the same with RaBitQ's recall@10",
          [](const Results& results) { return better(results, row_of(2), "RaBitQ", kBits); }},
         {"Distillation keeps neighbours that the contrastive loss alone forgets",
          "shown if recall@10 with it minus without it is above 0 for u = 0, 1 and 3 at 256 bits; "
          "refuted if below for one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const int width : kWidths) {
              parts.push_back(
                  above(row_of(width), results.difference(table_of(kMiddle), row_of(width),
                                                          undistilled(width), "recall@10")));
            }
            return all_of(parts);
          }},
         {"An eighth of the bytes loses almost nothing of what is wanted",
          "shown if pair@1 of u = 3 at 512 bits minus that of float32 is above -0.01; refuted if "
          "below",
          [](const Results& results) {
            return above("u = 3", results.difference(table_of(512), row_of(4), kWhole, "pair@1"),
                         -0.01);
          }},
         {"A scan of 4-bit codes is three times as fast as one of float32, and faster than "
          "popcounts of their planes",
          "shown if the ratios of distances a CPU second are above 3 and above 1; refuted if one "
          "is "
          "below",
          [](const Results& results) {
            const std::array<Judgement, 2> parts = {
                above("to float32", estimate(times(results, kSdc, kWhole)), 3),
                above("to planes", estimate(times(results, kSdc, kPlanes)), 1)};
            return all_of(parts);
          }},
         {"A new model's queries find more on an old one's codes than the old one's do, without "
          "coding anything anew",
          "shown if pair@1 of new queries on old codes minus that of old queries is above 0; "
          "refuted if below",
          [](const Results& results) {
            return above("pair@1", results.difference(kUpgrade, kNewOld, kOldOld, "pair@1"));
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
