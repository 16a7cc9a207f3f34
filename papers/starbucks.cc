// Starbucks: is a model that is trained in every step at a short list of sizes, each a layer with a
// width, as good as models trained for one size each, and does pretraining at those sizes help? The
// base, a BERT of 6 layers and 128 dimensions, is one for all seeds; its further pretraining, as
// usual or at the sizes, is each seed's. Vectors are means of tokens, scores cosines.
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
constexpr char kCut[] = "full size only, cut", kSeparate[] = "separate models",
               k2d[] = "2D Matryoshka", kSrl[] = "fixed sizes",
               kStarbucks[] = "fixed sizes, pretrained at them";
constexpr char kRank[] = "nDCG@10", kAlike[] = "Spearman", kCost[] = "CPU s of training",
               kMean[] = "mean of sizes", kFull[] = "full size", kTime[] = "time";

struct Sizes {
  std::vector<std::size_t> layers, widths;
};

Sizes sizes_of(const Trial& trial) {
  if (trial.quick) return {{1, 2, 3}, {4, 8, 16}};
  return {{1, 2, 3, 4, 6}, {8, 16, 32, 64, 128}};
}

std::string fixed_sizes(const Sizes& sizes) {
  return "layers = " + toml_list(sizes.layers) + "\ndims = " + toml_list(sizes.widths) + "\n";
}

// 300 further steps of 32 texts of 64 tokens.
std::string further(const Trial& trial, const std::string& name, const std::string& objective) {
  return pretrained(trial, name,
                    "[model]\nbase = \"" + tiny_bert(trial) + "\"\n[objective]\n" + objective +
                        "[[data]]\nfiles = [\"" + base_texts(trial) + "\"]\n[train]\nsteps = " +
                        (trial.quick ? "4\nbatch = 8" : "300\nbatch = 32") +
                        "\ntokens = 64\nlearning_rate = 5e-4\ndropout = 0.0\n"
                        "attention_dropout = 0.0\nseed = " +
                        std::to_string(trial.seed) + "\n");
}

// A training of 150 steps of 64 pairs.
std::string model(const Trial& trial, const std::string& base, const std::string& elastic) {
  ContrastiveOptions options;
  options.base = base;
  options.model = "pooling = \"mean\"";
  options.data = data_table(debian_pairs(trial));
  options.elastic = elastic;
  options.steps = 150;
  options.batch = 64;
  std::string folder = trained(trial, "starbucks", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

struct Tasks {
  Task retrieval;
  std::vector<Task> alike;
};

struct Quality {
  double rank, alike;
};

Quality quality(const Tasks& tasks, ElasticModel& model, const Trial& trial) {
  Quality found{score(tasks.retrieval, model, trial), 0};
  for (const Task& task : tasks.alike) {
    found.alike += score(task, model, trial) / static_cast<double>(tasks.alike.size());
  }
  return found;
}

// A row of both tables, from the quality at each size.
void report(const std::string& row, const Sizes& sizes, const std::vector<Quality>& found,
            Results& results) {
  Quality sum{0, 0};
  for (std::size_t k = 0; k < found.size(); ++k) {
    const std::string column = k + 1 == found.size() ? kFull
                                                     : std::to_string(sizes.layers[k]) + ":" +
                                                           std::to_string(sizes.widths[k]);
    results.add(kRank, row, column, found[k].rank);
    results.add(kAlike, row, column, found[k].alike);
    sum.rank += found[k].rank;
    sum.alike += found[k].alike;
  }
  const auto count = static_cast<double>(found.size());
  results.add(kRank, row, kMean, sum.rank / count);
  results.add(kAlike, row, kMean, sum.alike / count);
}

void measure(const Trial& trial, Results& results) {
  const Sizes sizes = sizes_of(trial);
  trial.expect(4 + sizes.layers.size() - 1);
  Tasks tasks{debian_retrieval(trial), gloss_similarity(trial)};
  tasks.alike.push_back(debtags_similarity(trial));
  const std::string usual = further(trial, "starbucks-mlm", "kind = \"mlm\"\nmask_rate = 0.2\n");
  const std::string at_sizes =
      further(trial, "starbucks-smae", "kind = \"smae\"\n" + fixed_sizes(sizes));

  const std::string starbucks = "[elastic]\nkind = \"starbucks\"\n" + fixed_sizes(sizes);
  const std::vector<std::size_t> narrow(sizes.widths.begin(), sizes.widths.end() - 1);
  const std::string at_random = "[elastic]\nkind = \"2d-st\"\ndims = " + toml_list(narrow) + "\n";
  const std::string full = model(trial, usual, "");
  const std::array<std::array<std::string, 2>, 4> whole = {{
      {kCut, full},
      {k2d, model(trial, usual, at_random)},
      {kSrl, model(trial, usual, starbucks)},
      {kStarbucks, model(trial, at_sizes, starbucks)},
  }};
  for (const auto& [row, folder] : whole) {
    ElasticModel one(folder, kTokens);
    std::vector<Quality> found;
    for (std::size_t k = 0; k < sizes.layers.size(); ++k) {
      one.choose(sizes.layers[k], sizes.widths[k]);
      found.push_back(quality(tasks, one, trial));
    }
    report(row, sizes, found, results);
    results.add(kTime, row, kCost, training_seconds(folder));
  }

  std::vector<Quality> separate;
  double seconds = training_seconds(full);  // the largest of them
  for (std::size_t k = 0; k < sizes.layers.size(); ++k) {
    const bool largest = k + 1 == sizes.layers.size();
    const std::string folder =
        largest ? full
                : model(trial, first_layers(trial, usual, sizes.layers[k]),
                        "[elastic]\nkind = \"1d\"\ndims = " +
                            toml_list(std::vector<std::size_t>{sizes.widths[k]}));
    if (!largest) seconds += training_seconds(folder);
    ElasticModel own(folder, kTokens);
    own.choose(0, sizes.widths[k]);
    separate.push_back(quality(tasks, own, trial));
  }
  report(kSeparate, sizes, separate, results);
  results.add(kTime, kSeparate, kCost, seconds);
}

constexpr double kLittle = -0.01, kFullLoss = -0.02;

const Registration registration({
    .slug = "starbucks",
    .title = "Starbucks: Improved Training for 2D Matryoshka Embeddings",
    .authors = "Zhuang, Wang, Koopman and Zuccon",
    .year = 2024,
    .source = "arXiv 2410.13230",
    .data = {"debian", "similarity", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Trained at a fixed list of sizes in every step, a model is better at them than one "
          "trained at a random layer and width (2D Matryoshka)",
          "shown if nDCG@10, mean of the sizes, minus that of 2D Matryoshka is above 0, refuted if "
          "below",
          [](const Results& results) {
            return above("fixed sizes - 2D", results.difference(kRank, kSrl, k2d, kMean));
          }},
         {"It is as good as models trained for one size each",
          "shown if nDCG@10, mean of the sizes, minus that of separate models is above -0.01, "
          "refuted if below",
          [](const Results& results) {
            return above("fixed sizes - separate",
                         results.difference(kRank, kSrl, kSeparate, kMean), kLittle);
          }},
         {"Pretraining at the sizes adds to that",
          "shown if nDCG@10, mean of the sizes, minus that after as many steps of usual "
          "pretraining "
          "is above 0, refuted if below",
          [](const Results& results) {
            return above("pretrained at sizes - not",
                         results.difference(kRank, kStarbucks, kSrl, kMean));
          }},
         {"The full size loses little",
          "shown if nDCG@10 of all layers and dimensions, pretrained at the sizes, minus that of "
          "the model trained at its full size is above -0.02, refuted if below",
          [](const Results& results) {
            return above("full size", results.difference(kRank, kStarbucks, kCut, kFull),
                         kFullLoss);
          }},
         {"One model for all sizes takes less time to train than one for each",
          "shown if CPU seconds of training at fixed sizes minus those of separate models are "
          "below "
          "0, refuted if above",
          [](const Results& results) {
            return below("fixed sizes - separate",
                         results.difference(kTime, kSrl, kSeparate, kCost));
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
