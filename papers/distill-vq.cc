// Distill-VQ: do lists and codewords that learned to rank as whole vectors do find more than those
// of k-means, at the same bytes and probes, without labels? Vectors are a trained static
// embedding's of 128 dimensions: long descriptions of packages, for which short ones ask. Codes
// have 4 bits a part, the paper's 8; those that teach ask for other packages than those that test.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "kith/exact.h"
#include "kith/index.h"
#include "kith/trained_lists.h"
#include "kith/vectors.h"
#include "papers/common/data.h"
#include "papers/common/description_vectors.h"
#include "papers/common/paper.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr std::size_t kWidth = 128, kLists = 256, kK = 10, kDepth = 50;
constexpr std::array<std::size_t, 3> kParts = {8, 16, 32};
constexpr std::array<std::size_t, 3> kProbes = {4, 8, 16};
constexpr char kMeans[] = "k-means", kTurned[] = "k-means, rotated (OPQ)",
               kContrastive[] = "contrastive", kDistilled[] = "distilled (ListNet)",
               kSquares[] = "distilled (MSE)", kWhole[] = "all lists";

struct Sets {
  Matrix<float> base, taught, held_out, tests;
  Neighbours truth;
};

Matrix<float> made_up(std::size_t count, std::size_t width, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> rows(count, width);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < width; ++j) rows(i, j) = static_cast<float>(random.normal());
  }
  normalise(rows);
  return rows;
}

Sets sets_of(const Trial& trial) {
  constexpr std::size_t kBase = 30000, kTaught = 8000, kHeldOut = 500, kTests = 1000;
  Sets sets;
  if (trial.quick) {
    sets = {made_up(1500, 32, 1), made_up(200, 32, 2), made_up(50, 32, 3), made_up(50, 32, 4), {}};
  } else {
    DescriptionVectors vectors =
        description_vectors(trial, kWidth, kBase, 0, kTests, kTaught + kHeldOut);
    sets.base = std::move(vectors.base);
    sets.tests = std::move(vectors.tests);
    sets.taught = Matrix<float>(kTaught, kWidth);
    sets.held_out = Matrix<float>(kHeldOut, kWidth);
    for (std::size_t i = 0; i < kTaught + kHeldOut; ++i) {
      std::copy_n(vectors.taught.row(i), kWidth,
                  i < kTaught ? sets.taught.row(i) : sets.held_out.row(i - kTaught));
    }
  }
  sets.truth = cosine_truth(sets.base.view(), sets.tests.view(), kK, trial.control);
  return sets;
}

struct Files {
  std::string base, taught, held_out;
};

Files files_of(const Sets& sets, const Trial& trial) {
  const auto file = [&](const char* name, const Matrix<float>& rows) {
    std::string path =
        data_path(trial, fmt::format("distill-{}-{}", name, trial.seed), {"debian"}, ".npy");
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    write_vectors(path, rows.view(), Labels());
    return path;
  };
  return {file("base", sets.base), file("taught", sets.taught), file("held", sets.held_out)};
}

std::string lists(const Files& files, std::size_t count, std::size_t parts, const char* loss,
                  const Trial& trial) {
  return trained_codec(
      trial, "distill-vq",
      fmt::format("[data]\nvectors = \"{}\"\nqueries = \"{}\"\nmetric = \"cosine\"\n[codec]\n"
                  "lists = {}\nparts = {}\n[loss]\nkind = \"{}\"\n[train]\nepochs = {}\n"
                  "warmup = 0.1\nseed = {}\n[validation]\nqueries = \"{}\"\n",
                  files.base, files.taught, count, parts, loss, trial.quick ? 1 : 5, trial.seed,
                  files.held_out));
}

std::string table_of(std::size_t parts) {
  return fmt::format("{} parts: {} bytes of a code", parts, parts / 2);
}
std::string probed(std::size_t probes) { return fmt::format("10@50, {} lists", probes); }

// How many of the ten nearest are among the first so many by codes, in the nearest lists and in
// all.
void report(const std::string& row, std::size_t parts, const Index& index, const Sets& sets,
            const Trial& trial, Results& results) {
  const auto recall = [&](std::size_t beam, std::size_t candidates) {
    SearchOptions search;
    search.beam = beam;
    search.rerank = candidates;
    search.control = trial.control;
    return recall_at(index.search(sets.tests.view(), kK, search), sets.truth, kK);
  };
  for (const std::size_t probes : kProbes) {
    results.add(table_of(parts), row, probed(probes), recall(probes, kDepth));
  }
  const std::size_t all = index.info().lists;
  results.add(table_of(parts), row, fmt::format("10@50, {}", kWhole), recall(all, kDepth));
  results.add(table_of(parts), row, fmt::format("10@10, {}", kWhole), recall(all, kK));
  trial.step();
}

void measure(const Trial& trial, Results& results) {
  trial.expect(kParts.size() * 5);
  const Sets sets = sets_of(trial);
  const Files files = files_of(sets, trial);
  const std::size_t count = trial.quick ? 16 : kLists;
  for (const std::size_t parts : kParts) {
    BuildOptions options;
    options.metric = Metric::cosine;
    options.index = "ivf";
    options.lists = count;
    options.seed = trial.seed;
    options.control = trial.control;
    const auto build = [&](const std::string& codec) {
      options.codec = codec + std::to_string(parts) + "+f32";
      return Index::build(sets.base.view(), Labels(), options);
    };
    report(kMeans, parts, build("pq"), sets, trial, results);
    report(kTurned, parts, build("opq"), sets, trial, results);
    for (const auto& [row, loss] :
         {std::pair(kContrastive, "contrastive"), {kSquares, "mse"}, {kDistilled, "listnet"}}) {
      const std::string folder = lists(files, count, parts, loss, trial);
      options.trained =
          std::make_shared<const TrainedLists>(TrainedLists::open(folder + "/lists.kith"));
      report(row, parts, build("pq"), sets, trial, results);
    }
    options.trained = nullptr;
  }
}

Judgement better(const Results& results, const char* than) {
  std::vector<Judgement> parts;
  for (const std::size_t count : kParts) {
    parts.push_back(above(fmt::format("{} parts", count),
                          results.difference(table_of(count), kDistilled, than, probed(8))));
  }
  return all_of(parts);
}

const Registration registration({
    .slug = "distill-vq",
    .title = "Distill-VQ: Learning Retrieval Oriented Vector Quantization By Distilling Knowledge "
             "from Dense Embeddings",
    .authors = "Xiao, Liu, Han et al.",
    .year = 2022,
    .source = "SIGIR 2022, arXiv 2204.00185",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Distilled lists and codewords find more than those of k-means",
          "shown if of the ten nearest more are among the first 50 by codes in 8 lists, for each "
          "number of parts; refuted if fewer for one",
          [](const Results& results) { return better(results, kMeans); }},
         {"They find more than those that learned to tell the nearest from the others",
          "shown if the same minus that of the contrastive ones is above 0 for each number of "
          "parts; "
          "refuted if below for one",
          [](const Results& results) { return better(results, kContrastive); }},
         {"ListNet is better than the squared difference of scores",
          "shown if the same minus that of MSE is above 0 for each number of parts; refuted if "
          "below "
          "for one",
          [](const Results& results) { return better(results, kSquares); }},
         {"The coarser the codes the more is gained",
          "shown if what 8 parts gain over k-means in all lists minus what 32 parts gain is above "
          "0",
          [](const Results& results) {
            const std::string column = fmt::format("10@50, {}", kWhole);
            const auto gains = [&](std::size_t parts) {
              const auto a = results.values(table_of(parts), kDistilled, column),
                         b = results.values(table_of(parts), kMeans, column);
              std::vector<double> all;
              for (std::size_t i = 0; i < a.size(); ++i) all.push_back(a[i] - b[i]);
              return all;
            };
            return above("gain of 8 parts - of 32",
                         paired_difference(gains(kParts.front()), gains(kParts.back())));
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
