// 2D Matryoshka sentence embeddings: is one model, trained at a random layer and width in each
// step, of use at all of them? Short descriptions of Debian's packages ask for long ones; a BERT of
// 6 layers and 128 dimensions, one for all seeds, is trained on such pairs. Vectors are means of
// tokens (the paper's are the first token's, which so short a training leaves poor); the loss at
// each size is InfoNCE rather than AnglE.
#include <array>
#include <string>
#include <vector>

#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/elastic_model.h"
#include "papers/common/first_layers.h"
#include "papers/common/paper.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTokens = 64;  // of a text that is judged
constexpr char kPlain[] = "full size only", kWidths[] = "all widths, last layer", kBoth[] = "2D",
               kUnaligned[] = "2D without alignment", kSeparate[] = "separate models";
constexpr char kSummary[] = "over the grid", kSmall[] = "a model of each size",
               kSpeed[] = "encoding by the first layers", kHalf[] = "half of them",
               kTimesAsFast[] = "times as fast";
constexpr char kMeanRank[] = "nDCG@10, mean", kMeanAlike[] = "Spearman, mean",
               kFull[] = "nDCG@10, full size", kMean[] = "mean", kShallow[] = "nDCG@10, layer 2";

std::string grid(const std::string& row) { return "nDCG@10, " + row; }

struct Size {
  std::size_t layer, width;
};

std::vector<std::size_t> widths(const Trial& trial) {
  std::vector<std::size_t> all;
  for (std::size_t width = trial.quick ? 4 : 8; width <= base_sizes(trial).width; width *= 2) {
    all.push_back(width);
  }
  return all;
}

// A training of 200 steps of 64 pairs, of the whole base or its first layers.
std::string model(const Trial& trial, const std::string& name, const std::string& base,
                  const std::string& elastic) {
  ContrastiveOptions options;
  options.base = base;
  options.model = "pooling = \"mean\"";
  options.data = data_table(debian_pairs(trial));
  options.elastic = elastic;
  options.steps = 200;
  options.batch = 64;
  std::string folder = trained(trial, name, contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

struct Tasks {
  Task retrieval;
  std::vector<Task> alike;
};

// Every layer and width of a model.
void measure_grid(const std::string& row, const std::string& folder, const Tasks& tasks,
                  const Trial& trial, Results& results) {
  ElasticModel model(folder, kTokens);
  std::vector<double> ranks, alikes, shallow;
  for (std::size_t layer = 1; layer <= model.layers(); ++layer) {
    for (const std::size_t width : widths(trial)) {
      model.choose(layer, width);
      ranks.push_back(score(tasks.retrieval, model, trial));
      std::vector<double> alike;
      for (const Task& task : tasks.alike) alike.push_back(score(task, model, trial));
      alikes.push_back(estimate(alike).mean);
      if (layer == 2) shallow.push_back(ranks.back());
      results.add(grid(row), "layer " + std::to_string(layer),
                  std::to_string(width) + " dimensions", ranks.back());
    }
  }
  results.add(kSummary, row, kMeanRank, estimate(ranks).mean);
  results.add(kSummary, row, kMeanAlike, estimate(alikes).mean);
  results.add(kSummary, row, kShallow, estimate(shallow).mean);
  results.add(kSummary, row, kFull, ranks.back());
  trial.step();
}

// Models of one size each beside the one of all sizes.
void measure_separate(const std::string& base, const std::string& both, const Tasks& tasks,
                      const Trial& trial, Results& results) {
  const std::vector<Size> sizes = trial.quick
                                      ? std::vector<Size>{{1, 4}, {2, 8}}
                                      : std::vector<Size>{{1, 8}, {2, 16}, {3, 32}, {4, 64}};
  ElasticModel one(both, kTokens);
  std::vector<double> separate, together;
  for (const Size& size : sizes) {
    const std::string column =
        std::to_string(size.layer) + " layers, " + std::to_string(size.width) + " dimensions";
    ElasticModel own(model(trial, "2dmse-separate", first_layers(trial, base, size.layer),
                           "[elastic]\nkind = \"1d\"\ndims = " +
                               toml_list(std::vector<std::size_t>{size.width})),
                     kTokens);
    own.choose(0, size.width);
    one.choose(size.layer, size.width);
    separate.push_back(score(tasks.retrieval, own, trial));
    together.push_back(score(tasks.retrieval, one, trial));
    results.add(kSmall, kSeparate, column, separate.back());
    results.add(kSmall, kBoth, column, together.back());
  }
  results.add(kSmall, kSeparate, kMean, estimate(separate).mean);
  results.add(kSmall, kBoth, kMean, estimate(together).mean);
}

void measure_speed(const std::string& folder, const Task& task, const Trial& trial,
                   Results& results) {
  const auto& texts = std::get<RetrievalTask>(task.content).queries.texts;
  const std::size_t layers = base_sizes(trial).layers;
  const auto seconds = [&](std::size_t layer) {
    return encoding_seconds(folder, texts, kTokens, layer, trial.control);
  };
  const double whole = seconds(layers), half = seconds((layers + 1) / 2),
               third = seconds(layers / 3);
  const auto report = [&](const char* row, double own) {
    results.add(kSpeed, row, "texts/CPU-s", static_cast<double>(texts.size()) / own);
    results.add(kSpeed, row, kTimesAsFast, whole / own);
  };
  report("a third of them", third);
  report(kHalf, half);
  report("all", whole);
}

void measure(const Trial& trial, Results& results) {
  trial.expect(8 + (trial.quick ? 2 : 4));
  Tasks tasks{debian_retrieval(trial), gloss_similarity(trial)};
  tasks.alike.push_back(debtags_similarity(trial));
  const std::string base = tiny_bert(trial);
  const std::vector<std::size_t> all = widths(trial);
  const std::string dims = "dims = " + toml_list(all) + "\n";
  const std::string narrow =
      "dims = " + toml_list(std::vector<std::size_t>(all.begin(), all.end() - 1)) + "\n";
  const std::array<std::array<std::string, 2>, 4> runs = {{
      {kPlain, ""},
      {kWidths, "[elastic]\nkind = \"1d\"\n" + dims},
      {kBoth, "[elastic]\nkind = \"2d\"\n" + narrow},
      {kUnaligned, "[elastic]\nkind = \"2d\"\nalignment = 0.0\n" + narrow},
  }};
  for (const auto& [row, elastic] : runs) {
    const std::string folder = model(trial, "2dmse", base, elastic);
    measure_grid(row, folder, tasks, trial, results);
    if (row != kBoth) continue;
    measure_separate(base, folder, tasks, trial, results);
    measure_speed(folder, tasks.retrieval, trial, results);
  }
}

constexpr double kLittleLoss = -0.02, kTwiceAsFast = 1.8;

const Registration registration({
    .slug = "2dmse",
    .title = "2D Matryoshka sentence embeddings",
    .authors = "Li, Li, Li, Xie and Li",
    .year = 2024,
    .source = "arXiv 2402.14776",
    .data = {"debian", "similarity", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .grids = {grid(kPlain), grid(kWidths), grid(kBoth)},
    .claims =
        {{"Trained at random layers and widths, a model is better over all of them than one "
          "trained "
          "at its full size alone, and than one trained at all widths of its last layer",
          "shown if the mean nDCG@10 over the grid minus that of each of the two is above 0, "
          "refuted if one is below",
          [](const Results& results) {
            const Judgement parts[] = {
                above("2D - full size only",
                      results.difference(kSummary, kBoth, kPlain, kMeanRank)),
                above("2D - all widths", results.difference(kSummary, kBoth, kWidths, kMeanRank))};
            return all_of(parts);
          }},
         {"Shallow layers gain",
          "shown if nDCG@10 at layer 2, mean over widths, minus that of the model trained at its "
          "full size is above 0",
          [](const Results& results) {
            return above("2D - full size only",
                         results.difference(kSummary, kBoth, kPlain, kShallow));
          }},
         {"The full size loses little",
          "shown if nDCG@10 of all layers and dimensions minus that of the model trained at its "
          "full size is above -0.02, refuted if below",
          [](const Results& results) {
            return above("2D - full size only", results.difference(kSummary, kBoth, kPlain, kFull),
                         kLittleLoss);
          }},
         {"Aligning layers helps",
          "shown if the mean nDCG@10 over the grid minus that without alignment is above 0, "
          "refuted "
          "if below",
          [](const Results& results) {
            return above("2D - without alignment",
                         results.difference(kSummary, kBoth, kUnaligned, kMeanRank));
          }},
         {"Models trained for one size each are better at it (what Starbucks says of it)",
          "shown if the mean nDCG@10 over the sizes of separate models minus that of the one is "
          "above 0, refuted if below",
          [](const Results& results) {
            return above("separate - 2D", results.difference(kSmall, kSeparate, kBoth, kMean));
          }},
         {"Half of the layers take about half of the time",
          "shown if encoding is more than 1.8 times as fast, refuted if less",
          [](const Results& results) {
            return above("times as fast", results.mean(kSpeed, kHalf, kTimesAsFast), kTwiceAsFast);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
